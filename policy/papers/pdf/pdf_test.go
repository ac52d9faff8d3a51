package pdf

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/program"
)

// browser puts a program in the place of the only browser, and temporary files into a directory of
// the test's, which is returned.
func browser(t *testing.T, script string) (temporary string) {
	t.Helper()
	path := t.TempDir()
	t.Setenv("PATH", path)
	temporary = t.TempDir()
	t.Setenv("TMPDIR", temporary)
	if script == "" {
		return temporary
	}
	if err := program.Write(filepath.Join(path, "chromium"), []byte("#!/bin/sh\n"+script)); err != nil {
		t.Fatal(err)
	}
	return temporary
}

// empty: nothing is left of what the browser had on disk.
func empty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

const page = "<!doctype html><title>x</title><h1>Moció</h1><p>Text</p>"

// TestNoBrowser: where nothing prints, and where what is there does not, the error says which.
func TestNoBrowser(t *testing.T) {
	browser(t, "")
	if _, err := Print(t.Context(), []byte(page)); !errors.Is(err, ErrNoBrowser) {
		t.Errorf("no browser: %v", err)
	}
	var failed *Failed
	for name, script := range map[string]string{
		"fails":            "exit 1",
		"an empty file":    `for a; do case $a in --print-to-pdf=*) : > "${a#*=}";; esac; done`,
		"a long file":      `for a; do case $a in --print-to-pdf=*) /usr/bin/truncate -s 33M "${a#*=}";; esac; done`,
		"a name of ours":   `test "${0##*/}" = chromium || exit 0; exit 2`,
		"ends by a signal": "kill -9 $$",
	} {
		temporary := browser(t, script)
		if _, err := Print(t.Context(), []byte(page)); !errors.As(err, &failed) || failed.Browser != "chromium" {
			t.Errorf("%s: %v", name, err)
		}
		empty(t, temporary)
	}
}

// TestABrowserThatHangs ends when it is not waited for any more, with all that it has begun, and
// leaves nothing.
func TestABrowserThatHangs(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	temporary := browser(t, "/bin/sleep 1000 & echo $! > "+told+"\nwait\n")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := Print(ctx, []byte(page))
		ended <- err
	}()
	var child int
	for child == 0 {
		raw, _ := os.ReadFile(told)
		child, _ = strconv.Atoi(strings.TrimSpace(string(raw)))
		time.Sleep(time.Millisecond)
	}
	stop()
	var failed *Failed
	if err := <-ended; !errors.As(err, &failed) {
		t.Errorf("it says %v", err)
	}
	for syscall.Kill(child, 0) == nil { // a zombie is taken by whoever is process 1
		if raw, _ := os.ReadFile("/proc/" + strconv.Itoa(child) + "/stat"); bytes.Contains(raw, []byte(") Z ")) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	empty(t, temporary)
}

// TestARealBrowserPrints: a tagged PDF, and nothing left of it on disk, however long the name of the directory for
// temporary files is.
func TestARealBrowserPrints(t *testing.T) {
	if _, err := Browser(); err != nil {
		t.Skip(err)
	}
	short := t.TempDir()
	long := filepath.Join(short, strings.Repeat("long", 20))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{long, short} {
		t.Setenv("TMPDIR", dir)
		raw, err := Print(t.Context(), []byte(page))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(raw, []byte("%PDF-")) || !bytes.Contains(raw, []byte("/StructTreeRoot")) {
			t.Errorf("%.100q is no tagged PDF", raw)
		}
		empty(t, dir)
		_ = os.Remove(long) // it is empty
	}
}
