package certify

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCommand: a restart ends all that the command has started, and the end leaves no password behind.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	c := &Command{Err: io.Discard, Line: `cp "$SLUICE_PASSWORD_FILE" ` + dir + `/seen; echo "$SLUICE_PASSWORD_FILE" > ` +
		dir + `/where; sleep 1000 & echo $! > ` + dir + `/new && mv ` + dir + `/new ` + dir + `/pid; wait`}
	entry := Entry{Addr: "127.0.0.1:1", User: "ear", Password: "secret"}
	if err := c.Connect(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	first := started(t, dir)
	if err := c.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := started(t, dir)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{first, second} {
		for begun := time.Now(); alive(pid); time.Sleep(10 * time.Millisecond) {
			if time.Since(begun) > 30*time.Second {
				t.Fatalf("%d still runs", pid)
			}
		}
	}
	if seen, err := os.ReadFile(filepath.Join(dir, "seen")); err != nil || string(seen) != "secret\n" {
		t.Errorf("the command finds %q (%v)", seen, err)
	}
	where, err := os.ReadFile(filepath.Join(dir, "where"))
	if _, gone := os.Stat(strings.TrimSpace(string(where))); err != nil || gone == nil {
		t.Error("the password is still there")
	}
}

// started is the number of the process that the command has started in the background.
func started(t *testing.T, dir string) int {
	t.Helper()
	path := filepath.Join(dir, "pid")
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if raw, err := os.ReadFile(path); err == nil {
			pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			return pid
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatal("the command does not start")
		}
	}
}

// alive reports whether a process runs; one that has ended and that nobody has asked after does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// TestPerson: a person is told an address that a device can reach, all else that it needs, and no more.
func TestPerson(t *testing.T) {
	var b strings.Builder
	p := Person{Out: &b}
	e := Entry{Addr: "127.0.0.1:1883", TLS: true, User: "ear", Password: "secret", Readings: "r", Beats: "h",
		FeedbackTopic: "f", HeartbeatsWanted: "PT5M"}
	if p.Connect(t.Context(), e) != nil || p.Restart(t.Context()) != nil {
		t.Fatal(b.String())
	}
	for _, part := range []string{"tls://127.0.0.1:1883\n", "User       ear\n", "secret  (shown this once)",
		"r, at QoS 1", "h  (its kind asks for one every PT5M)", "power away"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("there is no %q in\n%s", part, b.String())
		}
	}
	for _, addr := range []string{"0.0.0.0:1883", "[::]:1883"} {
		if s := servers("tcp", addr); !strings.HasPrefix(s, "tcp://") || !strings.HasSuffix(s, ":1883") {
			t.Errorf("%s is %s", addr, s)
		}
	}
}
