package opendata

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestTheTerminalCloses: open data that is hung up ends as at SIGTERM, and takes with it what is temporary; what one
// that was killed has left goes with the next start, after an hour.
func TestTheTerminalCloses(t *testing.T) {
	t.Parallel()
	// What nohup(1) runs ignores it, and so does what that starts, but for what is asked for here.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{"sluice-archive-1": 2 * time.Hour, "sluice-archive-2": 0} {
		path := filepath.Join(dir, name)
		harness.NoError(t, os.Mkdir(path, 0o700))
		harness.Write(t, filepath.Join(path, "index.json"), "[]")
		harness.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-age)))
	}
	file := filepath.Join(t.TempDir(), "opendata.yaml")
	harness.Write(t, file,
		"http: 127.0.0.1:0\nbooks: "+t.TempDir()+"\nstore: {sqlite: {path: "+t.TempDir()+"/store.db}}\n")
	p := harness.StartWith(t, []string{"TMPDIR=" + dir}, harness.Sluice, "opendata", "-c", file)
	left := func() int {
		found, err := filepath.Glob(filepath.Join(dir, "sluice-archive-*"))
		harness.NoError(t, err)
		return len(found)
	}
	p.Find(`the archive's files are made again`)
	if _, err := os.Stat(filepath.Join(dir, "sluice-archive-1")); err == nil {
		t.Error("what a killed one has left stays")
	}
	if n := left(); n != 2 {
		t.Errorf("%d archives are there; want its own, and the one that may be beginning", n)
	}
	if code := hangUp(p); code != 0 || left() != 1 {
		t.Errorf("it ends with %d, and %d archives are there", code, left())
	}

	up := harness.Start(t, harness.Sluice, "up", "--allow-swap", "--dir", filepath.Join(t.TempDir(), "town"),
		"--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	up.Find(`Open data +http://`)
	if code := hangUp(up); code != 0 {
		t.Errorf("a town ends with %d", code)
	}
}

// hangUp closes a process's terminal, and returns its exit code.
func hangUp(p *harness.Process) int {
	p.T.Helper()
	harness.NoError(p.T, p.Cmd.Process.Signal(syscall.SIGHUP))
	harness.Await(p.T, 30*time.Second, "its end", p.Ended)
	return p.Cmd.ProcessState.ExitCode()
}
