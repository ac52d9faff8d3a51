// Package stalls lets tests tell a machine that stands still, as virtual ones do for seconds, from a
// program that does: what waits counts the moments that it got, not the time that went by.
package stalls

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// moment is what is counted: however long the machine stands still in one, it is one.
const moment = 10 * time.Millisecond

// Until waits until something is so, for as many moments as a time has.
func Until(t testing.TB, most time.Duration, what string, ok func() bool) {
	t.Helper()
	for left := moments(most); !ok(); left-- {
		if left <= 0 {
			t.Fatalf("waited %s for %s", most, what)
		}
		time.Sleep(moment)
	}
}

func moments(d time.Duration) int64 { return int64((d + moment - 1) / moment) }

// Conn is a connection whose reads have as many moments as there are until their deadline.
type Conn struct {
	net.Conn
	left atomic.Int64 // moments, and one; 0 for no deadline
}

// SetReadDeadline gives reads, from now on, the moments until then.
func (c *Conn) SetReadDeadline(at time.Time) error {
	if at.IsZero() {
		c.left.Store(0)
	} else {
		c.left.Store(1 + max(0, moments(time.Until(at))))
	}
	return c.Conn.SetReadDeadline(at) // wakes up who reads
}

// SetDeadline is both deadlines.
func (c *Conn) SetDeadline(at time.Time) error {
	return errors.Join(c.SetReadDeadline(at), c.SetWriteDeadline(at))
}

func (c *Conn) Read(b []byte) (int, error) {
	for {
		left := c.left.Load()
		if left > 1 {
			if err := c.Conn.SetReadDeadline(time.Now().Add(moment)); err != nil {
				return 0, err
			}
		}
		n, err := c.Conn.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || left == 1 {
			return n, err
		}
		c.left.CompareAndSwap(left, max(1, left-1))
	}
}

// beat is what a sleeper asks for; it is woken twice as late only where nothing runs.
const beat = 50 * time.Millisecond

// Took is how long something takes, without the time in which the machine stands still.
func Took(f func()) time.Duration {
	over, stood := make(chan struct{}), make(chan time.Duration)
	begun := time.Now()
	go func() {
		var all time.Duration
		for ended := false; !ended; {
			asleep := time.Now()
			select {
			case <-over:
				ended = true
			case <-time.After(beat):
			}
			if late := time.Since(asleep) - beat; late > beat {
				all += late
			}
		}
		stood <- all
	}()
	f()
	took := time.Since(begun)
	close(over)
	return took - <-stood
}
