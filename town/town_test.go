package town

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/gateway"
	"sluice/policy/rego"
)

// TestMain lets the test binary be the rules' process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == gateway.RulesVerb {
		if rego.Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// screen is a writer that can be read while it is written to.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestTownInOneProcess runs every part in this process, where the race detector
// sees them, until yesterday has been replayed; then it stops and nothing stays.
func TestTownInOneProcess(t *testing.T) {
	// The noise library's logger has a goroutine of its own, from the start.
	defer goleak.VerifyNone(t, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out, problems screen
	town, err := Open(ctx, Options{
		Dir: filepath.Join(t.TempDir(), "town"), HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0", Admin: "127.0.0.1:0",
		JSON: true, Demo: true, Ephemeral: true, Out: &out, Err: &problems,
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- town.Run(ctx) }()
	deadline := time.Now().Add(5 * time.Minute)
	for ; !strings.Contains(out.String(), "replayed"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("yesterday is not replayed after five minutes")
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the town does not stop")
	}
	if problems.String() != "" {
		t.Errorf("it complained:\n%s", problems.String())
	}
}
