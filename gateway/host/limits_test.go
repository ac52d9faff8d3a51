package host

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoMoreFiles: a process that can hardly open another file says so.
func TestNoMoreFiles(t *testing.T) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Skip(err)
	}
	if said := OpenFiles(); said != "" {
		t.Fatalf("with %d files it says %q", was.Cur, said)
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &was) }()
	for _, few := range []uint64{minFree + 2, 2} { // the second one does not even let it look
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: few, Max: was.Max}); err != nil {
			t.Skip(err)
		}
		if said := OpenFiles(); !strings.Contains(said, "raise LimitNOFILE=") {
			t.Errorf("with %d files it says %q", few, said)
		}
	}
}
