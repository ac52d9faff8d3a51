package listener

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/time/rate"

	"sluice/gateway/ingest/internal/intake"
)

// Bounds of those whom we know.
const (
	maxConnections = 20_000
	maxOfUser      = 4
	// A sensor may connect so often; more is a loop gone wrong, or somebody's fun.
	loginsPerSecond = 2
	loginsAtOnce    = 16
)

// source is who is answerable for what comes in: a user, or where there are no
// identities, one connection.
type source struct{ share *intake.Share }

func newSource() *source { return &source{intake.NewShare()} }

// user is whom credentials can stand for.
type user struct {
	source
	id, feedback string
	logins       *rate.Limiter
	conns        []*conn // oldest first; under the lock of admitted
	out          bool    // it may not come in any more; under the lock of admitted
}

func newUser(id, feedback string) *user {
	return &user{source: *newSource(), id: id, feedback: feedback,
		logins: rate.NewLimiter(loginsPerSecond, loginsAtOnce)}
}

// reads reports whether a topic, or a filter, is of the feedback that is the user's.
func (u *user) reads(topic string) bool {
	before, after, several := strings.Cut(u.feedback, "+")
	if !several {
		return topic == u.feedback && topic != ""
	}
	sensor, ok := strings.CutPrefix(topic, before)
	sensor, of := strings.CutSuffix(sensor, after)
	return ok && of && sensor != "" && !strings.ContainsAny(sensor, "/#")
}

// admitted are the connections that have been let in.
type admitted struct {
	mu    sync.Mutex
	limit int
	all   map[*conn]bool
	shut  bool
}

func newAdmitted() *admitted { return &admitted{limit: room(), all: make(map[*conn]bool)} }

// room is how many connections there may be: half of the files that the process may
// open, so that the checkpoint and the store are never without.
func room() int {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil {
		return maxConnections
	}
	return int(min(maxConnections, files.Cur/2))
}

// add admits a connection; false when there is no room. A user's fifth makes the
// first go: a sensor whose network broke would otherwise be shut out by what is left
// of its own old connections.
func (s *admitted) add(c *conn) bool {
	s.mu.Lock()
	var first *conn
	ok := !s.shut && len(s.all) < s.limit && (c.user == nil || !c.user.out)
	if ok {
		s.all[c] = true
		if u := c.user; u != nil {
			if u.conns = append(u.conns, c); len(u.conns) > maxOfUser {
				first = u.conns[0]
			}
		}
	}
	s.mu.Unlock()
	if first != nil {
		first.cut(oneTooMany)
	}
	return ok
}

func (s *admitted) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.all[c] {
		return
	}
	delete(s.all, c)
	if u := c.user; u != nil {
		for i, one := range u.conns {
			if one == c {
				copy(u.conns[i:], u.conns[i+1:])
				u.conns[len(u.conns)-1] = nil
				u.conns = u.conns[:len(u.conns)-1]
				return
			}
		}
	}
}

// disconnect cuts off a user, also one who is just coming in.
func (s *admitted) disconnect(u *user) {
	s.mu.Lock()
	u.out = true
	list := slices.Clone(u.conns)
	s.mu.Unlock()
	for _, c := range list {
		c.cut(turnedOut)
	}
}

// cut cuts off those for whom it is time.
func (s *admitted) cut(time func(*conn) bool, why reason) {
	s.mu.Lock()
	list := slices.Collect(maps.Keys(s.all))
	s.mu.Unlock()
	for _, c := range list {
		if time(c) {
			c.cut(why)
		}
	}
}

// close lets nobody in any more.
func (s *admitted) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
}

// clear cuts off whoever is still there.
func (s *admitted) clear() {
	s.cut(func(*conn) bool { return true }, closing)
}
