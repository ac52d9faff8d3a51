package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/gateway/release"
	"sluice/plan"
	"sluice/register"
)

// memoryKeys are keys of a city, of which some epochs are gone.
type memoryKeys map[int64]bool

func (k memoryKeys) Key(epoch int64, use string) ([]byte, error) {
	if k[epoch] {
		return nil, fs.ErrNotExist
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", epoch, use))
	return sum[:], nil
}

// memoryLogs are a city's logs, each in the order in which it was written.
type memoryLogs struct {
	in, state map[int][]Entry
	ids       map[string]bool
	last      uint64
	refuse    bool // what is put is lost, and said to be
	parts     map[string]release.Partial
	left      int // more than 0: the entry of a state with this number is not written any more
	// misread is what a reader takes the entries of a state for; nil for what they are.
	misread func([]Entry) []Entry
}

func newLogs() *memoryLogs {
	return &memoryLogs{in: make(map[int][]Entry), state: make(map[int][]Entry), ids: make(map[string]bool),
		parts: make(map[string]release.Partial)}
}

func (l *memoryLogs) Put(_ context.Context, _ int64, partition int, id string, body []byte) error {
	if l.ids[id] {
		return nil
	}
	l.ids[id] = true
	l.last++
	l.in[partition] = append(l.in[partition], Entry{l.last, slices.Clone(body)})
	return nil
}

func (l *memoryLogs) Wait(context.Context) error { return nil }

func (l *memoryLogs) Read(_ context.Context, partition int, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range l.in[partition] {
			if e.Seq >= from && !yield(e, nil) {
				return
			}
		}
	}
}

func (l *memoryLogs) Drop(_ context.Context, partition int, before uint64) error {
	l.in[partition] = entriesFrom(l.in[partition], before)
	return nil
}

var errDead = errors.New("it has died")

// entriesFrom are the entries from a place on.
func entriesFrom(list []Entry, before uint64) []Entry {
	return slices.DeleteFunc(slices.Clone(list), func(e Entry) bool { return e.Seq < before })
}

// stateOf are the logs as those of a state.
type stateOf struct{ *memoryLogs }

func (l stateOf) Drop(_ context.Context, partition int, before uint64) error {
	l.state[partition] = entriesFrom(l.state[partition], before)
	return nil
}

