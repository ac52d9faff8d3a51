package duty_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/gateway/cluster/duty"
	"sluice/gateway/cluster/engine"
	"sluice/test/harness"
	"sluice/test/nats"
)

const frozenEnv = "SLUICE_TEST_ALONE"

func TestMain(m *testing.M) {
	if os.Getenv(frozenEnv) != "" {
		os.Exit(frozen())
	}
	os.Exit(m.Run())
}

var booksSpec = engine.Spec{Name: "BOOKS", Subjects: []string{"books"}, Replicas: 3, Forever: true}

// alone has a member write for as long as it has the duty, each entry behind the one that it wrote before. A process
// does not know that it was frozen, so it may write at any moment: this one does not look whether its time is over.
func alone(ctx context.Context, s engine.Config, name string, say func(string)) error {
	conn, err := engine.Dial(ctx, s)
	if err != nil {
		return err
	}
	defer conn.Close()
	bucket, err := conn.Bucket(ctx, "leases", ttl, 3)
	if err != nil {
		return err
	}
	log, err := conn.Open(ctx, booksSpec)
	if err != nil {
		return err
	}
	duty.New(bucket, name, slog.New(slog.DiscardHandler)).Alone(ctx, "releaser", func(held context.Context) error {
		last, err := log.Last(ctx, "books")
		for n := 0; err == nil; n++ {
			if last, err = log.Append(ctx, "books", last, fmt.Sprint(name, " ", n), []byte(name)); err == nil {
				say("wrote")
				time.Sleep(time.Millisecond)
			}
		}
		if errors.Is(err, engine.ErrFenced) {
			say("fenced")
		}
		<-held.Done() // and it has nothing to do any more
		return err
	})
	return nil
}

// frozen is what TestAloneIsFenced's other process does.
func frozen() int {
	parts := strings.Split(os.Getenv(frozenEnv), " ")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	err := alone(ctx, engine.Config{URLs: parts[2:], CA: parts[0], Credentials: parts[1]}, "one", func(what string) {
		fmt.Println(what)
		if what == "fenced" {
			cancel()
		}
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// TestAloneIsFenced: who has a duty alone, stands still for longer than its lease lives, and wakes while another one
// has it, writes nothing, although it looks at nothing before it writes.
func TestAloneIsFenced(t *testing.T) {
	s := nats.Start(t)
	reach := engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data, Patience: time.Minute}
	conn, err := engine.Dial(t.Context(), reach)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	log, err := conn.Open(t.Context(), booksSpec)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), frozenEnv+"="+strings.Join(append([]string{s.CA, s.Data}, s.URLs()...), " "))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	harness.Await(t, time.Minute, "one to write", func() bool {
		last, err := log.Last(t.Context(), "books")
		return err == nil && last > 20
	})
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	wrote, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		ended <- alone(ctx, reach, "two", func(string) {
			select {
			case wrote <- true:
			default:
			}
		})
	}()
	t.Cleanup(func() { stop(); <-ended })
	select {
	case <-wrote:
	case <-time.After(time.Minute):
		t.Fatal("nobody has taken over")
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(string(said), "fenced") {
		t.Fatalf("it ends with %v:\n%s", err, harness.Tail(string(said)))
	}
	var names []string
	for e, err := range log.Entries(t.Context(), "books", 1) {
		if err != nil {
			t.Fatal(err)
		}
		if n := len(names); n == 0 || names[n-1] != string(e.Body) {
			names = append(names, string(e.Body))
		}
	}
	if got := fmt.Sprint(names); got != "[one two]" {
		t.Errorf("they have written in turns: %s", got)
	}
}
