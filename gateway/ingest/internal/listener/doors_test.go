package listener

import (
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// TestDoorsShareTheirBounds: a sensor has its connections through all doors together, and those
// who queue for a place are served as what they came for, whichever door lets them in.
func TestDoorsShareTheirBounds(t *testing.T) {
	s := open(t, Config{Passwords: secrets{"a": "x"}, Feedback: map[string]string{"a": ""}})
	var all []*sensor
	for n := range maxOfUser + 1 {
		c := s.dial()
		if n%2 == 1 {
			c = s.web(nil)
		}
		c.send(hello(4, 2, string(rune('0'+n)), "a", "x"))
		c.want(0x20)
		all = append(all, c)
	}
	all[0].gone(20 * time.Second)
	for _, c := range all[1:] {
		c.works()
	}

	here := netip.MustParsePrefix("127.0.0.1/32")
	s.l.preAuth.mu.Lock()
	s.l.preAuth.of[here] += maxPreAuthOfAddress
	s.l.preAuth.mu.Unlock()
	const each = 10
	var webs, plains []*sensor
	for range each {
		webs = append(webs, s.knock(s.opening(offer)))
		plain := s.dial()
		plain.send(hello(4, 2, "", "a", "wrong"))
		plains = append(plains, plain)
	}
	for queued := 0; queued < 2*each; time.Sleep(time.Millisecond) {
		s.l.preAuth.mu.Lock()
		queued = s.l.preAuth.queued[here]
		s.l.preAuth.mu.Unlock()
	}
	s.l.preAuth.mu.Lock()
	if s.l.preAuth.of[here] -= maxPreAuthOfAddress; s.l.preAuth.of[here] == 0 {
		delete(s.l.preAuth.of, here)
	}
	s.l.preAuth.mu.Unlock()
	for n := range each {
		_ = webs[n].SetReadDeadline(time.Now().Add(20 * time.Second))
		if r, err := http.ReadResponse(webs[n].in, nil); err != nil || r.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("a WebSocket that had to queue is answered %+v (%v)", r, err)
		}
		if body := plains[n].want(0x20); body[1] != 5 {
			t.Errorf("a wrong password that had to queue is answered %#x", body[1])
		}
	}
}
