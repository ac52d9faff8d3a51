package opendata

import (
	"fmt"
	"testing"
	"time"
)

// TestTake counts one client's requests on a clock of the test's.
func TestTake(t *testing.T) {
	l := newLimiter(2)
	now := time.Unix(1e9, 0)
	for n := range 10 {
		if left, _ := l.take("192.0.2.1:1000", now); left != 9-n {
			t.Errorf("after %d requests %d are left", n+1, left)
		}
	}
	if left, wait := l.take("192.0.2.1:2000", now); left != -1 || wait != 1 {
		t.Errorf("the eleventh has %d left and waits %d s; the port must not matter", left, wait)
	}
	if left, _ := l.take("192.0.2.2:1000", now); left != 9 {
		t.Errorf("another client has %d left", left)
	}
	if left, _ := l.take("192.0.2.1:1000", now.Add(500*time.Millisecond)); left != 0 {
		t.Errorf("half a second later %d are left; want the one that came", left)
	}
	for i, x := range []struct {
		address string
		left    int
	}{
		{"[2001:db8::1]:1", 9}, {"[2001:db8::2]:1", 8}, {"[2001:db8:0:1::1]:1", 9}, {"[::ffff:192.0.2.9]:1", 9},
		{"192.0.2.9:7", 8}, {"nonsense", 9},
	} {
		if left, _ := l.take(x.address, now); left != x.left {
			t.Errorf("%d: %s has %d left; want %d", i, x.address, left, x.left)
		}
	}
}

// TestForgotten keeps clients for as long as they must be known, and a bounded number.
func TestForgotten(t *testing.T) {
	l := newLimiter(1)
	now := time.Unix(1e9, 0)
	for n := range 100 {
		l.take(fmt.Sprintf("192.0.2.%d:1", n), now)
	}
	l.take("198.51.100.1:1", now.Add(burst*time.Second+time.Second))
	if len(l.clients) != 1 {
		t.Errorf("%d clients are known", len(l.clients))
	}
	slow := newLimiter(0.01) // one in a hundred seconds
	slow.take("192.0.2.1:1", now)
	for after := time.Duration(0); after < 99*time.Second; after += 3 * time.Second {
		if left, wait := slow.take("192.0.2.1:1", now.Add(after)); left != -1 || wait != 100 {
			t.Fatalf("%s later %d are left, and it waits %d s", after, left, wait)
		}
	}
	for n := range 3 * maxClients {
		l.take(fmt.Sprintf("10.%d.%d.%d:1", n>>16, n>>8&255, n&255), now.Add(time.Minute))
		if len(l.clients) > maxClients {
			t.Fatalf("%d clients are known", len(l.clients))
		}
	}
}

// TestPerSecond is the limit of a configuration.
func TestPerSecond(t *testing.T) {
	zero, five := 0.0, 5.0
	for _, x := range []struct {
		given    *float64
		loopback bool
		want     float64
	}{{nil, true, 0}, {nil, false, 20}, {&zero, false, 0}, {&five, true, 5}} {
		var c Config
		c.Rate.PerSecond = x.given
		if got := c.perSecond(x.loopback); got != x.want {
			t.Errorf("with %v and loopback %v it is %v; want %v", x.given, x.loopback, got, x.want)
		}
	}
}

// TestSlowRate is not got around by staying away for less than it takes to refill.
func TestSlowRate(t *testing.T) {
	l := newLimiter(0.01)
	now := time.Unix(1e9, 0)
	l.take("192.0.2.1:1", now)
	if left, _ := l.take("192.0.2.1:1", now.Add(50*time.Second)); left != -1 {
		t.Errorf("after half of its time %d are left", left)
	}
}

// TestPerAddress is the limit of a configuration on one address's connections.
func TestPerAddress(t *testing.T) {
	zero, five := 0, 5
	for _, x := range []struct {
		given    *int
		loopback bool
		want     int
	}{{nil, true, 0}, {nil, false, 32}, {&zero, false, 0}, {&five, true, 5}} {
		var c Config
		c.Connections.PerAddress = x.given
		if got := c.perAddress(x.loopback); got != x.want {
			t.Errorf("with %v and loopback %v it is %v; want %v", x.given, x.loopback, got, x.want)
		}
	}
}
