// Command benchhttp measures the open-data server over a store of a million rows,
// beside a static net/http handler of the same bytes, in the same run and with the
// same client: requests a second for repeated and for new queries, latency at 2,000
// requests a second of which nine in ten are repeated, memory, and how soon a window
// reaches all listeners.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	sluice := flag.String("sluice", "bin/sluice", "the binary to measure")
	static := flag.String("static", "", "serve this file, as the yardstick does")
	rows := flag.Int("rows", 1_000_000, "rows in the store")
	listeners := flag.Int("listeners", 5000, "listeners of /api/v1/live")
	rounds := flag.Int("rounds", 5, "rounds of two seconds for each")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *static != "" {
		err = serveStatic(ctx, *static)
	} else {
		err = run(ctx, *sluice, *rows, *rounds, *listeners)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchhttp:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sluice string, rows, rounds, listeners int) error {
	dir, err := os.MkdirTemp("", "sluice-bench-http-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	begun := time.Now()
	if err := fill(ctx, dir, rows); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(dir, "store.db"))
	if err != nil {
		return err
	}
	fmt.Printf("store      %d rows, %d MiB, written in %.1f s\n", rows, info.Size()>>20, time.Since(begun).Seconds())
	config := filepath.Join(dir, "opendata.yaml")
	if err := os.WriteFile(config, []byte("http: 127.0.0.1:0\nbooks: books\nstore: {sqlite: {path: store.db}}\n"),
		0o644); err != nil {
		return err
	}
	ours, err := start(ctx, sluice, "opendata", "-c", config)
	if err != nil {
		return err
	}
	defer ours.stop()
	for _, x := range []struct{ name, path, target string }{
		{"a day of one place, 24 rows", "/api/v1/streams/steps/observations?cell=z7&from=%s&to=%s",
			" (target: at least 0.10)"},
		{"a page of 100 rows", "/api/v1/streams/steps/observations?from=%s&to=%s", " (target: at least 0.10)"},
		{"a stream's page for people, with chart and table", "/streams/steps?cell=z7&cell=z9&to=%s&x=%s", ""},
	} {
		if err := compare(ctx, dir, ours, x.name, x.path, x.target, rounds); err != nil {
			return err
		}
	}
	if err := latency(ours.addr); err != nil {
		return err
	}
	fmt.Printf("memory     %d MiB at most (target: under 128)\n", ours.peak()>>10)
	return listening(ctx, sluice, dir, listeners)
}

// compare measures one sort of query, repeated and new, each beside the static
// handler, in turns, so that what disturbs one disturbs the other.
func compare(ctx context.Context, dir string, ours *server, name, path, target string, rounds int) error {
	day := func(n int) string { // some hour within the store's first 600 days
		at := origin.Add(time.Duration(n%(600*24)) * time.Hour)
		from, to := at.Format(time.RFC3339), at.Add(24*time.Hour).Format(time.RFC3339)
		return fmt.Sprintf(path, from, to)
	}
	body, err := fetch(ours.addr, day(5000))
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "static")
	if err := os.WriteFile(file, body, 0o644); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	yardstick, err := start(ctx, self, "-static", file)
	if err != nil {
		return err
	}
	defer yardstick.stop()
	var repeated, fresh, static []float64
	for round := range rounds {
		for _, m := range []struct {
			to   *[]float64
			addr string
			path func(int) string
		}{
			{&static, yardstick.addr, func(int) string { return "/" }},
			{&repeated, ours.addr, func(int) string { return day(5000) }},
			{&fresh, ours.addr, func(n int) string { return day(round*3_000 + n*7) }},
		} {
			rate, err := closed(m.addr, m.path)
			if err != nil {
				return err
			}
			*m.to = append(*m.to, rate)
		}
	}
	s, r, n := median(static), median(repeated), median(fresh)
	fmt.Printf("%s (%d bytes)\n", name, len(body))
	fmt.Printf("  static   %8.0f requests/s\n", s)
	fmt.Printf("  repeated %8.0f requests/s  %.2f of static (target: at least 0.50)\n", r, r/s)
	fmt.Printf("  new      %8.0f requests/s  %.2f of static%s\n", n, n/s, target)
	return nil
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// server is a process that serves HTTP.
type server struct {
	cmd  *exec.Cmd
	addr string
}

// start runs a server that says its address behind "http=http://".
func start(ctx context.Context, bin string, args ...string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, bin, args...)}
	out, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; build it with make build", err)
	}
	text := ""
	for buf := make([]byte, 4096); !strings.Contains(text, "\n"); {
		n, err := out.Read(buf)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s did not start: %s", bin, text), s.cmd.Wait())
		}
		text += string(buf[:n])
	}
	_, rest, _ := strings.Cut(text, "http=http://")
	s.addr = strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0])
	return s, nil
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill() // it may be over
	_ = s.cmd.Wait()
}

// peak is the most memory that the process had, in KiB.
func (s *server) peak() int {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), "VmHWM:")
	n, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
	return n
}
