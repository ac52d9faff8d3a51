package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/gateway/ingest/internal/intake"
	"sluice/test/raced"
	"sluice/test/stalls"
)

// scribe leaves a word on the stack of whoever asks it to, in hundreds of frames, and has the collector exchange that
// stack for a smaller one, if it does. It keeps the word only as what it becomes with another one.
type scribe struct{ masked, mask [16]byte }

func newScribe() *scribe {
	s := new(scribe)
	_, _ = rand.Read(s.masked[:])
	_, _ = rand.Read(s.mask[:])
	return s
}

func (s *scribe) write() {
	s.frames(300)
	runtime.GC()
	s.frames(100)
}

//go:noinline
func (s *scribe) frames(n int) byte {
	room := s.masked
	for i := range room {
		room[i] ^= s.mask[i]
	}
	if n > 0 {
		room[0] ^= s.frames(n - 1)
	}
	return room[n%len(room)]
}

// copies counts in all memory that the process may write the words that still have their second half.
func (s *scribe) copies(t *testing.T) (n int) {
	t.Helper()
	regions, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Skip(err)
	}
	defer mem.Close()
	const size = 1 << 20
	// What is read is put where the list does not have it yet.
	buf, err := unix.Mmap(-1, 0, size+8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(buf)
	word := buf[size:]
	for i := range word {
		word[i] = s.masked[8+i] ^ s.mask[8+i]
	}
	for line := range strings.Lines(string(regions)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || mode[1] != 'w' {
			continue
		}
		for ; from < to; from += size {
			got, _ := mem.ReadAt(buf[:min(size, to-from)], from)
			n += bytes.Count(buf[:got], word)
		}
	}
	return n
}

// gone waits until there is no copy any more.
func (s *scribe) gone(t *testing.T) {
	t.Helper()
	stalls.Until(t, 5*time.Second, "stacks to be overwritten", func() bool { return s.copies(t) == 0 })
}

// marked is a way in that leaves words on the stack of the engine, which tells it what is durable.
type marked struct {
	ears
	*scribe
}

func (m *marked) Ack(list []intake.Message) {
	m.write()
	m.ears.Ack(list)
}

// seen makes sure that copies are found where somebody leaves them. The race detector's own memory is terabytes, too
// many to be looked through.
func seen(t *testing.T) {
	t.Helper()
	raced.Skip(t)
	s := newScribe()
	if s.frames(300); s.copies(t) == 0 {
		t.Fatal("what this goroutine leaves is not found: this test sees nothing")
	}
}

// TestNothingStaysOnTheEnginesStack, nor on one that it had before.
func TestNothingStaysOnTheEnginesStack(t *testing.T) {
	seen(t)
	m := &marked{scribe: newScribe()}
	i := awake(t, inMemory(t), footfall(t, 2))
	i.sources.all = []source{m}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx, nil, nil) }()
	for n := range 5 {
		i.sources.queue.Put(t.Context(), intake.Message{Topic: "city/v1/o/a/up", Received: noon,
			Payload: fmt.Appendf(nil, `{"fields":{"device":"d%d","rssi":-50}}`, n)})
		stalls.Until(t, 20*time.Second, "an acknowledgement", func() bool { return m.acked.Load() > int64(n) })
		m.gone(t)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// markedKeys leave words on the stack of who asks for one.
type markedKeys struct {
	memoryKeys
	*scribe
}

func (k markedKeys) Key(epoch int64, use string) ([]byte, error) {
	k.write()
	return k.memoryKeys.Key(epoch, use)
}

// pausing is a log of which more may come.
type pausing struct {
	*memoryLogs
	read chan struct{}
}

func (p pausing) Read(ctx context.Context, partition int, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range p.memoryLogs.Read(ctx, partition, from) {
			if !yield(e, err) {
				return
			}
		}
		close(p.read)
		<-ctx.Done()
	}
}

// TestNothingStaysOnAnOwnersStack, while it goes on, of the keys that it has asked for.
func TestNothingStaysOnAnOwnersStack(t *testing.T) {
	seen(t)
	v, logs := aCity(t, memoryKeys{})
	k := markedKeys{memoryKeys{}, newScribe()}
	o := logs.owner(v, 0, k)
	in := pausing{logs, make(chan struct{})}
	o.cfg.In = in
	o.cfg.Now = func() time.Time { v.now = v.now.Add(2 * trimEvery); return v.now }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	<-in.read
	k.gone(t)
	if o.read == 0 {
		t.Error("it has read nothing")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
