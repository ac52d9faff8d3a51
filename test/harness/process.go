package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Verb runs a verb that ends and returns its exit code and what it wrote.
func Verb(t *testing.T, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(Sluice, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// Stranger runs the checker that has none of our code.
func Stranger(t *testing.T, where string) (int, string) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Log("python3 is not here: the stranger's program is not run")
		return 0, "everything adds up; something is wrong"
	}
	cmd := exec.Command("python3", "../../docs/verify.py", where)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// Need skips the test, or fails it in CI, where a tool is missing.
func Need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", tool)
	} else if err != nil {
		t.Skipf("%s is not installed", tool)
	}
}

// Paths of the binaries, built once.
var Sluice, Firmware string

// scratch is a directory that lasts as long as a package's tests.
var scratch string

// Main builds the two programs and runs a package's tests; it is what their TestMain calls.
func Main(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "sluice-test-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(scratch)
	if err := programs(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	debug.SetGCPercent(400) // of this process: the programs that it starts collect garbage as they do for users
	go stood.watch()
	defer endShared()
	return m.Run()
}

// programs builds the two, unless make has done so for all packages and says where they are.
func programs() error {
	dir, made := os.LookupEnv("SLUICE_TEST_PROGRAMS")
	if !made {
		dir = scratch
		cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", dir, "sluice/cmd/sluice", "sluice/firmware-sim")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building the programs: %w\n%s", err, out)
		}
	}
	Sluice, Firmware = filepath.Join(dir, "sluice"), filepath.Join(dir, "firmware-sim")
	for _, program := range []string{Sluice, Firmware} {
		if _, err := os.Stat(program); err != nil {
			return fmt.Errorf("make has not built it: %w", err)
		}
	}
	return nil
}

// Output collects what a process writes and finds things in it.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Process is a running binary.
type Process struct {
	T        *testing.T
	Cmd      *exec.Cmd
	Out, Err Output
	Done     chan error
}

// Start starts a program, which ends with the test.
func Start(t *testing.T, bin string, args ...string) *Process {
	t.Helper()
	return StartWith(t, nil, bin, args...)
}

// StartWith adds to the environment.
func StartWith(t *testing.T, env []string, bin string, args ...string) *Process {
	t.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), env...)
	return Begin(t, bin, cmd, nil)
}

// StartAs starts a binary as another user, which takes root.
func StartAs(t *testing.T, uid uint32, bin string, args ...string) *Process {
	t.Helper()
	return Begin(t, bin, exec.Command(bin, args...), &syscall.Credential{Uid: uid, Gid: uid})
}

// Tail is the end of a long text.
func Tail(s string) string { return s[max(0, len(s)-4000):] }

// Find waits for a pattern in what the process writes and returns its groups.
func (p *Process) Find(pattern string) []string {
	p.T.Helper()
	re := regexp.MustCompile(pattern)
	var match []string
	Await(p.T, Patience, "the process to write "+pattern, func() bool {
		ended := p.Ended() // asked first: what it wrote last has been read by then
		match = re.FindStringSubmatch(p.Out.String() + p.Err.String())
		if ended && match == nil {
			p.T.Fatalf("the process ended without writing %s\n%s", pattern, Tail(p.Err.String()))
		}
		return match != nil
	})
	return match
}

// Ended reports whether the process is over.
func (p *Process) Ended() bool {
	select {
	case err := <-p.Done:
		p.Done <- err
		return true
	default:
		return false
	}
}

// HasOpen reports whether the process has a file open whose name ends so.
func (p *Process) HasOpen(end string) bool {
	dir := fmt.Sprintf("/proc/%d/fd", p.Cmd.Process.Pid) // proc_pid_fd(5)
	list, _ := os.ReadDir(dir)
	return slices.ContainsFunc(list, func(e os.DirEntry) bool {
		name, err := os.Readlink(filepath.Join(dir, e.Name()))
		return err == nil && strings.HasSuffix(name, end)
	})
}

// Kill ends the process as a power cut would; it may be over already.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill()
	err := <-p.Done
	p.Done <- err
}

// Stop asks the process to end and returns its exit code; endsWell measures how long
// that takes.
func (p *Process) Stop(within time.Duration) int {
	p.T.Helper()
	if err := p.Cmd.Process.Signal(os.Interrupt); err != nil {
		p.T.Fatal(err)
	}
	select {
	case err := <-p.Done:
		p.Done <- err
	case <-time.After(max(within, Patience)):
		p.T.Fatal("the process does not stop")
	}
	return p.Cmd.ProcessState.ExitCode()
}

// Judged runs a verb over what somebody else has made: it may refuse, and must not
// fall, nor fill the terminal.
func Judged(t *testing.T, name string, raw []byte, args ...string) {
	t.Helper()
	code, said := Ends(t, Sluice, args...)
	if code > 4 || code < 0 || strings.Contains(said, "goroutine ") || strings.Contains(said, "a bug of ours") {
		t.Errorf("%s: %s ends with %d:\n%s\nthe file: %.2000q", name, strings.Join(args, " "), code, Tail(said), raw)
	}
	for line := range strings.Lines(said) {
		if len(line) > 1000 || strings.ContainsAny(line, "\x1b\x00") {
			t.Errorf("%s: a line of %d bytes: %.200q", name, len(line), line)
		}
	}
}

// Ends runs a verb that is over soon and returns its exit code and what it said.
func Ends(t *testing.T, bin string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command("timeout", append([]string{Limit(20 * time.Second), bin}, args...)...)
	out, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(out)
}

// ExitOf runs a verb and returns its exit code and what it says.
func ExitOf(t *testing.T, args ...string) (int, string) {
	t.Helper()
	out, err := exec.Command(Sluice, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

// Pub runs mosquitto_pub with a sensor's credentials, and returns what it says.
func Pub(t *testing.T, addr string, args ...string) (string, error) {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	out, err := exec.Command("timeout",
		append([]string{Limit(10 * time.Second), "mosquitto_pub", "-h", host, "-p", port, "-d"}, args...)...).
		CombinedOutput()
	return string(out), err
}
