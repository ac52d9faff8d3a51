// Command benchhttp measures the open-data server over a store of a million rows,
// beside a static net/http handler of the same bytes, in the same run and with the
// same client: requests a second for repeated and for new queries, latency at 2,000
// requests a second of which nine in ten are repeated, and memory; the same of what tools
// read; how soon a window reaches all listeners; and how soon a slow phone shows a number.
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
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	sluice := flag.String("sluice", "bin/sluice", "the binary to measure")
	static := flag.String("static", "", "serve this file, as the yardstick does")
	rows := flag.Int("rows", 1_000_000, "rows in the store")
	only := flag.String("only", "", "measure this alone: queries, forms, listeners or phone")
	listeners := flag.Int("listeners", 5000, "listeners of /api/v1/live")
	rounds := flag.Int("rounds", 5, "rounds of two seconds for each")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *static != "" {
		err = serveStatic(ctx, *static)
	} else {
		err = run(ctx, bench{*sluice, *rows, *rounds, *listeners}, *only)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchhttp:", err)
		os.Exit(1)
	}
}

// bench is what is measured.
type bench struct {
	sluice                  string
	rows, rounds, listeners int
}

// run measures each part, or only one.
func run(ctx context.Context, b bench, only string) error {
	dir, err := os.MkdirTemp("", "sluice-bench-http-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Printf("load       %s before it began, on %d processors\n", strings.Fields(string(load))[0],
			runtime.NumCPU())
	}
	known := false
	for _, part := range []struct {
		name    string
		measure func(context.Context, string) error
	}{{"queries", b.queries}, {"forms", b.forms}, {"listeners", b.listen}, {"phone", b.phone}} {
		if only != "" && only != part.name {
			continue
		}
		known = true
		if err := part.measure(ctx, filepath.Join(dir, part.name)); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if !known {
		return fmt.Errorf("-only is queries, forms, listeners or phone, not %q", only)
	}
	return nil
}

// fill fills a store.
func (b bench) fill(ctx context.Context, dir string, rows int) error {
	begun := time.Now()
	if err := fill(ctx, dir, rows); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(dir, "store.db"))
	if err != nil {
		return err
	}
	fmt.Printf("store      %d rows, %d MiB, written in %.1f s\n", rows, info.Size()>>20, time.Since(begun).Seconds())
	return nil
}

// serve serves it.
func (b bench) serve(ctx context.Context, dir, config string) (*server, error) {
	file := filepath.Join(dir, "opendata.yaml")
	if err := os.WriteFile(file, []byte("http: 127.0.0.1:0\nbooks: books\nstore: {sqlite: {path: store.db}}\n"+config),
		0o644); err != nil {
		return nil, err
	}
	return start(ctx, b.sluice, "opendata", "-c", file)
}

// queries measures what is asked most, repeated and new, and memory.
func (b bench) queries(ctx context.Context, dir string) error {
	if err := b.fill(ctx, dir, b.rows); err != nil {
		return err
	}
	ours, err := b.serve(ctx, dir, "")
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
		if err := compare(ctx, dir, ours, x.name, x.path, x.target, b.rounds); err != nil {
			return err
		}
	}
	if err := latency(ours.addr); err != nil {
		return err
	}
	fmt.Printf("memory     %d MiB at most (target: under 128)\n", ours.peak()>>10)
	return nil
}

// gigabit is a line's bytes a second, in MB.
const gigabit = 125

// compare measures one sort of query, repeated and new, each beside the static
// handler, in turns, so that what disturbs one disturbs the other.
func compare(ctx context.Context, dir string, ours *server, name, path, target string, rounds int) error {
	day := func(n int) string { // some hour within the store's first 600 days
		if !strings.Contains(path, "%") { // there is one of it
			return path
		}
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
			if m.to == &fresh && !strings.Contains(path, "%") {
				continue
			}
			rate, err := closed(m.addr, m.path)
			if err != nil {
				return err
			}
			*m.to = append(*m.to, rate)
		}
	}
	s, r := median(static), median(repeated)
	fmt.Printf("%s (%d bytes)\n", name, len(body))
	fmt.Printf("  static   %8.0f requests/s\n", s)
	if len(fresh) == 0 { // a file, which is read from the disk each time
		fmt.Printf("  repeated %8.0f requests/s  %.2f of static, %.0f MB/s (target: at least %d)\n", r, r/s,
			r*float64(len(body))/1e6, gigabit)
		return nil
	}
	fmt.Printf("  repeated %8.0f requests/s  %.2f of static (target: at least 0.50)\n", r, r/s)
	n := median(fresh)
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

// spent is how much of a processor the process has had.
func (s *server) spent() time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ") // behind the name, which may hold anything
	f := strings.Fields(rest + strings.Repeat(" 0", 13))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * (time.Second / 100) // the kernel's ticks, on every Linux
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
