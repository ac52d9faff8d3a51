package httpcache

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestSeatsAreShared: a client that takes its parts in time has its share of the long
// answers, and the next one is served; where addresses tell nobody apart, all have all.
func TestSeatsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := func() {}
		c := New()
		c.Share()
		var own []*seat
		for n := range maxLongPerClient {
			s := c.seats.take(t.Context(), fmt.Sprint("192.0.2.1:", n+1), none)
			if s == nil {
				t.Fatalf("it has %d", n)
			}
			own = append(own, s)
		}
		begun := time.Now()
		if s := c.seats.take(t.Context(), "192.0.2.1:99", none); s != nil || time.Since(begun) != patience {
			t.Errorf("after %s it has more than its share", time.Since(begun))
		}
		other := c.seats.take(t.Context(), "192.0.2.2:1", none)
		if other == nil || time.Since(begun) != patience {
			t.Error("another client waits")
		}
		other.since(time.Now().Add(-time.Hour)) // another's slow answer makes no room for it
		own[3].since(time.Now().Add(-time.Minute))
		if s := c.seats.take(t.Context(), "192.0.2.1:99", none); s == nil || !own[3].lost() || other.lost() {
			t.Error("its own slow answer keeps it waiting")
		}
		c.seats.leave(own[0])
		if s := c.seats.take(t.Context(), "192.0.2.1:99", none); s == nil {
			t.Error("a seat that was left is not free")
		}
		c = New()
		for n := range maxLong {
			if s := c.seats.take(t.Context(), "192.0.2.1:1", none); s == nil {
				t.Fatalf("where nobody is told apart there are %d", n)
			}
		}
	})
}
