package fenced

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/program"
)

// Taken is a block in the hands of the test that runs it.
type Taken struct {
	Block
	t     testing.TB
	used  bool
	stand map[string]string // script by command
}

// Take takes the one block of a document that begins so; it is looked for in the
// first line. Both arguments are literals, since TestDocuments reads them in the
// test's source. It fails the test when there is no such block, more than one, or
// when the block was neither run (Bash) nor read (Read) by the end.
func Take(t testing.TB, file, begins string) *Taken {
	t.Helper()
	top, err := Top()
	if err != nil {
		t.Fatal(err)
	}
	all, err := Blocks(top, file)
	if err != nil {
		t.Fatal(err)
	}
	var found []Block
	for _, b := range all {
		if b.Begins(begins) {
			found = append(found, b)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks that begin with %q; a test takes one", file, len(found), begins)
	}
	return taken(t, found[0])
}

// All takes every block of a document, in its order, for a test that runs whatever
// stands there.
func All(t testing.TB, file string) []*Taken {
	t.Helper()
	top, err := Top()
	if err != nil {
		t.Fatal(err)
	}
	list, err := Blocks(top, file)
	if err != nil {
		t.Fatal(err)
	}
	var all []*Taken
	for _, b := range list {
		all = append(all, taken(t, b))
	}
	return all
}

func taken(t testing.TB, block Block) *Taken {
	b := &Taken{Block: block, t: t, stand: map[string]string{}}
	t.Cleanup(func() {
		if !b.used && !t.Failed() && !t.Skipped() {
			t.Errorf("%s was taken and not run", b.Block)
		}
	})
	return b
}

// Change replaces what is otherwise where the test runs, such as an address. What is
// replaced must be there: a change that changes nothing is out of date.
func (b *Taken) Change(from, to string) *Taken {
	b.t.Helper()
	if !strings.Contains(b.Text, from) {
		b.t.Errorf("%s: there is no %q in it any more", b.Block, from)
	}
	b.Text = strings.ReplaceAll(b.Text, from, to)
	return b
}

// StandIn puts a shell script in the place of a command that cannot be run where
// tests run. It gets the command's arguments and fails, with a status, where these are
// wrong. Why says what keeps the command itself from being run; the log has it.
func (b *Taken) StandIn(command, script, why string) *Taken {
	b.t.Helper()
	b.t.Logf("%s:%d: a stand-in for %s, since %s", b.File, b.Line, command, why)
	b.stand[command] = script
	return b
}

// Read gives the text to a test that does with it what its reader would.
func (b *Taken) Read() string {
	b.used = true
	return b.Text
}

// Bash runs the block in a directory as one script that ends at its first error, with
// more directories before PATH and more of an environment, and gives what it printed.
// What it starts in the background is ended. It has ten minutes.
func (b *Taken) Bash(dir string, path []string, env ...string) (string, error) {
	b.t.Helper()
	b.used = true
	bin := b.t.TempDir()
	for name, script := range b.stand {
		text := []byte("#!/bin/bash\nset -eu\n" + script + "\n")
		if err := program.Write(filepath.Join(bin, name), text); err != nil {
			b.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	script := "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + b.Text
	cmd := exec.CommandContext(ctx, "bash", "-c", script) //nolint:gosec // the document's own words
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	dirs := append(append([]string{bin}, path...), os.Getenv("PATH"))
	cmd.Env = append(append(os.Environ(), "PATH="+strings.Join(dirs, string(os.PathListSeparator))), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Run is Bash for a block that must succeed.
func (b *Taken) Run(dir string, path []string, env ...string) string {
	b.t.Helper()
	out, err := b.Bash(dir, path, env...)
	if err != nil {
		b.t.Errorf("%s: %v\n%s", b.Block, err, out[max(0, len(out)-4000):])
	}
	return out
}
