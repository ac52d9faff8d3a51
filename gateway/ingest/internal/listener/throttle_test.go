package listener

import (
	"net"
	"testing"
	"time"

	"sluice/test/stalls"
)

// TestGuesses: a wrong password waits for its answer, a right one does not, not even
// while many are wrong about the same name; and the many are bounded.
func TestGuesses(t *testing.T) {
	s := open(t, Config{Passwords: secrets{"a": "right"}, Feedback: map[string]string{"a": "city/v1/o/a/feedback"}})
	begun := time.Now()
	first := s.dial()
	first.send(hello(4, 2, "x", "a", "wrong"))
	for range maxThrottled + 100 {
		s.dial().send(hello(4, 2, "x", "a", "wrong"))
	}
	for held := 0; held < maxThrottled; {
		s.l.throttle.mu.Lock()
		held = s.l.throttle.held.Len()
		s.l.throttle.mu.Unlock()
		if held > maxThrottled {
			t.Fatalf("%d maxThrottled are kept", held)
		}
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("only %d maxThrottled wait for their answer", held)
		}
	}
	if took := stalls.Took(func() { s.connect(4, "x", "a", "right").works() }); took > time.Second {
		t.Errorf("the right password took %s beside guesses", took)
	}
	if body := first.want(0x20); body[1] != 5 {
		t.Errorf("a wrong password is answered with %x", body)
	}
	for _, user := range []string{"a", "nobody", ""} { // not quicker for who does not exist
		begun := time.Now()
		c := s.dial()
		c.send(hello(5, 2, "x", user, "wrong"))
		if body := c.want(0x20); body[1] != 0x86 {
			t.Errorf("user %q is answered with %x", user, body)
		}
		if took := time.Since(begun); took < guessWait {
			t.Errorf("user %q has its answer after %s", user, took)
		}
	}
}

// TestAGuessCosts holds the price of a wrong password against names and addresses.
func TestAGuessCosts(t *testing.T) {
	one, two := origin(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}), origin(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 2)})
	b := newThrottle(ordinary)
	for n := range 3 * guessOften {
		want := map[bool]time.Duration{true: guessWait, false: guessLongWait}[n < guessOften]
		if b.delay([]byte{byte(n)}, one) != want {
			t.Fatalf("guess %d from one address costs other than %s", n, want)
		}
	}
	for n := range guessOften + 1 {
		from := origin(&net.TCPAddr{IP: net.IPv4(198, 51, 100, byte(n))})
		if got := b.delay([]byte("name"), from); n == guessOften && got != guessLongWait {
			t.Errorf("guess %d at one name costs %s", n, got)
		}
	}
	if b.delay([]byte("fresh"), two) != guessWait {
		t.Error("who was wrong once waits as long as who guesses")
	}
}

// TestLoginsInALoop: a sensor that connects for ever is slowed down, and others are not.
func TestLoginsInALoop(t *testing.T) {
	s := open(t, Config{Passwords: secrets{"a": "x", "b": "y"}, Feedback: map[string]string{"a": "", "b": ""}})
	for n := range loginsAtOnce {
		s.connect(4, string(rune('a'+n)), "a", "x")
	}
	c := s.dial()
	c.send(hello(4, 2, "z", "a", "x"))
	begun := time.Now()
	if body := c.want(0x20); body[1] != 3 || time.Since(begun) < guessWait/2 {
		t.Errorf("it is answered with %x after %s", body, time.Since(begun))
	}
	s.connect(4, "x", "b", "y").works()
}
