package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/register"
)

// moved opens what a town has, which has ended.
func moved(t interface{ Fatal(...any) }, v *town) *Move {
	reg, err := register.Parse("register.yaml", []byte(townSensors))
	if err != nil {
		t.Fatal(err)
	}
	m, err := OpenMove(Config{
		Dir: filepath.Join(v.dir, "checkpoint"), Keys: filepath.Join(v.dir, "keys"), Register: reg, Future: time.Minute,
		Now: func() time.Time { return v.now }, Log: slog.New(slog.DiscardHandler),
	}, []Version{townVersion(t, reg)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// attempts move it into partitions, by so many attempts that die in the middle.
func (m *Move) attempts(t interface{ Fatal(...any) }, logs *memoryLogs, of int, deaths []int) {
	for _, left := range deaths {
		logs.left = left
		err := m.Into(context.Background(), of, memoryKeys{}, stateOf{logs})
		if err != nil && !errors.Is(err, errDead) {
			t.Fatal(err)
		}
		logs.left = 0
	}
	if err := m.Into(context.Background(), of, memoryKeys{}, stateOf{logs}); err != nil {
		t.Fatal(err)
	}
}

// TestAMovedTownComesToTheSame: an afternoon of which the first part goes through one process and the rest, from any
// moment on, through a front and the owners of partitions, comes to the numbers of one process, whatever was open, and
// however often the move was begun.
func TestAMovedTownComesToTheSame(t *testing.T) {
	fewer(t)
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
		if err != nil {
			t.Skip("there is no /dev/shm here")
		}
		defer os.RemoveAll(dir)
		log := slices.DeleteFunc(drawLog(r), func(e event) bool { return e.restart })
		log = append(log, event{tick: 23 * time.Hour}, event{tick: 26 * time.Hour})
		at := rapid.IntRange(0, len(log)-2).Draw(r, "moves")
		for n := range log {
			r.Logf("%d: %+v", n, log[n])
		}
		whole := newTown(r, filepath.Join(dir, "whole"))
		for n, e := range log {
			if n == at {
				whole.live(event{restart: true}) // by which it forgets of heartbeats what lies ahead
			}
			whole.live(e)
		}
		whole.end()

		alone := newTown(r, filepath.Join(dir, "moved"))
		for _, e := range log[:at] {
			alone.live(e)
		}
		alone.end()
		of := rapid.SampledFrom([]int{1, 2, 8}).Draw(r, "partitions")
		logs := newLogs()
		m := moved(r, alone)
		items, err := m.Keys(context.Background(), memoryKeys{})
		if err != nil {
			r.Fatal(err)
		}
		m.attempts(r, logs, of, rapid.SliceOfN(rapid.IntRange(1, 2*of+1), 0, 3).Draw(r, "deaths"))
		if err := m.Forget(); err != nil {
			r.Fatal(err)
		}
		keys := make(Moved)
		keys.ReadMoved(items)
		front := &town{t: r, dir: alone.dir, now: alone.now, w: alone.w, out: alone.out, done: alone.done,
			numbers: alone.numbers, counts: alone.counts, parts: alone.parts, shown: alone.shown, epochs: alone.epochs,
			told:  alone.told,
			front: &Front{Name: "front", Partitions: of, Keys: memoryKeys{}, Out: logs, Moved: keys}}
		front.open()
		if n := len(front.i.windows.streams["noisy"].windows); n != 0 || len(front.i.journal.keys.Names()) != 0 {
			r.Fatalf("the front has %d windows and keys of %v", n, front.i.journal.keys.Names())
		}
		for _, e := range log[at:] {
			front.live(e)
		}
		front.end()
		for p := range of {
			logs.owner(front, p, memoryKeys{}).takeEach(r, logs)
		}
		for name := range alone.numbers { // before it moved
			delete(whole.numbers, name)
		}
		logs.compare(r, whole, of)
		if f := &front.i.account; f.missing(0) != 0 {
			r.Fatalf("%d readings are in nobody's account", f.missing(0))
		}
	})
}

func (o *Owner) takeEach(t interface{ Fatal(...any) }, logs *memoryLogs) {
	for e := range logs.Read(context.Background(), o.cfg.Partition, o.read+1) {
		if err := o.take(context.Background(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAMoveIntoACityThatCounts: where a machine has begun to count, nothing is moved.
func TestAMoveIntoACityThatCounts(t *testing.T) {
	front, logs := aCity(t, memoryKeys{})
	o := logs.owner(front, 0, memoryKeys{})
	o.takeAll(t, logs)
	if err := o.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	alone := newTown(t, inMemory(t))
	alone.end()
	err := moved(t, alone).Into(t.Context(), 1, memoryKeys{}, stateOf{logs})
	if !errors.Is(err, ErrBegun) {
		t.Error(err)
	}
}

// TestMovedKeys: an item opens with the key that it was sealed with, under its name, and nothing else does.
func TestMovedKeys(t *testing.T) {
	key, own := []byte("0123456789abcdef0123456789abcdef"), []byte("fedcba9876543210fedcba9876543210")
	items, err := appendMoved(nil, key, "w-0-s", own)
	if err != nil || len(items) != MovedItem {
		t.Fatal(len(items), err)
	}
	m := make(Moved)
	m.ReadMoved(append(items, 1, 2, 3))
	if got := m.of(key, "w-0-s"); string(got) != string(own) || len(m) != 1 {
		t.Errorf("it is %q of %d", got, len(m))
	}
	for _, other := range []string{"w-1-s", "e-0-s"} {
		if got := m.of(key, other); got != nil {
			t.Errorf("%s is %q", other, got)
		}
	}
	for label, item := range m {
		item[len(item)-1]++
		if got := m.of(key, "w-0-s"); got != nil {
			t.Error(fmt.Sprintf("%x", label), "opens although it was changed")
		}
	}
}
