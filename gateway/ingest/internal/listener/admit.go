package listener

import "crypto/tls"

// admission is who may come in, and how. It does not change, and is exchanged as a
// whole.
type admission struct {
	tls       *tls.Config // nil for none
	passwords Passwords   // nil for none
	users     map[string]*user
}

// Admission is what can be exchanged of a Config while it runs.
type Admission struct {
	TLS       *tls.Config
	Passwords Passwords
	Feedback  map[string]string
}

// Admit exchanges who may come in. Whoever is not among them any more, or is told to
// prove itself anew, is cut off; all others stay connected. Whether there are
// identities at all stays as it was.
func (l *Listener) Admit(a Admission, anew func(id string) bool) {
	old := l.admits.Load()
	now := l.admission(a, func(id, topic string) *user {
		if u := old.users[id]; u != nil && u.feedback == topic && !anew(id) {
			return u
		}
		return newUser(id, topic)
	})
	l.admits.Store(now)
	for id, u := range old.users {
		if now.users[id] != u {
			l.admitted.disconnect(u)
		}
	}
}

func (l *Listener) admission(a Admission, known func(id, topic string) *user) *admission {
	out := &admission{a.TLS, a.Passwords, make(map[string]*user, len(a.Feedback)+1)}
	for id, topic := range a.Feedback {
		out.users[id] = known(id, topic)
	}
	if _, sensor := a.Feedback[ClockUser]; l.cfg.Clock != "" && !sensor {
		out.users[ClockUser] = known(ClockUser, "")
	}
	return out
}
