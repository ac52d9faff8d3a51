package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// maxPage is how many bytes a page may be as it is sent, and first how many ms a slow phone may
// take to its first number.
const (
	maxPage = 80_000
	first   = 1000
)

// phone measures pages of the demo on a slow phone, by chromium, where that is installed.
func (b bench) phone(ctx context.Context, dir string) error {
	libraries := filepath.Join(".tools", "browser", "node_modules")
	chromium, err := exec.LookPath("chromium")
	if err == nil {
		_, err = os.Stat(filepath.Join(libraries, "playwright-core"))
	}
	if err == nil {
		libraries, err = filepath.Abs(libraries)
	}
	if err != nil {
		fmt.Println("a slow phone: not measured, chromium or its libraries are not installed (make tools)")
		return nil //nolint:nilerr // it is said
	}
	address, stop, err := b.demo(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	script := exec.CommandContext(ctx, "node", "phone.js", address, chromium, "/", "/streams/footfall",
		"/streams/noise")
	script.Dir, script.Env = filepath.Join("test", "browser"), append(os.Environ(), "NODE_PATH="+libraries)
	script.Stderr = os.Stderr
	out, err := script.Output()
	if err != nil {
		return err
	}
	fmt.Println("a slow phone (a processor 4 times slower, slow 4G, nothing in a cache)")
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		var path string
		var ms, alone, all int
		if _, err := fmt.Sscan(line, &path, &ms, &alone, &all); err != nil {
			return fmt.Errorf("it says %q: %w", line, err)
		}
		fmt.Printf("  %-17s its first number after %d ms (target: under %d), %d bytes (target: under %d), "+
			"%d with all it needs\n", path, ms, first, alone, maxPage, all)
	}
	return nil
}

// demo runs the example city until its past has been played.
func (b bench) demo(ctx context.Context, dir string) (address string, stop func(), err error) {
	c := exec.CommandContext(ctx, b.sluice, "up", "--demo", "--json", "--dir", dir, "--http", "127.0.0.1:0", "--mqtt",
		"127.0.0.1:0", "--admin", "127.0.0.1:0")
	out, err := c.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := c.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = c.Process.Kill() // it may be over
		_ = c.Wait()
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), `"opendata":"`); ok {
			address, _, _ = strings.Cut(rest, `"`)
		}
		if strings.Contains(lines.Text(), `"event":"replayed"`) {
			return address, stop, nil
		}
	}
	stop()
	return "", nil, errors.Join(errors.New("the demo has ended"), lines.Err())
}
