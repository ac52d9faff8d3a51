package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/gateway/ingest/internal/sealed"
	"sluice/internal/crash"
	"sluice/internal/retry"
)

// Times of a connection. A link that is dead without a word is noticed after
// keepAlive, a quarter of it, and pingTimeout.
const (
	keepAlive     = 10 * time.Second
	pingTimeout   = 5 * time.Second
	answer        = 10 * time.Second
	writeDeadline = 5 * time.Second
	firstPause    = 200 * time.Millisecond
	longestPause  = 30 * time.Second
	// A connection that worked and lived for less than this and for less than the
	// pause before it does not make the next pause short again.
	shortLife = time.Second
	// Several in a row that the other side ends within this are a fight over the session.
	briefLife = 3 * time.Second
	// One that lived for longer than this is worth a word when it ends for the same reason
	// as the one before.
	steadyLife = 10 * time.Second
)

// stay connects again and again.
func (c *Client) stay(ctx context.Context, u *url.URL) {
	pauses := retry.Backoff{First: firstPause, Longest: longestPause}
	for ctx.Err() == nil {
		begun, before := time.Now(), c.Status().Connection
		err := c.connection(ctx, u)
		if ctx.Err() != nil {
			return
		}
		worked := c.useful.Swap(false) && time.Since(begun) > max(pauses.Pause(), shortLife)
		if worked && !errors.Is(err, errImpossible) {
			pauses.Reset()
		}
		if time.Since(begun) > steadyLife {
			c.said.News("")
		}
		// Where nobody answers, nobody has taken anything over.
		if greeted := c.Status().Connection > before; greeted && c.cut > before && time.Since(begun) < briefLife {
			c.brief++
		} else {
			c.brief = 0
		}
		if c.brief >= 3 {
			err = errRival
		}
		c.mu.Lock()
		c.status.Up, c.status.Problem, c.client, c.conn = false, problem(err), nil, nil
		c.mu.Unlock()
		if c.renewing.Swap(false) {
			c.greeted = false
			c.cfg.Log.Info("the connection to the broker is made anew, since there are other topics to read")
			continue
		}
		if hint := problem(err); c.said.News(hint) {
			c.greeted = false
			c.cfg.Log.Warn("the broker is away; it is tried again and again", "hint", hint)
		}
		pauses.Wait(ctx)
	}
}

// options are what all clients of ours have. The library never dials by itself.
func (c *Client) options(conn *guard) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker(c.cfg.Broker).SetProtocolVersion(4).SetAutoReconnect(false).
		SetConnectRetry(false).
		SetConnectTimeout(answer).SetWriteTimeout(writeDeadline).SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return conn, nil })
}

// session are the options of the client whose session the broker keeps: its will says that the
// connection of a number has ended.
func (c *Client) session(conn *guard, number int, lost chan<- error) *paho.ClientOptions {
	return c.options(conn).SetClientID(c.cfg.ClientID).SetUsername(c.cfg.Username).SetPassword(c.cfg.Password).
		SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).SetStore(&store{paho.NewMemoryStore()}).
		SetBinaryWill(c.cfg.Marker, []byte(c.markers.text(kindWill, number)), 1, false).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err }) // is called once
}

// connection lives through one connection.
func (c *Client) connection(ctx context.Context, u *url.URL) (err error) {
	c.markers.begin(0)
	raw, err := c.reach(ctx, u)
	if err != nil {
		return err
	}
	conn := newGuard(raw)
	defer func() {
		err = conn.why(err)
		_ = conn.Close() // nothing is expected of it any more
	}()
	number := c.Status().Connection + 1
	c.backlog.Store(0)
	c.through.Store(false)
	// A message does not wait for room longer than its connection lives: it comes again.
	taking, stop := context.WithCancel(ctx)
	defer stop()
	lost := make(chan error, 1)
	met := make(chan struct{}) // closed once the connection is in the status
	o := c.session(conn, number, lost).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			select { // what the broker had kept comes on the heels of its greeting
			case <-met:
				c.take(taking, conn, m, number)
			case <-taking.Done():
			}
		})
	client := paho.NewClient(o)
	defer client.Disconnect(100)
	token := client.Connect()
	if err := wait(ctx, token, lost); err != nil {
		return err
	}
	kept := token.(*paho.ConnectToken).SessionPresent()
	c.mu.Lock()
	c.status.Connection, c.status.Kept, c.status.Cut = number, kept, c.cut
	c.mu.Unlock()
	defer func() {
		if conn.endedThere() {
			c.cut = number
		}
	}()
	close(met)
	if err := c.subscribe(ctx, client, lost, kept); err != nil {
		return err
	}
	ask := func(send func() paho.Token) (paho.Token, error) { return c.ask(ctx, lost, send) }
	if err := c.dropped.ask(client, ask); err != nil {
		return err
	}
	first := c.markers.next()
	c.markers.begin(first)
	c.up(client, conn, number, kept)
	if err := c.mark(ctx, client, lost, first); err != nil {
		return err
	}
	c.greet(kept)
	return c.remain(ctx, client, conn, lost)
}

