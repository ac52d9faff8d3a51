package mqtt

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
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
	defer gateway.Disconnect(100)
	stranger, strangerErr := c.visit(ctx, u, "", "", "-stranger", overheard)
	if err := wait(gateway.Publish(cfg.Marker, 1, false, own), nil); err != nil {
		return Probe{Problem: problem(err)}
	}
	if !hears(came, own) {
		return Probe{Problem: "what the gateway publishes to its marker topic does not come back; give its user readwrite city/v1/# with sluice sensor acl"}
	}
	if strangerErr != nil {
		return Probe{}
	}
	defer stranger.Disconnect(100)
	p := Probe{Reads: hears(overheard, own)}
	stranger.Publish(cfg.Marker, 1, false, forged)
	p.Writes = hears(came, forged)
	return p
}

// visit connects with a session of its own and subscribes as the gateway does.
func (c *Client) visit(ctx context.Context, u *url.URL, user, password, suffix string, came chan<- string) (paho.Client, error) {
	o := paho.NewClientOptions().AddBroker(c.cfg.Broker).SetClientID(c.cfg.ClientID + suffix).SetUsername(user).SetPassword(password).
		SetCleanSession(true).SetAutoReconnect(false).SetProtocolVersion(4).SetConnectTimeout(answer).SetWriteTimeout(answer)
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) {
		raw, err := c.dial(ctx, u)
		if err != nil {
			return nil, err
		}
		return newGuard(raw), nil
	})
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		if m.Topic() != c.cfg.Marker {
			return // somebody's reading: none of ours
		}
		select {
		case came <- string(m.Payload()):
		default:
		}
	})
	client := paho.NewClient(o)
	if err := wait(client.Connect(), nil); err != nil {
		return nil, err
	}
	token := client.Subscribe(c.cfg.Marker, 1, nil)
	if err := wait(token, nil); err != nil {
		client.Disconnect(100)
		return nil, err
	}
	if token.(*paho.SubscribeToken).Result()[c.cfg.Marker] == 0x80 {
		client.Disconnect(100)
		return nil, errRefusedTopics
	}
	return client, nil
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
