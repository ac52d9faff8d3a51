package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inMemory is a directory for a state directory and keys.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("there is no /dev/shm here")
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// brief runs a commit that may have to wait.
func (i *Ingest) brief() error {
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Millisecond)
	defer cancel()
	return i.commit(ctx)
}

const one = `{"ts":"2026-03-02T12:00:00Z","seq":%d,"fields":{"device":"d%d","rssi":-50}}`

// TestKeysMakeIntakeWait: while a window's key cannot be written its readings are not
// acknowledged, and not refused either; then they count, also after a kill.
func TestKeysMakeIntakeWait(t *testing.T) {
	dir := inMemory(t)
	stream := footfall(t, 2)
	i := awake(t, dir, stream)
	keys := filepath.Join(dir, "keys")
	if err := os.Rename(keys, keys+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keys, nil, 0o600); err != nil { // root cannot write there either
		t.Fatal(err)
	}
	i.hear(fmt.Sprintf(one, 1, 1))
	if len(i.account.Refused) > 0 {
		t.Errorf("refused: %v", i.account.Refused)
	}
	if err := i.brief(); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a commit without its key says %v; want that it waits", err)
	}
	i.reporter.publish()
	if p := i.Report().Problem; !strings.Contains(p, "keys cannot be written") {
		t.Errorf("the report says %q", p)
	}
	if err := os.Remove(keys); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(keys+".away", keys); err != nil {
		t.Fatal(err)
	}
	if err := i.brief(); err != nil {
		t.Fatal(err)
	}
	if p := i.Report().Problem; p != "" {
		t.Errorf("it is written, and the report says %q", p)
	}
	_ = i.journal.log.Close()
	i = awake(t, dir, stream)
	defer i.journal.log.Close()
	if n := open(i); n != 1 {
		t.Errorf("%d readings are open after a kill; want 1", n)
	}
}

// TestLostKeysAreWrittenAgain: whoever removes keys under a running gateway loses
// nobody's readings, at the next kill neither.
func TestLostKeysAreWrittenAgain(t *testing.T) {
	dir := inMemory(t)
	stream := footfall(t, 2)
	i := awake(t, dir, stream)
	i.hear(fmt.Sprintf(one, 1, 1))
	if err := i.brief(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	i.journal.tend()
	if err := i.brief(); err != nil {
		t.Fatal(err)
	}
	_ = i.journal.log.Close()
	i = awake(t, dir, stream)
	defer i.journal.log.Close()
	if n := open(i); n != 1 || len(i.windows.losses.names) > 0 {
		t.Errorf("%d readings are open after a kill, lost %v; want 1 and nothing", n, i.windows.losses.names)
	}
}

// TestAKeyThatLingers: a window whose key cannot be shredded is released all the same;
// it is said until the key is gone.
func TestAKeyThatLingers(t *testing.T) {
	dir := inMemory(t)
	i := awake(t, dir, footfall(t, 2))
	defer i.journal.log.Close()
	i.windows.beginStreams(noon)
	i.hear(fmt.Sprintf(one, 1, 1))
	if err := i.brief(); err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(dir, "keys", "w-*.key"))
	if err != nil || len(list) != 1 {
		t.Fatalf("keys %v, %v; want one", list, err)
	}
	if err := os.Remove(list[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(list[0], "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	w, keys := drain(t)
	if err := i.tick(context.Background(), w, noon.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := len(keys()); n != 1 {
		t.Errorf("%d windows were released; want 1", n)
	}
	if p := i.Report().Problem; p != keysUnremovable {
		t.Errorf("the report says %q", p)
	}
	if err := os.RemoveAll(list[0]); err != nil {
		t.Fatal(err)
	}
	i.journal.tend()
	if p := i.Report().Problem; p != "" {
		t.Errorf("the key is gone, and the report says %q", p)
	}
}