// greet logs the first connection.
func (c *Client) greet(kept bool) {
	if !c.greeted {
		c.greeted = true
		c.cfg.Log.Info("the broker is there", "session_kept", kept)
	}
}

// up says that a connection stands: what the broker has for us comes over it.
func (c *Client) up(client paho.Client, conn *guard, number int, kept bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = Status{Up: true, Connection: number, Kept: kept, Cut: c.cut}
	c.client, c.conn, c.since = client, conn, time.Now()
}

// remain sends marks until the connection or ctx ends.
func (c *Client) remain(ctx context.Context, client paho.Client, conn *guard, lost <-chan error) error {
	tick := time.NewTicker(markEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			conn.acks.flush(time.Second)
			c.leave(client)
			return ctx.Err()
		case err := <-lost:
			return err
		case <-tick.C:
			if err := c.mark(ctx, client, lost, c.markers.next()); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// wait waits for the broker's answer, or until the connection is lost.
func wait(ctx context.Context, token paho.Token, lost <-chan error) error {
	select {
	case <-token.Done():
		return token.Error()
	case err := <-lost:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(answer):
		return errSilent
	}
}

// ask sends something and waits for the broker's answer. The library would wait for
// a connection that is lost until its write timeout is over.
func (c *Client) ask(ctx context.Context, lost <-chan error, send func() paho.Token) (paho.Token, error) {
	sent := make(chan paho.Token, 1)
	go func() {
		defer crash.Catch(func(e *crash.Error) { c.cfg.Fail(e) })
		sent <- send()
	}()
	select {
	case token := <-sent:
		return token, wait(ctx, token, lost)
	case err := <-lost:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// subscribe asks for what is followed, and in a session that was kept no more for what may have been before.
func (c *Client) subscribe(ctx context.Context, client paho.Client, lost <-chan error, kept bool) error {
	if kept && len(c.cfg.Before) > 0 {
		if _, err := c.ask(ctx, lost, func() paho.Token { return client.Unsubscribe(c.cfg.Before...) }); err != nil {
			return err
		}
	}
	topics := c.follows()
	if c.cfg.Shared {
		topics = append([]string{c.cfg.markers()}, topics...)
	}
	for _, filters := range packed(topics) {
		token, err := c.ask(ctx, lost, func() paho.Token { return client.SubscribeMultiple(filters, nil) })
		if err != nil {
			return err
		}
		for _, qos := range token.(*paho.SubscribeToken).Result() {
			if qos == 0x80 { // MQTT 3.1.1 section 3.9.3: failure
				return errRefusedTopics
			}
		}
	}
	return nil
}

func (c *Client) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	d := &net.Dialer{Timeout: answer}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[string]string{"tcp": "1883", "tls": "8883"}[scheme(u)])
	}
	plain, err := d.DialContext(ctx, "tcp", host)
	if err != nil || scheme(u) != "tls" {
		return plain, err
	}
	cfg := c.cfg.TLS.Clone()
	if cfg == nil {
		cfg = &tls.Config{}
	}
	if cfg.ServerName == "" {
		cfg.ServerName = u.Hostname()
	}
	secure := tls.Client(sealed.Below(plain), cfg)
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	return secure, nil
}