func (l *memoryLogs) Load(_ context.Context, partition int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		list := l.state[partition]
		if l.misread != nil {
			list = l.misread(list)
		}
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (l *memoryLogs) Append(_ context.Context, partition int, after uint64, _ string, body []byte) (uint64, error) {
	var last uint64
	if list := l.state[partition]; len(list) > 0 {
		last = list[len(list)-1].Seq
	}
	if last != after {
		return 0, fmt.Errorf("after %d is %d", after, last)
	}
	if l.left > 0 {
		if l.left--; l.left == 0 {
			return 0, errDead
		}
	}
	l.last++
	l.state[partition] = append(l.state[partition], Entry{l.last, slices.Clone(body)})
	return l.last, nil
}

// memoryParts is the memory of what partitions have handed over.
type memoryParts struct{ *memoryLogs }

func (l memoryParts) Put(_ context.Context, _ int64, partition int, p release.Partial) error {
	name := fmt.Sprintf("%d %s from %s", partition, p.Key().Stream, p.Key().Start.Format(time.TimeOnly))
	if old, there := l.parts[name]; there && !reflect.DeepEqual(old, p) {
		return fmt.Errorf("%s was something else before", name)
	}
	l.parts[name] = p
	return nil
}

// owner is the owner of a partition of a town.
func (l *memoryLogs) owner(v *town, partition int, keys Keys) *Owner {
	reg, err := register.Parse("register.yaml", []byte(townSensors))
	if err != nil {
		v.t.Fatal(err)
	}
	w, err := NewWorker(reg, []Version{townVersion(v.t, reg)}, slog.New(slog.DiscardHandler))
	if err != nil {
		v.t.Fatal(err)
	}
	o, err := w.Own(context.Background(), Owned{
		Partition: partition, Keys: keys, In: l, State: stateOf{l}, Parts: memoryParts{l}, Exact: true,
		Silence: time.Hour, CatchUp: time.Hour,
		Now: func() time.Time { return v.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return o
}

// TestPartitionsAddUpToOneProcess: the same afternoon through one process and through a front and
// the owners of its partitions, who die and begin again at any batch, comes to the same numbers.
func TestPartitionsAddUpToOneProcess(t *testing.T) {
	fewer(t)
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
		if err != nil {
			t.Skip("there is no /dev/shm here")
		}
		defer os.RemoveAll(dir)
		log := drawLog(r)
		log = append(log, event{tick: 23 * time.Hour}, event{tick: 26 * time.Hour})
		for n := range log {
			r.Logf("%d: %+v", n, log[n])
		}
		whole := newTown(r, filepath.Join(dir, "whole"))
		for _, e := range log {
			if !e.restart { // by which it would forget of heartbeats what lies ahead
				whole.live(e)
			}
		}
		whole.end()

		of := rapid.SampledFrom([]int{1, 2, 5}).Draw(r, "partitions")
		logs, keys := newLogs(), memoryKeys{}
		front := newTown(r, filepath.Join(dir, "front"), &Front{Name: "front", Partitions: of, Keys: keys, Out: logs})
		for _, e := range log {
			front.live(e)
		}
		front.end()
		all := make(map[int][]Entry)
		for p := range of {
			o := logs.owner(front, p, keys)
			all[p] = slices.Clone(logs.in[p])
			for n := range all[p] {
				if rapid.IntRange(0, 5).Draw(r, "dies") == 0 {
					o = logs.owner(front, p, keys) // without what it had not saved
				}
				for e := range logs.Read(context.Background(), p, o.read+1) {
					if err := o.take(context.Background(), e); err != nil {
						r.Fatal(err)
					}
					if rapid.IntRange(0, 3).Draw(r, "saves") == 0 {
						if err := o.save(context.Background()); err != nil {
							r.Fatal(err)
						}
						o.trimmed = time.Time{}
						o.trim(context.Background())
					}
					if e.Seq >= all[p][n].Seq {
						break
					}
				}
			}
		}
		logs.compare(r, whole, of)
		logs.accounted(r, front, all)
	})
}

// accounted looks that the partitions' account is what it would be if no owner had ever died, and that none of the
// front's readings is in it twice or not at all.
func (l *memoryLogs) accounted(t interface{ Fatalf(string, ...any) }, front *town, all map[int][]Entry) {
	report := func(l *memoryLogs) (sum Report) {
		for p := range all {
			o := l.owner(front, p, memoryKeys{})
			for e := range l.Read(context.Background(), p, o.read+1) {
				if err := o.take(context.Background(), e); err != nil {
					t.Fatalf("%v", err)
				}
			}
			if err := o.save(context.Background()); err != nil {
				t.Fatalf("%v", err)
			}
			sum = sum.Add(o.Report())
		}
		return sum
	}
	undisturbed := newLogs()
	undisturbed.in = all
	got, want := report(l), report(undisturbed)
	if got.Counted != want.Counted || got.Duplicate != want.Duplicate || got.Late != want.Late ||
		got.Open != want.Open || !maps.Equal(got.Refused, want.Refused) {
		t.Fatalf("the account of the partitions is %+v, and without deaths %+v", got, want)
	}
	f := &front.i.account
	missing := f.Counted - got.Counted - got.Duplicate - got.Late - got.Open
	for _, n := range got.Refused {
		missing -= n
	}
	if missing != 0 {
		t.Fatalf("%d of %d readings that were handed over are in nobody's account", missing, f.Counted)
	}
}

// compare adds up what partitions have of each window, and compares it with what one process had.
func (l *memoryLogs) compare(t interface{ Fatal(...any) }, whole *town, of int) {
	for name, want := range whole.numbers {
		var list []release.Partial
		for p := range of {
			part, there := l.parts[fmt.Sprint(p, " ", name)]
			if !there {
				t.Fatal(fmt.Sprintf("partition %d has nothing of %s", p, name))
			}
			list = append(list, part)
		}
		b, err := release.AddUp(list)
		if err != nil {
			t.Fatal(err)
		}
		if got := cellsOf(b); !reflect.DeepEqual(got, want) {
			t.Fatal(fmt.Sprintf("%s: the partitions have\n%+v\nand one process\n%+v", name, got, want))
		}
		if e := reflect.ValueOf(b).FieldByName("epoch"); !e.IsNil() {
			got := [2]int64{e.Elem().FieldByName("Units").Int(), e.Elem().FieldByName("Bounded").Int()}
			if got != whole.epochs[name] {
				t.Fatal(fmt.Sprintf("%s: the epoch has %v, and %v in one process", name, got, whole.epochs[name]))
			}
		}
	}
	if n := len(whole.numbers) * of; n != len(l.parts) {
		t.Fatal(fmt.Sprintf("%d parts; want %d", len(l.parts), n))
	}
}

// townVersion is the policy of a town.
func townVersion(t interface{ Fatal(...any) }, reg *register.Register) Version {
	fields := []register.Field{{Name: "device", Type: "string"}, {Name: "rssi", Type: "int", Valid: []float64{-115, 5}}}
	version := Version{
		Digest: "v", Location: time.UTC, Streams: townStreams(t), Plans: map[string][]plan.Plan{},
		Kinds: map[string]register.Kind{"scan": {Fields: fields},
			"meter": {Fields: fields, Units: []register.KindUnit{{Sensor: true, StandsFor: "home"}}}},
	}
	for _, s := range version.Streams {
		for _, one := range reg.Sensors {
			if (one.Kind == "meter") == s.Unit.Sensor && (one.ID == "count") == (s.ID == "nobody") {
				version.Plans[one.ID] = append(version.Plans[one.ID], plan.Plan{Stream: s, Zone: one.Zone})
			}
		}
	}
	return version
}
