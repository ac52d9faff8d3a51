package machine

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestFresh: nothing is handed over while what is known of the books is old, and nothing ever where a policy of them
// holds already.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &Machine{cfg: Config{StaleAfter: time.Minute}, began: time.Now()}
		time.Sleep(time.Second)
		m.Known(time.Now())
		if err := m.Fresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		asked := make(chan error, 1)
		ask := func() { asked <- m.Fresh(t.Context()) }
		for _, x := range []struct {
			then func()
			want error
		}{{func() { m.Known(time.Now()) }, nil}, {m.Overtaken, errOvertaken}, {func() { m.Known(time.Now()) }, nil}} {
			go ask()
			time.Sleep(10 * time.Second)
			if len(asked) > 0 {
				t.Fatal("it goes on with books that are old")
			}
			x.then()
			if err := <-asked; !errors.Is(err, x.want) {
				t.Errorf("%v; want %v", err, x.want)
			}
			m.overtaken.Store(false)
			time.Sleep(2 * time.Minute)
		}
	})
}
