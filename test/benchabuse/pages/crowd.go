package main

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
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

// dialer dials from an address. The port is chosen when it is known where to, or this
// machine would soon have none that is free.
func dialer(host string) *net.Dialer {
	const bindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT of Linux's include/uapi/linux/in.h
	return &net.Dialer{
		LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}, Timeout: 10 * time.Second,
		Control: func(_, _ string, raw syscall.RawConn) (err error) {
			return errors.Join(raw.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort, 1)
			}), err)
		},
	}
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
	d := dialer(rogueHost)
	c, err := d.Dial("tcp", addr)
	if err == nil {
		defer c.Close()
		_ = c.(*net.TCPConn).SetReadBuffer(4 << 10) // or the system's
		_ = c.(*net.TCPConn).SetLinger(0)           // or its port is not free for a minute
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
		return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
	}
	for buf := make([]byte, 512); ; {
		if _, err := c.Read(buf); err != nil {
			return !errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
}
