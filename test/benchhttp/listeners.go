package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
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

// listen measures how long a window takes to reach all listeners of /api/v1/live, from the line
// in the books on, and what they cost.
func (b bench) listen(ctx context.Context, dir string) error {
	listeners := b.listeners
	if err := b.fill(ctx, dir, 60_000); err != nil {
		return err
	}
	ours, err := b.serve(ctx, dir, fmt.Sprintf("live: {listeners: %d}\n", listeners))
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
	spent := ours.spent()
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
	spent = ours.spent() - spent
	slices.Sort(took)
	fmt.Printf("%d listeners of windows of 30 rows\n", listeners)
	fmt.Printf("  a window reaches the last of them in %d ms, at most %d ms (target: under 1000)\n",
		took[len(took)/2].Milliseconds(), took[len(took)-1].Milliseconds())
	fmt.Printf("  processor %.0f ms of the server for each window\n", spent.Seconds()*1000/float64(len(took)))
	fmt.Printf("  memory   %d MiB at most, %d MiB before they came (target: under 256)\n", ours.peak()>>10, before>>10)
	return nil
}

// hear reads a listener's answer, and says when it has the first id, and each window.
func hear(conn net.Conn, heard chan<- error) {
	in := bufio.NewReaderSize(conn, 16<<10) // an event at once: the processors are the server's too
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
