package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// client is one connection that is kept. It reads no more of an answer than it must,
// to leave the processors to the servers.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func dial(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// get asks for a path and throws the answer away.
func (c *client) get(path string) error {
	c.out = append(append(append(c.out[:0], "GET "...), path...), " HTTP/1.1\r\nHost: bench\r\n\r\n"...)
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	length := -1
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			return fmt.Errorf("%s: %s", path, bytes.TrimSpace(line))
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
	}
	if length < 0 {
		return errors.New("an answer without Content-Length")
	}
	_, err := c.in.Discard(length)
	return err
}

func fetch(addr, path string) ([]byte, error) {
	resp, err := http.Get("http://" + addr + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	return body, err
}

// closed asks on eight connections for two seconds, each for the next thing when it
// has its answer, and returns requests a second.
func closed(addr string, path func(int) string) (float64, error) {
	const connections, span = 8, 2 * time.Second
	var wg sync.WaitGroup
	counts, errs := make([]int, connections), make([]error, connections)
	begun := time.Now()
	for i := range connections {
		wg.Go(func() {
			c, err := dial(addr)
			if err != nil {
				errs[i] = err
				return
			}
			defer c.conn.Close()
			for time.Since(begun) < span {
				if errs[i] = c.get(path(counts[i]*connections + i)); errs[i] != nil {
					return
				}
				counts[i]++
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begun).Seconds(), errors.Join(errs...)
}

// latency asks 2,000 times a second for ten seconds, whether or not answers came, nine
// in ten times for one of twenty things. An answer's time counts from when it should have
// been asked for.
func latency(addr string) error {
	const rate, span, connections = 2000, 10 * time.Second, 64
	hot := func(n int) string {
		return fmt.Sprintf("/api/v1/streams/steps/observations?cell=z%d&limit=24", n%20)
	}
	fresh := func(n int) string {
		at := origin.Add(time.Duration(n*11%14000) * time.Hour)
		return fmt.Sprintf("/api/v1/streams/steps/observations?cell=z%d&from=%s&to=%s", n%30, at.Format(time.RFC3339),
			at.Add(24*time.Hour).Format(time.RFC3339))
	}
	total := int(rate * span.Seconds())
	due := make(chan int, total)
	took := make([]time.Duration, total)
	errs := make([]error, connections)
	begun := time.Now().Add(100 * time.Millisecond)
	at := func(n int) time.Time { return begun.Add(time.Duration(n) * time.Second / rate) }
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() {
			c, err := dial(addr)
			if err != nil {
				errs[i] = err
				return
			}
			defer c.conn.Close()
			for n := range due {
				path := hot(n)
				if n%10 == 0 {
					path = fresh(n)
				}
				if errs[i] = c.get(path); errs[i] != nil {
					return
				}
				took[n] = time.Since(at(n))
			}
		})
	}
	for n := range total {
		time.Sleep(time.Until(at(n)))
		due <- n
	}
	close(due)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	slices.Sort(took)
	ms := func(share float64) float64 { return took[int(share*float64(total-1))].Seconds() * 1000 }
	fmt.Printf("latency    at %d requests/s, nine in ten repeated: p50 %.2f ms, p99 %.2f ms (target: under 20), "+
		"p99.9 %.2f ms\n", rate, ms(.5), ms(.99), ms(.999))
	return nil
}

// serveStatic is the yardstick: one body in memory, written by net/http.
func serveStatic(ctx context.Context, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "http=http://%s\n", l.Addr())
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body) // the client may be gone
		})}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
