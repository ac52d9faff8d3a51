// Package pdf has a page printed as PDF by a browser of this machine, with the headings and tables
// that a screen reader needs (tagged PDF, ISO 32000-2, section 14.8), which is why none of it is
// written here:
//
//	raw, err := pdf.Print(ctx, html)
//
// The browser is the first of four names on PATH, and gets a file and flags of ours: it finds no host
// on the network, and has a minute. What it needs on disk goes with it.
package pdf

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ErrNoBrowser says that none of the browsers that can do it is on this machine.
var ErrNoBrowser = errors.New("neither chromium nor Google Chrome is on this machine")

// Failed says that a browser, of this name, has not printed the page.
type Failed struct{ Browser string }

func (f *Failed) Error() string { return f.Browser + " did not print the page" }

var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

const (
	patience = time.Minute // for one page
	maxFile  = 32 << 20    // bytes of a PDF
)

// Browser is the path of the browser that would print; ErrNoBrowser where there is none.
func Browser() (string, error) {
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", ErrNoBrowser
}

// Print is an HTML page as PDF. The page must need no other file. The error is ErrNoBrowser, a
// *Failed, or one of the temporary directory.
func Print(ctx context.Context, page []byte) (raw []byte, err error) {
	browser, err := Browser()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sluice-pdf-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	from, to := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(from, page, 0o600); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := []string{"--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer",
		"--disable-extensions", "--disable-sync", "--disable-background-networking",
		"--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--print-to-pdf=" + to}
	if os.Geteuid() == 0 { // it refuses to run as root with its sandbox, and the page is ours
		args = append(args, "--no-sandbox")
	}
	run(ctx, browser, append(args, (&url.URL{Scheme: "file", Path: from}).String()))
	f, err := os.Open(to)
	if err != nil {
		return nil, &Failed{filepath.Base(browser)}
	}
	raw, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err := errors.Join(err, f.Close()); err != nil || len(raw) == 0 || len(raw) > maxFile {
		return nil, &Failed{filepath.Base(browser)}
	}
	return raw, nil
}

// longestTemp is how long, in bytes, the name of the directory for temporary files may be: chromium makes a directory
// in it, and a socket in that, and ends where the socket's name has more than 107 (unix(7)); some 45 are its own.
const longestTemp = 40

// run runs the browser to its end, or until ctx ends, and all that it has begun with it: a process
// that is left would write into the directory while that is removed. What counts is whether there
// is a file.
func run(ctx context.Context, browser string, args []string) {
	cmd := exec.CommandContext(ctx, browser, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if len(os.TempDir()) > longestTemp {
		cmd.Env = append(cmd.Environ(), "TMPDIR=/tmp")
	}
	all := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = all
	if cmd.Run(); cmd.Process != nil {
		_ = all()
	}
}
