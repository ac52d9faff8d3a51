package ingest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/gateway/release"
)

// threeCommits is a city with three commits of an owner's state, with a device each; the entries of one are as long as
// given.
func threeCommits(t *testing.T, most int) (*town, *memoryLogs) {
	t.Helper()
	front, logs := aCity(t, memoryKeys{})
	o := logs.owner(front, 0, memoryKeys{})
	o.state.most = most
	for n := range 3 {
		front.live(event{sensor: "scan-b", records: []record{{"", fmt.Sprintf(
			`{"ts":"2026-03-02T12:01:00Z","seq":%d,"fields":{"device":"e%d","rssi":-50}}`, 10+n, n)}}})
		o.takeAll(t, logs)
		if err := o.save(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return front, logs
}

// lacking leaves out an entry.
func lacking(n int) func([]Entry) []Entry {
	return func(list []Entry) []Entry { return slices.Delete(slices.Clone(list), n, n+1) }
}

// TestAStateThatIsMisread: who reads something else than what was written begins again, and comes to the same.
func TestAStateThatIsMisread(t *testing.T) {
	for _, most := range []int{stateMost, 1} {
		front, logs := threeCommits(t, most)
		want := counted(t, front, logs)
		again := func(from int) func([]Entry) []Entry {
			return func(list []Entry) []Entry { return slices.Concat(list[:3], list[from:]) }
		}
		cases := map[string]func([]Entry) []Entry{"from the first again": again(0), "from the second again": again(1),
			"from the third again": again(2)}
		front, logs = threeCommits(t, most)
		for n := range len(logs.state[0]) - 1 {
			cases[fmt.Sprint("without entry ", n)] = lacking(n)
		}
		for name, misread := range cases {
			front, logs := threeCommits(t, most)
			times := 0
			logs.misread = func(list []Entry) []Entry {
				if times++; times > 2 {
					return list
				}
				return misread(list)
			}
			synctest.Test(t, func(t *testing.T) {
				if got := counted(t, front, logs); got != want {
					t.Errorf("%d bytes an entry, %s: %s; want %s", most, name, got, want)
				}
			})
		}
		front.end()
	}
}

// TestAStateThatLacksSomething: where an entry is lost for ever, or two stand behind the same one, what units spent
// is not known: windows of the epochs that have begun are gaps, for whoever owns the partition from then on.
func TestAStateThatLacksSomething(t *testing.T) {
	day := keyEpoch(noon)
	for name, lose := range map[string]func(l *memoryLogs){
		"the first is lost":  func(l *memoryLogs) { l.state[0] = lacking(0)(l.state[0]) },
		"the second is lost": func(l *memoryLogs) { l.state[0] = lacking(1)(l.state[0]) },
		"two stand behind the first": func(l *memoryLogs) { // of which who goes on has written the second
			other := Entry{l.state[0][0].Seq + 1, l.state[0][1].Body}
			l.state[0] = slices.Insert(l.state[0], 1, other)
		},
	} {
		front, logs := threeCommits(t, stateMost)
		lose(logs)
		synctest.Test(t, func(t *testing.T) {
			for n := range 2 {
				o := logs.owner(front, 0, memoryKeys{})
				if !o.torn[day] || !o.torn[day+1] || o.torn[day+2] || o.torn[day-1] {
					t.Errorf("%s, owner %d: days that are given up: %v", name, n, o.torn)
				}
				for _, s := range o.inner.windows.streams {
					for _, w := range s.windows {
						if !w.Lost {
							t.Errorf("%s, owner %d: %s is counted", name, n, w.name)
						}
					}
				}
				if err := o.save(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		})
		front.live(event{tick: 14 * time.Hour})
		logs.owner(front, 0, memoryKeys{}).takeAll(t, logs)
		for name, p := range logs.parts {
			if gapOf(p) != reasonPutBack {
				t.Errorf("%s: %s", name, inWords(p))
			}
		}
		if len(logs.parts) == 0 {
			t.Error("no window is closed")
		}
		front.end()
	}
}

// oneCommit is a city with one commit of an owner's state, and two fences behind it, the last of the next day. Before
// them is what nobody of ours wrote, where that is given.
func oneCommit(t *testing.T, noise bool) (*town, *memoryLogs) {
	t.Helper()
	front, logs := aCity(t, memoryKeys{})
	o := logs.owner(front, 0, memoryKeys{})
	o.takeAll(t, logs)
	if err := o.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if noise {
		logs.last++
		o.state.last = logs.last
		logs.state[0] = append(logs.state[0], Entry{logs.last, []byte("noise that is long enough for a head")})
	}
	for n := range int64(2) {
		if err := o.state.fence(t.Context(), o.epoch+n); err != nil {
			t.Fatal(err)
		}
	}
	return front, logs
}

// TestAStateWithoutACommit: who reads only what stands behind the one commit does not take the partition for a new one.
// It reads again; and where the commit is lost for ever, it says of no window that can have been open what it counts.
func TestAStateWithoutACommit(t *testing.T) {
	for _, noise := range []bool{false, true} {
		front, logs := oneCommit(t, noise)
		want := counted(t, front, logs)
		front.end()

		front, logs = oneCommit(t, noise)
		clear(logs.in) // the commit covers them, so they may have been dropped
		logs.misread = func(list []Entry) []Entry {
			logs.misread = nil
			return lacking(0)(list)
		}
		synctest.Test(t, func(t *testing.T) {
			if got := counted(t, front, logs); got != want {
				t.Errorf("noise %v, without the commit at first: %s; want %s", noise, got, want)
			}
		})
		front.end()

		front, logs = oneCommit(t, noise)
		logs.state[0] = lacking(0)(logs.state[0])
		front.live(event{tick: 14 * time.Hour})
		synctest.Test(t, func(t *testing.T) { logs.owner(front, 0, memoryKeys{}).takeAll(t, logs) })
		for name, p := range logs.parts {
			if gapOf(p) != reasonPutBack {
				t.Errorf("noise %v, without the commit for ever: of %s it says %s", noise, name, inWords(p))
			}
		}
		if len(logs.parts) == 0 {
			t.Errorf("noise %v: no window is closed", noise)
		}
		front.end()
	}
}

// TestTheLastWholeCommitStays, also where nothing of it is open any more and another one was begun behind it.
func TestTheLastWholeCommitStays(t *testing.T) {
	front, logs := aCity(t, memoryKeys{})
	defer front.end()
	o := logs.owner(front, 0, memoryKeys{})
	o.state.most = 1
	if err := o.save(t.Context()); err != nil { // facts, and nothing else
		t.Fatal(err)
	}
	whole := logs.state[0][0].Seq
	o.takeAll(t, logs)
	logs.left = 2
	if err := o.save(t.Context()); !errors.Is(err, errDead) || len(logs.state[0]) != 2 {
		t.Fatalf("%d entries: %v", len(logs.state[0]), err)
	}
	if logs.owner(front, 0, memoryKeys{}).trim(t.Context()); logs.state[0][0].Seq != whole {
		t.Error("what has been begun is there, and not what was finished")
	}
}

// TestWhoHasReadTooLittleSaysNothing: an owner reads the state; another one writes a later one and drops the batches
// that it covers; then a front has another process. Of the first one nothing is heard.
func TestWhoHasReadTooLittleSaysNothing(t *testing.T) {
	keys := memoryKeys{}
	logs := newLogs()
	front := newTown(t, filepath.Join(inMemory(t), "front"),
		&Front{Name: "front", Partitions: 1, Keys: keys, Out: logs})
	front.live(event{tick: 12*time.Hour + time.Minute})
	reading := func(hour, n int) {
		front.live(event{sensor: "scan-a", records: []record{{"", fmt.Sprintf(
			`{"ts":"2026-03-02T%d:01:00Z","seq":%d,"fields":{"device":"d","rssi":-50}}`, hour, n)}}})
	}
	reading(12, 1)
	early, late := logs.owner(front, 0, keys), logs.owner(front, 0, keys)
	late.takeAll(t, logs)
	if err := late.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	late.trim(t.Context())
	front.live(event{restart: true})
	front.live(event{tick: 13*time.Hour + time.Minute})
	reading(13, 2)
	front.live(event{tick: 15 * time.Hour})
	var err error
	for e := range logs.Read(t.Context(), 0, 1) {
		if err = early.take(t.Context(), e); err != nil {
			break
		}
	}
	if err == nil || len(logs.parts) > 0 {
		t.Errorf("who knows nothing of noon says %d parts: %v", len(logs.parts), err)
	}
	late.takeAll(t, logs)
	if len(logs.parts) == 0 {
		t.Error("nor does who knows of it")
	}
	front.end()
}

// inWords is what is said of a window.
func inWords(p release.Partial) string {
	of := reflect.ValueOf(p)
	text := fmt.Sprintf("%+v, gap %q", of.FieldByName("parts"), of.FieldByName("gap"))
	if e := of.FieldByName("epoch"); !e.IsNil() {
		text += fmt.Sprintf(", epoch %+v", e.Elem())
	}
	return text
}

// gapOf is why a part is none.
func gapOf(p release.Partial) string { return reflect.ValueOf(p).FieldByName("gap").String() }
