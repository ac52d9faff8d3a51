package ingest

import (
	"crypto/tls"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/plan"
	"sluice/register"
	"sluice/register/access"
)

// TestHomesGetNoFeedback: neither a sensor whose kind can stand for a home nor one
// that a plan makes stand for one is told what was dropped, where others listen.
func TestHomesGetNoFeedback(t *testing.T) {
	home := footfall(t, 2)
	home.Unit, home.Where = plan.Unit{Sensor: true, StandsFor: "home"}, nil
	if err := home.Finish(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec *plan.Stream
		told int
	}{{footfall(t, 2), 1}, {home, 0}} {
		i := still(t, c.spec)
		i.feedback.add(i.sensor(), fault.New(fault.NotJSON), nil)
		if len(i.feedback.tally) != c.told {
			t.Errorf("%s: %d sensors are told; want %d", c.spec.Unit.StandsFor, len(i.feedback.tally), c.told)
		}
	}
}

// TestOnceAHome: a sensor is told something only while the policy knows its kind, and
// never again once it has stood for somebody.
func TestOnceAHome(t *testing.T) {
	fields := []register.Field{{Name: "rssi", Type: "int", Class: "measurement"}}
	plain, meter := register.Kind{Fields: fields},
		register.Kind{Fields: fields, Units: []register.KindUnit{{Sensor: true, StandsFor: "home"}}}
	version := func(k *register.Kind, homes ...string) Version {
		v := Version{Digest: "v", Location: time.UTC, Kinds: map[string]register.Kind{"other": plain},
			Homes: map[string]bool{}}
		if k != nil {
			v.Kinds["k"] = *k
		}
		for _, h := range homes {
			v.Homes[h] = true
		}
		return v
	}
	gone := Version{Digest: "none"}
	for name, c := range map[string]struct {
		versions []Version
		told     bool
	}{
		"a kind that is known":         {[]Version{version(&plain)}, true},
		"policy taken away":            {[]Version{version(&plain), gone}, true},
		"kind gone":                    {[]Version{version(&plain), version(nil)}, false},
		"kind gone and back":           {[]Version{version(nil), version(&plain)}, true},
		"kind gone, then the policy":   {[]Version{version(nil), gone}, false},
		"a home":                       {[]Version{version(&meter)}, false},
		"a home by a decision":         {[]Version{version(&plain, "k")}, false},
		"another kind's home":          {[]Version{version(&plain, "other")}, true},
		"a home that lost its unit":    {[]Version{version(&meter), version(&plain)}, false},
		"a home, gone, and back":       {[]Version{version(&meter), version(nil), version(&plain)}, false},
		"a home, and no policy":        {[]Version{version(&meter), gone, version(&plain)}, false},
		"told before, and then a home": {[]Version{version(&plain), version(&meter)}, false},
	} {
		i := still(t)
		i.routing.versions, i.routing.sensors = nil, nil
		i.routing.roster = newRoster(i.cfg.Register)
		i.routing.sensors[0].silentAfter = 1 // it has said that it lives
		i.feedback.add(i.sensor(), fault.New(fault.NotJSON), nil)
		if len(i.feedback.tally) != 0 || i.liveness.judge(&i.routing.roster, nil).Of[0] != NotKnown {
			t.Fatal("something is said of a sensor before there is a policy")
		}
		for _, v := range c.versions {
			if err := i.changes.adopt(v); err != nil {
				t.Fatal(err)
			}
			if !i.sensor().home {
				i.feedback.add(i.sensor(), fault.New(fault.NotJSON), nil)
			}
		}
		if told, lives := len(i.feedback.tally) > 0,
			i.liveness.judge(&i.routing.roster, nil).Of[0] != NotKnown; told != c.told || lives != c.told {
			t.Errorf("%s: told %v, shown to live %v; want %v", name, told, lives, c.told)
		}
	}
}

// TestFeedbackNeedsIdentities: outside simulations feedback goes only where each sensor
// reads its own.
func TestFeedbackNeedsIdentities(t *testing.T) {
	passwords, certificates := Listen{Passwords: new(access.Passwords)},
		Listen{TLS: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}}
	for name, c := range map[string]struct{ identifies, exact, want bool }{
		"an open listener":             {Listen{TLS: &tls.Config{}}.identifies(), false, false},
		"passwords":                    {passwords.identifies(), false, true},
		"certificates":                 {certificates.identifies(), false, true},
		"a broker for everybody":       {(&Broker{}).identifies(), false, false},
		"a broker with passwords":      {(&Broker{Username: "g"}).identifies(), false, true},
		"a simulation's open listener": {Listen{}.identifies(), true, true},
	} {
		i, heard := still(t, footfall(t, 2)), &mailbox{}
		i.cfg.Exact = c.exact
		i.sources.add(heard, c.identifies)
		i.feedback.add(i.sensor(), fault.New(fault.NotJSON), nil)
		i.cfg.Feedback = time.Minute
		i.feedback.send()
		close(i.feedback.out)
		i.feedback.deliver(i.sources.feedbackTo, i.sources.all)
		if (len(heard.topics) == 1) != c.want || len(i.feedback.tally) > 0 {
			t.Errorf("%s: sent to %v", name, heard.topics)
		}
	}
}

// mailbox is a way that keeps where it was published to.
type mailbox struct {
	ears
	topics []string
}

func (m *mailbox) Publish(topic string, _ []byte) error {
	m.topics = append(m.topics, topic)
	return nil
}
