package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/test/harness"
	"sluice/test/nats"
)

// dial connects to the servers, as who may use the account for data.
func dial(t *testing.T, s *nats.Servers, urls ...string) *engine.Conn {
	t.Helper()
	if len(urls) == 0 {
		urls = s.URLs()
	}
	conn, err := engine.Dial(t.Context(), engine.Config{URLs: urls, CA: s.CA, Credentials: s.Data, Name: "test",
		Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// books is a log that nobody can delete from.
func books(t *testing.T, conn *engine.Conn) *engine.Log {
	t.Helper()
	l, err := conn.Open(t.Context(), engine.Spec{Name: "BOOKS", Subjects: []string{"books.*"}, Replicas: 3,
		Forever: true})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// bodies are what a subject holds, with its numbers.
func bodies(t *testing.T, l *engine.Log, subject string) (seqs []uint64, texts []string) {
	t.Helper()
	for e, err := range l.Entries(t.Context(), subject, 0) {
		if err != nil {
			t.Fatal(err)
		}
		seqs, texts = append(seqs, e.Seq), append(texts, string(e.Body))
	}
	return seqs, texts
}

// TestFence: each writer writes only where it has read, and a deposed one nothing.
func TestFence(t *testing.T) {
	s := nats.Start(t)
	ctx := t.Context()
	l, rival := books(t, dial(t, s)), books(t, dial(t, s))
	first, err := l.Append(ctx, "books.a", 0, "1", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rival.Append(ctx, "books.a", 0, "2", []byte("other")); !errors.Is(err, engine.ErrFenced) {
		t.Fatalf("who has read nothing writes: %v", err)
	}
	if again, err := l.Append(ctx, "books.a", 0, "1", []byte("one")); err != nil || again != first {
		t.Fatalf("the same entry again is number %d, and was %d: %v", again, first, err)
	}
	other, err := rival.Append(ctx, "books.b", 0, "1", []byte("one"))
	if err != nil || other <= first {
		t.Fatalf("another subject is fenced: %d, %v", other, err)
	}
	last, err := rival.Last(ctx, "books.a")
	if err != nil || last != first {
		t.Fatalf("the last is %d, and was %d: %v", last, first, err)
	}
	second, err := rival.Append(ctx, "books.a", last, "2", []byte("two"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(ctx, "books.a", first, "3", []byte("three")); !errors.Is(err, engine.ErrFenced) {
		t.Fatalf("a deposed writer writes: %v", err)
	}
	seqs, texts := bodies(t, l, "books.a")
	if fmt.Sprint(seqs, texts) != fmt.Sprint([]uint64{first, second}, []string{"one", "two"}) {
		t.Fatalf("the log holds %v, %q", seqs, texts)
	}
	if last, err := l.Last(ctx, "books.none"); err != nil || last != 0 {
		t.Fatalf("a subject without entries ends with %d: %v", last, err)
	}
	tooLong := make([]byte, engine.MaxEntry+1)
	if _, err := l.Append(ctx, "books.a", second, "4", tooLong); !errors.Is(err, engine.ErrRefused) {
		t.Fatalf("an entry that is too long: %v", err)
	}
	longest, err := l.Append(ctx, "books.a", second, "4", make([]byte, engine.MaxEntry))
	if err != nil || longest <= second {
		t.Fatalf("the longest entry: %v", err)
	}
}

// TestFollow: what is there comes in order, and then what comes.
func TestFollow(t *testing.T) {
	t.Parallel()
	s := nats.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := books(t, dial(t, s))
	last := uint64(0)
	write := func(from, to int) {
		for i := from; i < to; i++ {
			var err error
			if last, err = l.Append(t.Context(), "books.a", last, fmt.Sprint(i), fmt.Append(nil, i)); err != nil {
				t.Error(err)
				return
			}
		}
	}
	write(0, 300)
	written := make(chan bool)
	n := 0
	for e, err := range l.Follow(ctx, "books.a", 0) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			break
		}
		if string(e.Body) != fmt.Sprint(n) || e.ID != fmt.Sprint(n) {
			t.Fatalf("entry %d is %q, %q", n, e.ID, e.Body)
		}
		switch n++; n {
		case 300:
			go func() { write(300, 400); close(written) }()
		case 350:
			s.Leader("BOOKS").Kill()
		case 400:
			cancel()
		}
	}
	<-written
	if n != 400 {
		t.Fatalf("%d entries", n)
	}
}

// TestPipe: entries that are put are acknowledged in order, within the limits.
func TestPipe(t *testing.T) {
	s := nats.Start(t)
	conn := dial(t, s)
	l, err := conn.Open(t.Context(), engine.Spec{Name: "IN", Subjects: []string{"in.*"}, Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	acked := uint64(0)
	pipe, err := l.Pipe(engine.Limits{Entries: 16, Bytes: 1000}, func(n uint64) {
		if acked++; n != acked {
			t.Errorf("acknowledgement %d is of %d", acked, n)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// Before anybody takes acknowledgements the pipe holds its sender back.
	for i := range 10 {
		if err := pipe.Put(ctx, "in.0", fmt.Sprint(i), make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	soon, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	if err := pipe.Put(soon, "in.0", "x", []byte("x")); !errors.Is(err, engine.ErrAway) {
		t.Fatalf("more than may be in flight: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- pipe.Run(ctx) }()
	for i := 10; i < 500; i++ {
		if err := pipe.Put(ctx, "in.0", fmt.Sprint(i), make([]byte, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := pipe.Put(ctx, "in.0", "large", make([]byte, 5000)); err != nil {
		t.Fatal(err)
	}
	if err := pipe.Put(ctx, "in.0", "0", []byte("again")); err != nil {
		t.Fatal(err)
	}
	if err := pipe.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || acked != 502 {
		t.Fatalf("%d acknowledgements, %v", acked, err)
	}
	if err := pipe.Put(t.Context(), "in.0", "y", nil); err == nil {
		t.Error("a pipe that has ended takes more")
	}
	n := 0
	for e, err := range l.Entries(t.Context(), "in.0", 1) {
		if err != nil || n < 500 && e.ID != fmt.Sprint(n) {
			t.Fatalf("entry %d is %q: %v", n, e.ID, err)
		}
		n++
	}
	if n != 501 { // the repetition is none
		t.Errorf("%d entries", n)
	}
}

// TestDrop: what stands before an entry goes, the last one stays, and what is for ever stays.
func TestDrop(t *testing.T) {
	s := nats.Start(t)
	ctx := t.Context()
	conn := dial(t, s)
	state, err := conn.Open(ctx, engine.Spec{Name: "STATE", Subjects: []string{"state.*"}, Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	var seqs []uint64
	last := uint64(0)
	for i := range 6 {
		if last, err = state.Append(ctx, "state.0", last, fmt.Sprint(i), fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, last)
		if _, err := state.Append(ctx, "state.1", 0, "", nil); i == 0 && err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		before uint64
		want   string
	}{{0, "[0 1 2 3 4 5]"}, {seqs[2], "[2 3 4 5]"}, {last + 1000, "[5]"}} {
		if err := state.Drop(ctx, "state.0", c.before); err != nil {
			t.Fatal(err)
		}
		if _, texts := bodies(t, state, "state.0"); fmt.Sprint(texts) != c.want {
			t.Errorf("before %d: %v, want %s", c.before, texts, c.want)
		}
	}
	if last, err := state.Last(ctx, "state.1"); err != nil || last == 0 {
		t.Errorf("another subject's entry went: %d, %v", last, err)
	}
	if _, err := state.Append(ctx, "state.0", 0, "x", nil); !errors.Is(err, engine.ErrFenced) {
		t.Errorf("who has read nothing writes: %v", err)
	}
	if err := books(t, conn).Drop(ctx, "books.a", 1); !errors.Is(err, engine.ErrRefused) {
		t.Errorf("what is for ever is dropped: %v", err)
	}
	if _, err := conn.Open(ctx, engine.Spec{Name: "STATE", Subjects: []string{"state.*"}, Replicas: 1}); err == nil ||
		!strings.Contains(err.Error(), "replicas is 3 and not 1") {
		t.Errorf("a log that is otherwise: %v", err)
	}
}

// TestNothingKept: what passes between two in the account for keys is in no file of any server; an entry is, in most of
// them, as it was given: whoever appends seals it first.
func TestNothingKept(t *testing.T) {
	s := nats.Start(t)
	ctx := t.Context()
	keys := func(i int) *engine.Conn {
		conn, err := engine.Dial(ctx, engine.Config{URLs: []string{"tls://" + s.Nodes[i].Addr}, CA: s.CA,
			Credentials: s.Keys, Patience: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		return conn
	}
	const secret, entry = "canary-6f1e2c90-secret", "canary-6f1e2c90-entry"
	stop, err := keys(0).Answer(ctx, "keys.epoch", func(question []byte) []byte {
		if string(question) != secret+"?" {
			t.Errorf("the question is %q", question)
		}
		return []byte(secret + "!")
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	asks := keys(1)
	if days := time.Until(asks.Until()).Hours() / 24; days < 59 || days > 60 {
		t.Errorf("the server's certificate, of 60 days, ends in %v", days)
	}
	harness.Await(t, time.Minute, "an answer by another server", func() bool {
		answer, err := asks.Ask(ctx, "keys.epoch", []byte(secret+"?"))
		return err == nil && string(answer) == secret+"!"
	})
	if _, err := books(t, dial(t, s)).Append(ctx, "books.a", 0, "1", []byte(entry)); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, n := range s.Nodes {
		n.Stop() // what is in memory alone is written now, or never
		files, text := 0, ""
		err := filepath.WalkDir(n.Store, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			files, text = files+1, text+string(raw)
			return err
		})
		if err != nil || files == 0 || strings.Contains(text, secret) {
			t.Errorf("%s: a secret is in one of %d files: %v", n.Name, files, err)
		}
		if strings.Contains(text, entry) {
			kept++
		}
	}
	if kept < 2 { // one of three may not have had it yet when it was stopped
		t.Errorf("an entry is in the files of %d servers: the search finds nothing", kept)
	}
}

// TestLetIn: who has no key, or another account's servers, is told so at once.
func TestLetIn(t *testing.T) {
	s := nats.Start(t)
	stranger := filepath.Join(t.TempDir(), "stranger.nk")
	harness.WriteSecret(t, stranger, "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4\n")
	shown := filepath.Join(t.TempDir(), "shown.nk")
	harness.Write(t, shown, "SU")
	garbage := filepath.Join(t.TempDir(), "garbage.nk")
	harness.WriteSecret(t, garbage, "none\n")
	system := engine.Config{URLs: s.URLs(), Credentials: s.Data}
	for name, c := range map[string]struct {
		config engine.Config
		kind   error
		want   string
	}{
		"nobody": {engine.Config{URLs: s.URLs(), CA: s.CA}, engine.ErrRefused, "credentials"},
		"a stranger": {engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: stranger}, engine.ErrRefused,
			"credentials"},
		"other server": {system, engine.ErrRefused, "certificate"},
		"open to all":  {engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: shown}, nil, "chmod"},
		"no seed": {engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: garbage}, nil,
			"garbage.nk is no seed of a user"},
		"no ca": {engine.Config{URLs: s.URLs(), CA: garbage, Credentials: s.Data}, nil,
			"no certificate in PEM; copy"},
		"nobody there": {engine.Config{URLs: []string{"tls://127.0.0.1:9"}, CA: s.CA, Credentials: s.Data,
			Patience: time.Second}, engine.ErrAway, "no server"},
	} {
		conn, err := engine.Dial(t.Context(), c.config)
		if err == nil {
			conn.Close()
		}
		if err == nil || c.kind != nil && !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
