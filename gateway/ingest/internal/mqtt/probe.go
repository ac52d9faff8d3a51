package mqtt

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Probe is what a look at a broker found.
type Probe struct {
	// Problem is why the gateway cannot work with it, and what to do; empty when
	// it can.
	Problem string
	// Reads and Writes say that a stranger, without credentials, gets what the
	// gateway publishes, and can publish as somebody else.
	Reads, Writes bool
}

// Look connects as the gateway and as a stranger. What it publishes goes to the
// gateway's marker topic, which a running gateway passes over.
func Look(ctx context.Context, cfg Config) Probe {
	u, err := url.Parse(cfg.Broker)
	if err != nil {
		return Probe{Problem: "mqtt.broker is no URL"}
	}
	c := &Client{cfg: cfg}
	c.reach = c.dial
	nonce := make([]byte, 8)
	if _, err := rand.Read(nonce); err != nil {
		return Probe{Problem: "there is no randomness"}
	}
	own, forged := "own "+hex.EncodeToString(nonce), "forged "+hex.EncodeToString(nonce)
	came, overheard := make(chan string, 16), make(chan string, 16)
	gateway, err := c.visit(ctx, u, cfg.Username, cfg.Password, "-doctor", came)
	if err != nil {
		return Probe{Problem: problem(err)}
	}
	defer gateway.leave()
	stranger, strangerErr := c.visit(ctx, u, "", "", "-stranger", overheard)
	if err := wait(ctx, gateway.Publish(cfg.Marker, 1, false, own), nil); err != nil {
		return Probe{Problem: problem(gateway.conn.why(err))}
	}
	if !hears(came, own) {
		return Probe{Problem: "what the gateway publishes to its marker topic does not come back; give its user " +
			"readwrite city/v1/# with sluice sensor acl" + cfg.perhaps()}
	}
	if strangerErr != nil {
		return Probe{}
	}
	defer stranger.leave()
	p := Probe{Reads: hears(overheard, own)}
	stranger.Publish(cfg.Marker, 1, false, forged)
	p.Writes = hears(came, forged)
	return p
}

// visitor is a client that looks around, behind the same guard as the gateway.
type visitor struct {
	paho.Client
	conn *guard
}

func (v *visitor) leave() {
	v.Disconnect(100)
	_ = v.conn.Close() // nothing is expected of it any more
}

// visit connects with a session of its own and subscribes as the gateway does.
func (c *Client) visit(
	ctx context.Context, u *url.URL, user, password, suffix string, came chan<- string,
) (*visitor, error) {
	raw, err := c.reach(ctx, u)
	if err != nil {
		return nil, err
	}
	conn := newGuard(raw)
	o := c.options(conn).SetClientID(c.cfg.ClientID +
		suffix).SetUsername(user).SetPassword(password).SetCleanSession(true)
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		if m.Topic() != c.cfg.Marker {
			return // somebody's reading: none of ours
		}
		select {
		case came <- string(m.Payload()):
		default:
		}
	})
	v := &visitor{paho.NewClient(o), conn}
	if err := c.look(ctx, v); err != nil {
		v.leave()
		return nil, conn.why(err)
	}
	return v, nil
}

// look connects and subscribes to the marker.
func (c *Client) look(ctx context.Context, client paho.Client) error {
	if err := wait(ctx, client.Connect(), nil); err != nil {
		return err
	}
	token := client.Subscribe(c.cfg.markers(), 1, nil)
	if err := wait(ctx, token, nil); err != nil {
		return err
	}
	if token.(*paho.SubscribeToken).Result()[c.cfg.Marker] == 0x80 {
		return errRefusedTopics
	}
	return nil
}

func hears(came <-chan string, want string) bool {
	deadline := time.After(2 * time.Second)
	for {
		select {
		case got := <-came:
			if got == want {
				return true
			}
		case <-deadline:
			return false
		}
	}
}
