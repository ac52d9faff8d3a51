package keys

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/roster"
)

// engineInMemory is a log and a channel, in memory. It keeps what passes over the channel, as an enemy would.
type engineInMemory struct {
	mu       sync.Mutex
	log      map[string][]engine.Entry
	away     bool // nobody answers, neither for the log nor on the channel
	unheard  bool // an entry is written, and its writer does not hear of it
	answer   map[int]func([]byte) []byte
	n        int
	passed   [][]byte
	instead  func(answers [][]byte) [][]byte // what an enemy makes of answers; nil for none
	appended int
}

func newEngine() *engineInMemory {
	return &engineInMemory{log: map[string][]engine.Entry{}, answer: map[int]func([]byte) []byte{}}
}

func (e *engineInMemory) Append(_ context.Context, subject string, expected uint64, id string, body []byte,
) (uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.away {
		return 0, fmt.Errorf("appending: %w", engine.ErrAway)
	}
	if uint64(len(e.log[subject])) != expected {
		if last := e.log[subject][len(e.log[subject])-1]; last.ID == id && bytes.Equal(last.Body, body) {
			return last.Seq, nil
		}
		return 0, fmt.Errorf("appending: %w", engine.ErrFenced)
	}
	seq := expected + 1
	e.log[subject] = append(e.log[subject], engine.Entry{Seq: seq, Subject: subject, ID: id, Body: bytes.Clone(body)})
	e.appended++
	if e.unheard {
		return 0, fmt.Errorf("appending: %w", engine.ErrAway)
	}
	return seq, nil
}

func (e *engineInMemory) Entries(_ context.Context, subject string, from uint64) iter.Seq2[engine.Entry, error] {
	return func(yield func(engine.Entry, error) bool) {
		e.mu.Lock()
		list, away := e.log[subject], e.away
		e.mu.Unlock()
		if away {
			yield(engine.Entry{}, fmt.Errorf("reading: %w", engine.ErrAway))
			return
		}
		for _, entry := range list {
			if entry.Seq >= from && !yield(entry, nil) {
				return
			}
		}
	}
}

func (e *engineInMemory) Answer(_ context.Context, _ string, answer func([]byte) []byte) (stop func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.n
	e.n++
	e.answer[n] = answer
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.answer, n)
	}, nil
}

func (e *engineInMemory) AskAll(_ context.Context, _ string, question []byte, take func([]byte) bool) error {
	var answers [][]byte
	e.mu.Lock()
	all := make([]func([]byte) []byte, 0, len(e.answer))
	for n := range e.n {
		if a, ok := e.answer[n]; ok && !e.away {
			all = append(all, a)
		}
	}
	e.mu.Unlock()
	for _, a := range all {
		if one := a(question); one != nil {
			answers = append(answers, one)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.instead != nil {
		answers = e.instead(answers)
	}
	e.passed = append(append(e.passed, question), answers...)
	if len(answers) == 0 {
		return fmt.Errorf("asking: %w", engine.ErrAway)
	}
	for _, one := range answers {
		if take(one) {
			break
		}
	}
	return nil
}

// city are members with one engine and one clock.
type city struct {
	t      testing.TB
	engine *engineInMemory
	roster *roster.Roster
	me     map[string]*roster.Me

	mu  sync.Mutex
	now time.Time // guarded by mu
}

const (
	partitions = 4
	today      = int64(20784)
)

var noon = time.Unix(today*86400+12*3600, 0).UTC()

// newCity has members by name and roles, such as f1:front.
func newCity(t testing.TB, members ...string) *city {
	t.Helper()
	c := &city{t: t, engine: newEngine(), me: map[string]*roster.Me{}, now: noon}
	text := "version: 1\nmembers:\n"
	for _, m := range members {
		name, roles, _ := strings.Cut(m, ":")
		private, line, err := roster.New(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.me[name], err = roster.NewMe(name, private); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("  - {name: %s, key: %s, roles: [%s]}\n", name, line, roles)
	}
	var err error
	if c.roster, err = roster.Parse("roster.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *city) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *city) at(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// ring opens a member's ring, and has it answer.
func (c *city) ring(name string, edit func(*Config)) *Ring {
	c.t.Helper()
	m, _ := c.roster.Member(name)
	cfg := Config{
		Me: c.me[name], Roster: func() *roster.Roster { return c.roster }, Channel: c.engine,
		Commitments: c.engine, Partitions: partitions, Keep: m.May(roster.Front), Tags: time.Hour,
		Opens: 24 * time.Hour, Ahead: 10 * time.Minute, Patience: time.Hour, Now: c.clock,
		Log: slog.New(slog.DiscardHandler),
	}
	if edit != nil {
		edit(&cfg)
	}
	r, err := Open(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.engine.Answer(c.t.Context(), subject, r.answer); err != nil {
		c.t.Fatal(err)
	}
	if err := r.restore(); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// get asks for a key and has the ring do what there is to do.
func (c *city) get(r *Ring, epoch int64, use string) ([]byte, error) {
	c.t.Helper()
	if k, err := r.Key(epoch, use); err == nil {
		return k, nil
	}
	r.tend(c.t.Context())
	return r.Key(epoch, use)
}

// must is get of what has to be there.
func (c *city) must(r *Ring, epoch int64, use string) []byte {
	c.t.Helper()
	k, err := c.get(r, epoch, use)
	if err != nil || len(k) != Size {
		c.t.Fatalf("%s has no key for %s: %v (%s)", r.c.Me.Name, use, err, r.Problem())
	}
	return k
}
