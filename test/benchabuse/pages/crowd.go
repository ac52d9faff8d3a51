package main

import (
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	page = "/api/v1/streams/steps/observations?limit=1000"
	head = " HTTP/1.1\r\nHost: bench\r\n\r\n"
)

// rogue is a client that wants the server's places.
type rogue struct {
	name string
	say  string // at first
	more string // and once a second
}

var rogues = []rogue{
	{"idle", "GET /healthz" + head, ""},
	{"slowloris", "GET / HTTP/1.1\r\nX-Slow: ", "x"},
	{"slow readers", strings.Repeat("GET "+page+head, 30), ""},
	{"half-open", "", ""},
}

// gather keeps 1,000 connections of such clients open: one that the server ends is
// opened again within a second.
func (r rogue) gather(addr string) (stop func()) {
	done := make(chan bool)
	var wg, all sync.WaitGroup
	all.Add(crowdSize)
	for range crowdSize {
		wg.Go(func() {
			first := sync.OnceFunc(all.Done)
			for {
				over := r.stay(addr, done, first)
				first()
				if over {
					return
				}
			}
		})
	}
	all.Wait()
	return func() { close(done); wg.Wait() }
}

// stay lives through one connection; true when there should be no other. It tells that
// it is there.
func (r rogue) stay(addr string, done <-chan bool, there func()) bool {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(rogueHost)}, Timeout: 2 * time.Second}
	c, err := d.Dial("tcp", addr)
	if err == nil {
		defer c.Close()
		_ = c.(*net.TCPConn).SetReadBuffer(4 << 10) // or the system's
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, err = io.WriteString(c, r.say)
	}
	there()
	for {
		select {
		case <-done:
			return true
		case <-time.After(time.Second):
		}
		if err != nil || r.gone(c) {
			return false
		}
	}
}

// gone says more, where there is more to say, and sees whether the server has left.
func (r rogue) gone(c net.Conn) bool {
	_ = c.SetDeadline(time.Now().Add(5 * time.Millisecond))
	if r.more != "" {
		if _, err := io.WriteString(c, r.more); err != nil {
			return true
		}
	}
	if r.name == "slow readers" {
		_, err := c.Write([]byte("G")) // to see it without reading
		timeout, ok := err.(net.Error)
		return err != nil && (!ok || !timeout.Timeout())
	}
	for buf := make([]byte, 512); ; {
		if _, err := c.Read(buf); err != nil {
			timeout, ok := err.(net.Error)
			return !ok || !timeout.Timeout()
		}
	}
}
