package listener

import (
	"slices"
	"sync"
	"syscall"

	"golang.org/x/time/rate"

	"sluice/gateway/ingest/internal/intake"
)

// Bounds of those whom we know.
const (
	seatsInAll  = 20_000
	seatsOfUser = 4
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
	conns        []*conn // oldest first; under the lock of seats
	out          bool    // it may not come in any more; under the lock of seats
}

func newUser(id, feedback string) *user {
	return &user{source: *newSource(), id: id, feedback: feedback,
		logins: rate.NewLimiter(loginsPerSecond, loginsAtOnce)}
}

// seats are the connections that have been let in.
type seats struct {
	mu   sync.Mutex
	most int
	all  map[*conn]bool
	shut bool
}

func newSeats() *seats { return &seats{most: room(), all: make(map[*conn]bool)} }

// room is how many connections there may be: half of the files that the process may
// open, so that the checkpoint and the store are never without.
func room() int {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil {
		return seatsInAll
	}
	return int(min(seatsInAll, files.Cur/2))
}

// take seats a connection; false when there is no room. A user's fifth makes the
// first go: a sensor whose network broke would otherwise be shut out by what is left
// of its own old connections.
func (s *seats) take(c *conn) bool {
	s.mu.Lock()
	var first *conn
	ok := !s.shut && len(s.all) < s.most && (c.user == nil || !c.user.out)
	if ok {
		s.all[c] = true
		if u := c.user; u != nil {
			if u.conns = append(u.conns, c); len(u.conns) > seatsOfUser {
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

func (s *seats) leave(c *conn) {
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

// turnOut cuts off a user, also one who is just coming in.
func (s *seats) turnOut(u *user) {
	s.mu.Lock()
	u.out = true
	list := slices.Clone(u.conns)
	s.mu.Unlock()
	for _, c := range list {
		c.cut(turnedOut)
	}
}

// close lets nobody in any more.
func (s *seats) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
}

// clear cuts off whoever is still there.
func (s *seats) clear() {
	s.mu.Lock()
	var list []*conn
	for c := range s.all {
		list = append(list, c)
	}
	s.mu.Unlock()
	for _, c := range list {
		c.cut(closing)
	}
}
