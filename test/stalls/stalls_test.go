package stalls

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeadline: a read has its time, and no more; what comes in it is read; a deadline in the past
// is over at once, and none has no end.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		c := &Conn{Conn: a}
		for _, within := range []time.Duration{-time.Second, 0, 5 * time.Millisecond, time.Second} {
			begun := time.Now()
			if err := c.SetReadDeadline(begun.Add(within)); err != nil {
				t.Fatal(err)
			}
			n, err := c.Read(make([]byte, 1))
			took := time.Since(begun)
			if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || took > max(0, within)+moment || took < within {
				t.Errorf("a read of %s gives %d, %v after %s", within, n, err, took)
			}
		}
		for _, at := range []time.Time{{}, time.Now().Add(2 * time.Minute)} {
			if err := c.SetReadDeadline(at); err != nil {
				t.Fatal(err)
			}
			go func() {
				time.Sleep(30 * time.Second)
				_, _ = b.Write([]byte("x"))
			}()
			if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Errorf("what comes in time is read as %d, %v", n, err)
			}
		}
	})
}

// TestStandsStill: a machine that stands still takes no time from who waits.
func TestStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		Until(t, time.Second, "an answer that comes late", func() bool {
			time.Sleep(10 * time.Second) // nothing runs
			asked++
			return asked == 50
		})
	})
}

// TestTook: what a program takes by itself counts, however it waits.
func TestTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{0, beat / 2, 3*beat + 1, 10 * time.Second} {
			if took := Took(func() { time.Sleep(d) }); took != d {
				t.Errorf("%s took %s", d, took)
			}
		}
	})
}
