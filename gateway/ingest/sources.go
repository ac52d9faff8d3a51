package ingest

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/listener"
	"sluice/gateway/ingest/internal/mqtt"
	"sluice/gateway/revoked"
	"sluice/register"
	"sluice/register/access"
)

// Listen is the embedded listener: Addr for MQTT, WebSocket for MQTT over WebSocket; empty for
// neither. With Passwords, or TLS with an authority for
// client certificates, sensors have identities.
type Listen struct {
	Addr, WebSocket string
	TLS             *tls.Config
	Passwords       *access.Passwords // nil for none
	// Revoked is the list of client certificates that hold no more; nil for none. It follows its
	// file, and a Renewal does not exchange it.
	Revoked *revoked.List
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
	// Group is whose messages are shared out among its members, so that each is taken once: the fronts of a city.
	// Empty where everything is this gateway's. Share false makes a member of the group none.
	Group string
	Share bool
}

// identifies reports whether the broker asks who its clients are. What each may read is
// in the access list that sluice sensor acl writes.
func (b *Broker) identifies() bool {
	return b.Username != "" || b.TLS != nil && len(b.TLS.Certificates) > 0
}

// source is where messages come from.
type source interface {
	Ack(list []intake.Message)
	Publish(topic string, payload []byte) error
	Close() error
}

// sources are all of them, and the queue that they share.
type sources struct {
	cfg        *Config
	queue      *intake.Queue
	all        []source
	feedbackTo []source           // those on which feedback is sent
	listener   *listener.Listener // nil for none
	broker     *mqtt.Client       // nil for none
	// passwords are the listener's, nil for none; of whoever calls Renew.
	passwords *access.Passwords
	fatal     chan error // a panic at one of them
}

func newSources(cfg *Config) sources {
	return sources{cfg: cfg, queue: intake.New(), fatal: make(chan error, 1)}
}

// open opens them for a register's sensors. The secret makes a broker's markers those of
// this state directory.
func (s *sources) open(reg *register.Register, secret []byte) error {
	cfg := s.cfg
	s.queue.Clock(cfg.Clock)
	if cfg.Listen.Addr != "" || cfg.Listen.WebSocket != "" {
		lc := listener.Config{
			Addr: cfg.Listen.Addr, WebSocket: cfg.Listen.WebSocket, Clock: cfg.Clock, TLS: cfg.Listen.TLS,
			Feedback: feedbackTopics(reg), Explains: s.tells(cfg.Listen.identifies()), Queue: s.queue, Now: cfg.Now,
			Fail: s.fail, Log: cfg.Log,
		}
		if s.passwords = cfg.Listen.Passwords; s.passwords != nil {
			lc.Passwords = s.passwords
		}
		if cfg.Listen.Revoked != nil {
			lc.Revoked = cfg.Listen.Revoked
		}
		var err error
		if s.listener, err = listener.Listen(lc); err != nil {
			return err
		}
		s.add(s.listener, cfg.Listen.identifies())
	}
	if b := cfg.Broker; b != nil {
		var err error
		if s.broker, err = mqtt.Open(mqtt.Config{
			Broker: b.URL, ClientID: b.ClientID, Username: b.Username, Password: b.Password, TLS: b.TLS,
			Topics: s.topics(reg), Before: b.before(), Shared: b.shares(), Marker: marker(b.ClientID), Secret: secret,
			Queue: s.queue, Now: cfg.Now, Fail: s.fail, Log: cfg.Log,
		}); err != nil {
			return err
		}
		s.add(s.broker, b.identifies())
	}
	return nil
}

// add adds a source. Feedback is sent on it where nobody else reads it; in a simulation
// there is nobody whom it could tell of.
func (s *sources) add(one source, identifies bool) {
	s.all = append(s.all, one)
	if s.tells(identifies) {
		s.feedbackTo = append(s.feedbackTo, one)
	}
}

// tells reports whether senders are told what becomes of what they send.
func (s *sources) tells(identifies bool) bool { return identifies || s.cfg.Exact }

// topics are what the gateway reads at a broker: everything of the city's, so
// that what is unknown is counted, and what registered sensors call otherwise.
// A broker would send twice what two filters fit, which is known again.
func (s *sources) topics(reg *register.Register) []string {
	const all = "city/v1/"
	b, list := s.cfg.Broker, reg.Filters()
	if b.shares() {
		for n, filter := range list {
			if !slices.Contains(reg.Births(), filter) {
				list[n] = b.share(filter)
			}
		}
		list = append(list, b.share(ofSensors))
	} else {
		list = append(list, all+"#")
	}
	if s.cfg.Clock != "" && (b.shares() || !strings.HasPrefix(s.cfg.Clock, all)) {
		list = append(list, s.cfg.Clock)
	}
	return list
}

// ofSensors are topics of the city's but markers, which are each front's own.
const ofSensors = "city/v1/+/+/+/#"

// shares reports whether messages are shared out.
func (b *Broker) shares() bool { return b.Group != "" && b.Share }

// share is the filter by which a group's members share out what another one fits.
func (b *Broker) share(filter string) string { return "$share/" + b.Group + "/" + filter }

// before are the filters that the session has where it was made while messages were shared out, or were not.
func (b *Broker) before() []string {
	switch {
	case b.shares():
		return []string{"city/v1/#"}
	case b.Group != "":
		return []string{b.share(ofSensors)}
	}
	return nil
}

// feedbackTopics is each user's feedback topic: a sensor's by its id, and those of all its sensors of an
// owner who sends for them.
func feedbackTopics(reg *register.Register) map[string]string {
	out := make(map[string]string, len(reg.Sensors))
	for owner := range reg.Systems() {
		out[owner] = register.FeedbackOf(owner)
	}
	for n := range reg.Sensors {
		out[reg.Sensors[n].ID] = reg.Sensors[n].FeedbackTopic()
	}
	return out
}

// admit exchanges what is read at the broker, and who may come in at the listener:
// whoever has another password than before must prove it.
func (s *sources) admit(r Renewal) {
	if s.broker != nil {
		s.broker.Follow(s.topics(r.Register))
	}
	if s.listener == nil {
		return
	}
	a := listener.Admission{TLS: r.Listen.TLS, Feedback: feedbackTopics(r.Register)}
	before, now := s.passwords, r.Listen.Passwords
	if now != nil {
		a.Passwords = now
	}
	s.listener.Admit(a, func(id string) bool { return before != nil && now != nil && !before.Same(now, id) })
	s.passwords = now
}

// acknowledge tells whoever sent these messages that they are durable.
func (s *sources) acknowledge(done []intake.Message) {
	for _, one := range s.all {
		one.Ack(done)
	}
	s.queue.Done(done)
}

// fail takes a panic beside ingest's goroutine, which ends it.
func (s *sources) fail(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}

func (s *sources) close() error {
	var errs []error
	for _, one := range s.all {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// Addr is where sensors connect to the gateway itself; empty for nowhere.
func (i *Ingest) Addr() string {
	if i.sources.listener == nil {
		return ""
	}
	return i.sources.listener.Addr()
}

// WebSocket is where sensors connect to it by WebSocket; empty for nowhere.
func (i *Ingest) WebSocket() string {
	if i.sources.listener == nil {
		return ""
	}
	return i.sources.listener.WebSocket()
}

// Broker is what keeps the broker from being up, and what to do; empty when it
// is, or when there is none.
func (i *Ingest) Broker() string {
	if i.sources.broker == nil {
		return ""
	}
	return i.sources.broker.Status().Problem
}
