package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/test/harness"
	"sluice/test/nats"
)

// How much TestKills does; make torture does more.
var (
	appends = flag.Int("appends", 4_000, "entries that TestKills writes")
	kills   = flag.Int("kills", 2, "leaders that TestKills kills, before it kills all three")
)

// TestKills: eight writers, four that compare and append and four that put into a pipe, while the leaders of their logs
// are killed as a power cut would, and all three servers at once in the end. What was acknowledged is there, once, in
// each writer's order where it has one.
func TestKills(t *testing.T) {
	t.Parallel() // it mostly waits for elections
	s := nats.Start(t)
	conn := dial(t, s)
	l := books(t, conn)
	in, err := conn.Open(t.Context(), engine.Spec{Name: "IN", Subjects: []string{"in.*"}, Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	each := *appends / 8
	var acked atomic.Int64
	var writers sync.WaitGroup
	for w := range 4 {
		subject := fmt.Sprintf("books.%d", w)
		writers.Go(func() { appendAll(t, l, subject, each, &acked) })
		writers.Go(func() { putAll(t, in, w, each, &acked) })
	}
	ended := make(chan bool)
	go func() { writers.Wait(); close(ended) }()
	longest := disturb(t, s, &acked, int64(8*each), ended)
	<-ended
	t.Logf("%d acknowledged, longest silence %s", acked.Load(), longest)
	for w := range 4 {
		_, texts := bodies(t, l, fmt.Sprintf("books.%d", w))
		for i, text := range texts {
			if text != fmt.Sprint(i) {
				t.Fatalf("entry %d of writer %d is %q", i, w, text)
			}
		}
		if len(texts) != each {
			t.Errorf("writer %d has %d entries acknowledged, and %d are there", w, each, len(texts))
		}
	}
	_, texts := bodies(t, in, "in.0")
	times := map[string]int{}
	for _, text := range texts {
		times[text]++
	}
	for w := range 4 {
		for i := range each {
			if n := times[fmt.Sprintf("%d-%d", w, i)]; n != 1 {
				t.Errorf("entry %d of pipe %d is there %d times", i, w, n)
			}
		}
	}
}

func appendAll(t *testing.T, l *engine.Log, subject string, n int, acked *atomic.Int64) {
	last := uint64(0)
	for i := range n {
		seq, err := l.Append(t.Context(), subject, last, fmt.Sprint(i), fmt.Append(nil, i))
		if err != nil || seq <= last {
			t.Errorf("entry %d: %d after %d, %v", i, seq, last, err)
			return
		}
		last = seq
		acked.Add(1)
	}
}

func putAll(t *testing.T, l *engine.Log, w, n int, acked *atomic.Int64) {
	pipe, err := l.Pipe(engine.Limits{Entries: 64, Bytes: 1 << 20}, func(uint64) { acked.Add(1) })
	if err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan bool)
	go func() { _ = pipe.Run(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	for i := range n {
		id := fmt.Sprintf("%d-%d", w, i)
		if err := pipe.Put(ctx, "in.0", id, []byte(id)); err != nil {
			t.Error(err)
			return
		}
	}
	if err := pipe.Wait(ctx); err != nil {
		t.Error(err)
	}
}

// disturb kills a leader each time that a part of all has been acknowledged, and all three before the last part. It
// returns the longest time for which nothing was acknowledged after one.
func disturb(t *testing.T, s *nats.Servers, acked *atomic.Int64, all int64, ended <-chan bool) (longest time.Duration) {
	reach := func(n int64) {
		harness.Await(t, time.Minute, fmt.Sprintf("%d acknowledgements", n), func() bool {
			select {
			case <-ended:
				return true
			default:
				return acked.Load() >= n
			}
		})
	}
	for k := range *kills + 1 {
		reach(all * int64(k+1) / int64(*kills+2))
		down := []*nats.Node{s.Leader([]string{"BOOKS", "IN"}[k%2])}
		if k == *kills {
			down = s.Nodes[:]
		}
		for _, n := range down {
			n.Kill()
		}
		before, at := acked.Load(), time.Now()
		for _, n := range down {
			n.Start()
		}
		reach(before + 1)
		longest = max(longest, time.Since(at))
		s.Whole()
	}
	return longest
}

// TestTwoAway: with one server of three nothing is acknowledged, callers are told in time, and all goes on afterwards.
func TestTwoAway(t *testing.T) {
	t.Parallel()
	s := nats.Start(t)
	l := books(t, dial(t, s))
	last, err := l.Append(t.Context(), "books.a", 0, "1", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	hasty, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data,
		Patience: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer hasty.Close()
	short := books(t, hasty)
	s.Nodes[0].Kill()
	s.Nodes[1].Kill()
	at := time.Now()
	seq, err := short.Append(t.Context(), "books.a", last, "2", []byte("two"))
	if !errors.Is(err, engine.ErrAway) || seq != 0 || strings.Contains(err.Error(), "books") {
		t.Fatalf("one server of three acknowledges %d, %v", seq, err)
	}
	if took := time.Since(at); took > harness.Longer(14*time.Second) {
		t.Errorf("it takes %s to say so", took)
	}
	s.Nodes[0].Start()
	s.Nodes[1].Start()
	second, err := l.Append(t.Context(), "books.a", last, "2", []byte("two"))
	if err != nil {
		t.Fatal(err)
	}
	seqs, texts := bodies(t, l, "books.a")
	if fmt.Sprint(seqs, texts) != fmt.Sprint([]uint64{last, second}, []string{"one", "two"}) {
		t.Errorf("the log holds %v, %q", seqs, texts)
	}
}

// TestAlone: the leader is cut off from the others, and does not know. Who reaches only it has nothing acknowledged;
// who reaches the others goes on, and afterwards there is one log.
func TestAlone(t *testing.T) {
	t.Parallel()
	s := nats.Start(t)
	l := books(t, dial(t, s))
	last, err := l.Append(t.Context(), "books.a", 0, "1", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	leader := s.Leader("BOOKS")
	var others []string
	for _, n := range s.Nodes {
		if n != leader {
			others = append(others, "tls://"+n.Addr)
		}
	}
	there := books(t, dial(t, s, others...))
	lone, err := engine.Dial(t.Context(), engine.Config{URLs: []string{"tls://" + leader.Addr}, CA: s.CA,
		Credentials: s.Data, Patience: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer lone.Close()
	here := books(t, lone)
	s.Alone(leader, true)
	if seq, err := here.Append(t.Context(), "books.a", last, "2", []byte("lone")); !errors.Is(err, engine.ErrAway) {
		t.Fatalf("a leader alone acknowledges %d, %v", seq, err)
	}
	second, err := there.Append(t.Context(), "books.a", last, "2", []byte("two"))
	if err != nil {
		t.Fatal(err)
	}
	s.Alone(leader, false)
	s.Whole()
	if _, err := l.Append(t.Context(), "books.a", last, "2", []byte("lone")); !errors.Is(err, engine.ErrFenced) {
		t.Errorf("who was cut off writes afterwards: %v", err)
	}
	// Who was cut off may answer for a moment that nothing has come since; there is never anything else.
	whole := fmt.Sprint([]uint64{last, second}, []string{"one", "two"})
	behind := fmt.Sprint([]uint64{last}, []string{"one"})
	harness.Await(t, time.Minute, "one log", func() bool {
		seqs, texts := bodies(t, l, "books.a")
		is := fmt.Sprint(seqs, texts)
		if is != whole && is != behind {
			t.Fatalf("the log holds %s", is)
		}
		return is == whole
	})
}

// TestNoAnswer: entries that arrive, and whose acknowledgement does not, are there once, and known as one's own.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	s := nats.Start(t)
	direct := books(t, dial(t, s))
	cable := harness.NewCable(t, s.Nodes[0].Addr)
	conn := dial(t, s, "tls://"+cable.Addr())
	l := books(t, conn)
	// What nobody leads yet is refused at once, and without an answer would be offered too late.
	if _, err := l.Append(t.Context(), "books.b", 0, "0", []byte("led")); err != nil {
		t.Fatal(err)
	}
	there := func(n int) {
		harness.Await(t, time.Minute, fmt.Sprintf("%d entries", n), func() bool {
			seqs, _ := bodies(t, direct, "books.a")
			return len(seqs) == n
		})
	}
	type answer struct {
		seq uint64
		err error
	}
	answers := make(chan answer, 1)
	cable.Mute(true)
	go func() {
		seq, err := l.Append(t.Context(), "books.a", 0, "1", []byte("one"))
		answers <- answer{seq, err}
	}()
	there(1)
	cable.Mute(false)
	got := <-answers
	seqs, _ := bodies(t, direct, "books.a")
	if got.err != nil || len(seqs) != 1 || seqs[0] != got.seq {
		t.Fatalf("the entry is number %d, %v; the log holds %v", got.seq, got.err, seqs)
	}

	pipe, err := l.Pipe(engine.Limits{Entries: 10, Bytes: 1000}, func(uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pipe.Run(ctx) }()
	cable.Mute(true)
	for i := range 5 {
		if err := pipe.Put(ctx, "books.a", fmt.Sprint("p", i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	there(6)
	cable.Mute(false)
	if err := pipe.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	there(6)
	cancel()
	<-ended
}

// owner is what TestFrozen's other process does: it appends until it is fenced, and says which were acknowledged.
func owner() int {
	parts := strings.Split(os.Getenv("SLUICE_TEST_OWNER"), " ")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := engine.Dial(ctx, engine.Config{URLs: parts[2:], CA: parts[0], Credentials: parts[1]})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer conn.Close()
	l, err := conn.Open(ctx, engine.Spec{Name: "BOOKS", Subjects: []string{"books.*"}, Replicas: 3, Forever: true})
	for last, i := uint64(0), 0; err == nil; i++ {
		if last, err = l.Append(ctx, "books.a", last, fmt.Sprint("owner ", i), []byte("owner")); err == nil {
			fmt.Println("acked", last)
		}
	}
	fmt.Println(err)
	if errors.Is(err, engine.ErrFenced) {
		return 0
	}
	return 1
}

func TestMain(m *testing.M) {
	if os.Getenv("SLUICE_TEST_OWNER") != "" {
		os.Exit(owner())
	}
	os.Exit(m.Run())
}

// TestFrozen: an owner that stands still while another takes over writes nothing when it goes on.
func TestFrozen(t *testing.T) {
	s := nats.Start(t)
	l := books(t, dial(t, s))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SLUICE_TEST_OWNER="+strings.Join(append([]string{s.CA, s.Data}, s.URLs()...), " "))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	harness.Await(t, time.Minute, "the owner to write", func() bool {
		last, err := l.Last(t.Context(), "books.a")
		return err == nil && last > 20
	})
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var mine uint64
	for mine == 0 { // what it has sent may still arrive
		last, err := l.Last(t.Context(), "books.a")
		if err != nil {
			t.Fatal(err)
		}
		if mine, err = l.Append(t.Context(), "books.a", last, "successor", []byte("successor")); err != nil &&
			!errors.Is(err, engine.ErrFenced) {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(string(said), engine.ErrFenced.Error()) {
		t.Errorf("the owner ends with %v:\n%s", err, harness.Tail(string(said)))
	}
	seqs, texts := bodies(t, l, "books.a")
	if n := len(seqs); seqs[n-1] != mine || texts[n-1] != "successor" || strings.Count(string(said), "acked") != n-1 {
		t.Errorf("the log ends with %d, %q; the owner had %d of %d acknowledged", seqs[n-1], texts[n-1],
			strings.Count(string(said), "acked"), n-1)
	}
}
