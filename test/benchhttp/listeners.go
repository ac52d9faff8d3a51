package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/test/entered"
)

// group is how many come at once: fewer than the connections that there may be of those who
// have not asked for anything yet.
const group = 200

// listening measures how long a window takes to reach all listeners of /api/v1/live, from
// the line in the books on, and what they cost.
func listening(ctx context.Context, sluice, parent string, listeners int) error {
	dir := filepath.Join(parent, "live")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := fill(ctx, dir, 60_000); err != nil {
		return err
	}
	config := filepath.Join(dir, "opendata.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil,
		"http: 127.0.0.1:0\nbooks: books\nstore: {sqlite: {path: store.db}}\nlive: {listeners: %d}\n", listeners),
		0o644); err != nil {
		return err
	}
	ours, err := start(ctx, sluice, "opendata", "-c", config)
	if err != nil {
		return err
	}
	defer ours.stop()
	before := ours.peak()
	heard := make(chan error, listeners)
	var all sync.WaitGroup
	defer all.Wait()
	for n := range listeners {
		conn, err := net.Dial("tcp", ours.addr)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("GET /api/v1/live HTTP/1.1\r\nHost: bench\r\n\r\n")); err != nil {
			return err
		}
		all.Go(func() { hear(conn, heard) })
		if n%group == group-1 || n == listeners-1 { // as many as come at once; each hears its first id
			if _, err := await(heard, n%group+1); err != nil {
				return err
			}
		}
	}
	var took []time.Duration
	for n := range 10 {
		if err := release(ctx, dir, n); err != nil {
			return err
		}
		span, err := await(heard, listeners)
		if err != nil {
			return err
		}
		took = append(took, span)
	}
	slices.Sort(took)
	fmt.Printf("%d listeners of windows of 30 rows\n", listeners)
	fmt.Printf("  a window reaches the last of them in %d ms, at most %d ms (target: under 1000)\n",
		took[len(took)/2].Milliseconds(), took[len(took)-1].Milliseconds())
	fmt.Printf("  memory   %d MiB at most, %d MiB before they came (target: under 256)\n", ours.peak()>>10, before>>10)
	return nil
}

// hear reads a listener's answer, and says when it has the first id, and each window.
func hear(conn net.Conn, heard chan<- error) {
	in := bufio.NewReaderSize(conn, 1<<10)
	for first := true; ; {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			heard <- err
			return
		}
		if first && bytes.HasPrefix(line, []byte("id: ")) || bytes.Equal(line, []byte("]}\n")) ||
			bytes.HasSuffix(line, []byte("}]}\n")) {
			first = false
			heard <- nil
		}
	}
}

// await waits until all have heard it.
func await(heard <-chan error, listeners int) (time.Duration, error) {
	begun := time.Now()
	for n := range listeners {
		select {
		case err := <-heard:
			if err != nil {
				return 0, err
			}
		case <-time.After(time.Minute):
			return 0, fmt.Errorf("only %d of %d have heard it", n, listeners)
		}
	}
	return time.Since(begun), nil
}

// release releases an hour of the stream steps.
func release(ctx context.Context, dir string, n int) error {
	b := books.Dir(filepath.Join(dir, "books"))
	streams, err := books.Reader{Source: b}.Streams()
	if err != nil {
		return err
	}
	st := streams[1]
	var rows []store.Observation
	for i, c := range st.Cells {
		rows = append(rows, observe(st, c.ID, origin.AddDate(1, 0, 0).Add(time.Duration(n)*time.Hour), time.Hour, n+i))
	}
	slices.SortFunc(rows, func(a, b store.Observation) int { return bytes.Compare([]byte(a.Cell), []byte(b.Cell)) })
	db, err := sqlite.Open(ctx, filepath.Join(dir, "store.db"))
	if err != nil {
		return err
	}
	return errors.Join(db.Write(ctx, rows), db.Close(), entered.Enter(b, rows))
}
