package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"sluice/test/raced"
)

// counted is what an owner that begins anew has, once it has read all.
func counted(t *testing.T, front *town, logs *memoryLogs) string {
	t.Helper()
	o := logs.owner(front, 0, memoryKeys{})
	o.takeAll(t, logs)
	if err := o.save(context.Background()); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(o.inner.windows.readings(), " readings")
	for _, id := range slices.Sorted(maps.Keys(o.inner.windows.streams)) {
		for _, w := range o.inner.windows.streams[id].windows {
			text += fmt.Sprintf("; %s: %+v", id, w.Sums(nil))
		}
	}
	return text
}

// four is what it is to have.
func four(t *testing.T) string {
	t.Helper()
	front, logs := aCity(t, memoryKeys{})
	return counted(t, front, logs)
}

// half has an owner die before it has written the last entry of a commit.
func half(t *testing.T) (*town, *memoryLogs) {
	t.Helper()
	front, logs := aCity(t, memoryKeys{})
	o := logs.owner(front, 0, memoryKeys{})
	o.state.most = 1 // so that each record has an entry of its own
	o.takeAll(t, logs)
	n := len(o.inner.windows.unsaved())
	logs.left = n + 1
	if err := o.save(context.Background()); !errors.Is(err, errDead) || n < 2 || len(logs.state[0]) != n {
		t.Fatalf("it has written %d entries: %v", len(logs.state[0]), err)
	}
	return front, logs
}

// TestACommitThatWasNotFinished: what an owner has written of a commit before it died counts nothing, since who comes
// next counts it again.
func TestACommitThatWasNotFinished(t *testing.T) {
	want := four(t)
	front, logs := half(t)
	for n := range 3 {
		if got := counted(t, front, logs); got != want {
			t.Errorf("owner %d after it has %s; want %s", n+1, got, want)
		}
	}
	front, logs = half(t) // and nobody else ends it
	after := logs.last
	logs.last++
	logs.state[0] = append(logs.state[0], Entry{logs.last, head(stateLast, after)})
	if got := counted(t, front, logs); got != want {
		t.Errorf("a commit that somebody else has ended: %s; want %s", got, want)
	}
}

// TestWhatIsNoState: entries that nobody of ours has written, or not there, change nothing of a partition's state.
func TestWhatIsNoState(t *testing.T) {
	raced.Skip(t)
	want := four(t)
	for name, forged := range map[string]func(genuine []byte, after uint64) []byte{
		"nothing":        func([]byte, uint64) []byte { return nil },
		"noise":          func([]byte, uint64) []byte { return []byte("noise that is long enough for a head") },
		"no section":     func(_ []byte, after uint64) []byte { return head(stateFirst|stateLast, after) },
		"an end":         func(_ []byte, after uint64) []byte { return head(stateLast, after) },
		"the same again": func(b []byte, _ uint64) []byte { return b },
		"moved":          func(b []byte, after uint64) []byte { return append(head(b[1], after), b[stateHead:]...) },
		"another place":  func(b []byte, _ uint64) []byte { c := slices.Clone(b); c[1] = stateFirst; return c },
		"a flipped bit":  func(b []byte, _ uint64) []byte { c := slices.Clone(b); c[len(c)-1] ^= 1; return c },
		"half of it":     func(b []byte, _ uint64) []byte { return b[:len(b)/2] },
		"an empty section": func(_ []byte, after uint64) []byte {
			return append(head(stateFirst|stateLast, after), make([]byte, 12)...)
		},
	} {
		front, logs := aCity(t, memoryKeys{})
		counted(t, front, logs)
		list := logs.state[0]
		genuine, last := list[len(list)-1].Body, list[len(list)-1].Seq
		logs.last++
		logs.state[0] = append(list, Entry{logs.last, forged(genuine, last)})
		for range 2 {
			if got := counted(t, front, logs); got != want {
				t.Errorf("%s: %s; want %s", name, got, want)
			}
		}
	}
}

// TestAnEarlierState: an entry that stood further ahead in the log is not the state of now.
func TestAnEarlierState(t *testing.T) {
	front, logs := aCity(t, memoryKeys{})
	counted(t, front, logs)
	early := logs.state[0][0].Body
	o := logs.owner(front, 0, memoryKeys{})
	o.epoch++
	if err := o.save(context.Background()); err != nil {
		t.Fatal(err)
	}
	logs.last++
	logs.state[0] = append(logs.state[0], Entry{logs.last, early})
	if again := logs.owner(front, 0, memoryKeys{}); again.epoch != o.epoch {
		t.Errorf("it is in epoch %d again, and was in %d", again.epoch, o.epoch)
	}
}

// head is that of an entry.
func head(place byte, after uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{stateForm, place}, after)
}
