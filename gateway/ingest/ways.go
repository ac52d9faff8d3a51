package ingest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"strings"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/listener"
	"sluice/gateway/ingest/internal/mqtt"
	"sluice/register"
	"sluice/register/access"
)

// Listen is the embedded listener. With Passwords, or TLS with an authority for
// client certificates, sensors have identities.
type Listen struct {
	Addr      string
	TLS       *tls.Config
	Passwords *access.Passwords // nil for none
}

// identifies reports whether senders have identities, so that each reads its own
// feedback only.
func (l Listen) identifies() bool {
	return l.Passwords != nil || l.TLS != nil && l.TLS.ClientAuth == tls.RequireAndVerifyClientCert
}

// Broker is where the gateway is a client. Its session is ClientID's.
type Broker struct {
	URL, ClientID, Username, Password string
	TLS                               *tls.Config
}

// identifies reports whether the broker asks who its clients are. What each may read is
// in the access list that sluice sensor acl writes.
func (b *Broker) identifies() bool {
	return b.Username != "" || b.TLS != nil && len(b.TLS.Certificates) > 0
}

// way is one way in.
type way interface {
	Ack(list []intake.Message)
	Publish(topic string, payload []byte) error
	Close() error
}

func (i *Ingest) openWays() error {
	cfg := i.cfg
	i.queue.Clock(cfg.Clock)
	if cfg.Listen.Addr != "" {
		lc := listener.Config{
			Addr: cfg.Listen.Addr, Clock: cfg.Clock, TLS: cfg.Listen.TLS, Feedback: feedbackOf(i.register),
			Queue: i.queue, Now: cfg.Now, Fail: i.broken, Log: cfg.Log,
		}
		if i.passwords = cfg.Listen.Passwords; i.passwords != nil {
			lc.Passwords = i.passwords
		}
		var err error
		if i.listener, err = listener.Listen(lc); err != nil {
			return err
		}
		i.ways = append(i.ways, i.listener)
		i.tell(i.listener, cfg.Listen.identifies())
	}
	if b := cfg.Broker; b != nil {
		if len(i.state.Secret) == 0 {
			i.state.Secret, i.dirty = make([]byte, 32), true
			if _, err := rand.Read(i.state.Secret); err != nil {
				return err
			}
		}
		var err error
		if i.broker, err = mqtt.Open(mqtt.Config{
			Broker: b.URL, ClientID: b.ClientID, Username: b.Username, Password: b.Password, TLS: b.TLS,
			Topics: i.topics(i.register), Marker: marker(b.ClientID), Secret: i.state.Secret,
			Queue: i.queue, Now: cfg.Now, Fail: i.broken, Log: cfg.Log,
		}); err != nil {
			return err
		}
		i.ways = append(i.ways, i.broker)
		i.tell(i.broker, b.identifies())
	}
	return nil
}

// tell has feedback sent on a way where nobody else reads it. In a simulation there is
// nobody whom it could tell of.
func (i *Ingest) tell(w way, identifies bool) {
	if identifies || i.cfg.Exact {
		i.tells = append(i.tells, w)
	}
}

// topics are what the gateway reads at a broker: everything of the city's, so
// that what is unknown is counted, and what registered sensors call otherwise.
// Filters do not overlap, or a broker would send twice.
func (i *Ingest) topics(reg *register.Register) []string {
	const all = "city/v1/"
	list := []string{all + "#"}
	for n := range reg.Sensors {
		if t := reg.Sensors[n].UpTopic(); !strings.HasPrefix(t, all) {
			list = append(list, t)
		}
	}
	if i.cfg.Clock != "" && !strings.HasPrefix(i.cfg.Clock, all) {
		list = append(list, i.cfg.Clock)
	}
	return list
}

// broken takes a panic on a way in.
func (i *Ingest) broken(err error) {
	select {
	case i.fatal <- err:
	default:
	}
}

func (i *Ingest) closeWays() error {
	var errs []error
	for _, w := range i.ways {
		errs = append(errs, w.Close())
	}
	return errors.Join(errs...)
}

// Addr is where sensors connect to the gateway itself; empty for nowhere.
func (i *Ingest) Addr() string {
	if i.listener == nil {
		return ""
	}
	return i.listener.Addr()
}

// Broker is what keeps the broker from being up, and what to do; empty when it
// is, or when there is none.
func (i *Ingest) Broker() string {
	if i.broker == nil {
		return ""
	}
	return i.broker.Status().Problem
}
