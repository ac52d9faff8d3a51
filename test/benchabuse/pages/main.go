// Command pages measures what visitors of the open data notice while others do their
// worst: 1,000 connections of one address that are idle, send a header without an
// end, read nothing, or say nothing, against the real server on loopback. Visitors come
// from another address, and then from the same one; half of them keep their connection.
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
	"strconv"
	"strings"
	"time"
)

// Numbers of a run.
const (
	crowdSize = 1000
	rate      = 200 // requests a second
	span      = 8 * time.Second
	rogueHost = "127.0.0.1"
)

func main() {
	sluice := flag.String("sluice", "bin/sluice", "the binary to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *sluice)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sluice string) error {
	dir, err := os.MkdirTemp("", "sluice-bench-abuse-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := fill(ctx, dir); err != nil {
		return err
	}
	config := filepath.Join(dir, "opendata.yaml")
	if err := os.WriteFile(config, []byte("http: 127.0.0.1:0\nbooks: books\nstore: {sqlite: {path: store.db}}\n"),
		0o644); err != nil {
		return err
	}
	s, err := start(ctx, sluice, config)
	if err != nil {
		return err
	}
	defer s.stop()
	fmt.Printf("%d requests/s for %s each; p99 beside %d connections of %s should be within twice of calm\n", rate,
		span, crowdSize, rogueHost)
	for _, host := range []string{"127.0.0.2", rogueHost} {
		fmt.Printf("visitors from %s\n", host)
		for _, r := range rogues {
			calm, err := visit(s.addr, host) // just before, since the machine has moods
			if err != nil {
				return err
			}
			fmt.Printf("  calm          %s\n", calm)
			stop := r.gather(s.addr)
			beside, err := visit(s.addr, host)
			stop()
			if err != nil {
				return err
			}
			fmt.Printf("  %-13s %s, %.1f times calm\n", r.name, beside, beside.second.Seconds()/calm.second.Seconds())
		}
	}
	fmt.Printf("memory          %d MiB at most\n", s.peak()>>10)
	return nil
}

// server is the process that is measured.
type server struct {
	cmd  *exec.Cmd
	addr string
}

func start(ctx context.Context, bin, config string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, bin, "opendata", "-c", config)}
	out, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; build it with make build", err)
	}
	text := ""
	for buf := make([]byte, 4096); !strings.Contains(text, "http=http://"); {
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
