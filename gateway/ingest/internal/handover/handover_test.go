package handover

import (
	"bytes"
	"crypto/cipher"
	"reflect"
	"slices"
	"testing"

	"sluice/gateway/ingest/internal/window"
)

var (
	key  = bytes.Repeat([]byte{7}, 32)
	head = Head{Epoch: 20784, Partition: 3, Life: Life{1, 2, 3}, Number: 9}
)

func seal(t testing.TB, h Head) cipher.AEAD {
	t.Helper()
	s, err := h.Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type told struct {
	window int
	told   bool
	entry  window.Entry
}

func all(t testing.TB, b *Batch) (out []told) {
	t.Helper()
	if err := b.Each(func(w int, is bool, e *window.Entry) { out = append(out, told{w, is, *e}) }); err != nil {
		t.Fatal(err)
	}
	return out
}

// example is a batch of everything that there can be.
func example() (*Builder, []told, []Window) {
	hour, next := Window{"footfall", "plan-1", 3600e9}, Window{"footfall", "plan-1", 7200e9}
	entries := []told{
		{0, true, window.Entry{Accounted: true, Sensor: 4711, Sequenced: true, Seq: 5, Time: 3601e9, Cell: 2,
			Unit: [16]byte{9}, Owner: 2}},
		{1, false, window.Entry{Sensor: 4711, Boot: 8, Untimed: true, Message: [16]byte{5}, Time: 7201e9,
			Has: 3, Values: [8]int64{-5, 1 << 60}}},
		{0, true, window.Entry{Alive: true, Sensor: 1}},
	}
	b := &Builder{Ends: true, Name: "front-1", Lapsed: []Life{{4}, {5}},
		Places: []Place{{"footfall", 3600e9}, {"noise", -1}},
		Gaps:   []Gap{{"noise", 0, "broker_away"}}, Heard: []uint64{7, 1 << 63}}
	windows := []Window{hour, next}
	for n := range entries {
		b.Add(windows[entries[n].window], entries[n].told, &entries[n].entry)
	}
	return b, entries, windows
}

// TestWhatIsSealedOpens, all of it, and as nothing else.
func TestWhatIsSealedOpens(t *testing.T) {
	b, entries, windows := example()
	want := *b
	raw := b.Append(nil, head, seal(t, head))
	if (len(raw)-headSize-16)%padTo != 0 {
		t.Errorf("%d bytes are sealed", len(raw))
	}
	if bytes.Contains(raw, []byte("footfall")) {
		t.Error("it can be read")
	}
	if !b.Empty() || b.Size() != 0 {
		t.Error("it is gathered still")
	}
	h, err := ReadHead(raw)
	if err != nil || h != head {
		t.Fatal(h, err)
	}
	got, err := Open(h, seal(t, h), raw)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Ends || got.Name != want.Name || !slices.Equal(got.Lapsed, want.Lapsed) ||
		!slices.Equal(got.Places, want.Places) || !slices.Equal(got.Gaps, want.Gaps) ||
		!slices.Equal(got.Heard, want.Heard) || !slices.Equal(got.Windows, windows) {
		t.Errorf("%+v", got)
	}
	if list := all(t, got); !reflect.DeepEqual(list, entries) {
		t.Errorf("%+v", list)
	}
	got.Forget()
	if len(all(t, got)) > 0 {
		t.Error("entries are left")
	}
}

// TestABatchOpensAsNoOther: not with another epoch, partition, life or number in its head, nor with a bit changed, nor
// cut off.
func TestABatchOpensAsNoOther(t *testing.T) {
	b, _, _ := example()
	raw := b.Append(nil, head, seal(t, head))
	for at := range headSize + 40 {
		other := slices.Clone(raw)
		other[at] ^= 1
		if h, err := ReadHead(other); err == nil {
			if _, err := Open(h, seal(t, h), other); err == nil {
				t.Errorf("it opens with byte %d changed", at)
			}
		}
	}
	for _, n := range []int{0, headSize - 1, headSize, headSize + 16, len(raw) - 1} {
		if _, err := Open(head, seal(t, head), raw[:n]); err == nil {
			t.Errorf("%d bytes open", n)
		}
	}
	if _, err := ReadHead(make([]byte, Most+1)); err == nil {
		t.Error("a head of what is too long")
	}
}

// TestLengthsSayLittle: a batch of nothing is as long as one of fifty readings.
func TestLengthsSayLittle(t *testing.T) {
	nothing := (&Builder{}).Append(nil, head, seal(t, head))
	b := &Builder{}
	for n := range 50 {
		b.Add(Window{"footfall", "plan-1", 0}, true, &window.Entry{Sequenced: true, Seq: uint64(n), Unit: [16]byte{1}})
	}
	if fifty := b.Append(nil, head, seal(t, head)); len(fifty) != len(nothing) {
		t.Errorf("%d and %d bytes", len(fifty), len(nothing))
	}
}

// FuzzRead: whatever is in an opened batch is read or refused, and what is read is handed out.
func FuzzRead(f *testing.F) {
	b, _, _ := example()
	f.Add(b.content(nil))
	f.Add([]byte{})
	f.Add((&Builder{}).content(nil))
	f.Fuzz(func(t *testing.T, content []byte) {
		b, err := read(head, content)
		if err != nil {
			return
		}
		again := Builder{Ends: b.Ends, Name: b.Name, Lapsed: b.Lapsed, Places: b.Places, Gaps: b.Gaps, Heard: b.Heard,
			windows: b.Windows}
		list := all(t, b)
		for n := range list {
			again.Add(b.Windows[list[n].window], list[n].told, &list[n].entry)
		}
		same, err := read(head, again.content(nil))
		if err != nil {
			t.Fatal(err)
		}
		if len(all(t, same)) != len(list) {
			t.Error("other entries")
		}
	})
}

// BenchmarkAdd is what an entry costs a front.
func BenchmarkAdd(b *testing.B) {
	var into Builder
	s := seal(b, head)
	var out []byte
	e := window.Entry{Sequenced: true, Seq: 1, Unit: [16]byte{1}}
	w := Window{"footfall", "plan-1", 0}
	b.ReportAllocs()
	for range b.N {
		if into.Add(w, true, &e); into.Size() > Full/100 {
			out = into.Append(out[:0], head, s)
		}
	}
}
