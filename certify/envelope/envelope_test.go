package envelope

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func TestRead(t *testing.T) {
	r := NewReader()
	for _, c := range []struct {
		name, payload string
		known         bool
		want          []Stamp // without keys and boots
	}{
		{"nothing", ``, false, nil},
		{"no JSON", `{"ts":`, false, nil},
		{"neither object nor array", `7`, false, nil},
		{"an empty array", `[]`, false, nil},
		{"all", `{"ts":"2026-11-23T09:59:58.5Z","seq":7,"boot":1,"fields":{"laeq":60}}`, true,
			[]Stamp{{Timed: true, UTC: true, Time: now.Add(-1500 * time.Millisecond), Sequenced: true, Seq: 7}}},
		{"another zone", `{"ts":"2026-11-23T11:00:00+01:00","fields":{}}`, true, []Stamp{{Timed: true, Time: now}}},
		{"a time that is none", `{"ts":"yesterday","seq":-1,"fields":{}}`, true, []Stamp{{}}},
		{"null", `{"ts":null,"seq":null}`, true, []Stamp{{}}},
		{"exact names", `{"TS":"2026-11-23T10:00:00Z","Seq":1}`, true, []Stamp{{}}},
		{"an array", `[{"seq":1},7,{"seq":2}]`, true,
			[]Stamp{{Sequenced: true, Seq: 1}, {}, {Sequenced: true, Seq: 2}}},
		{"SenML", `[{"bn":"urn:x","bt":1795428000,"n":"a","v":1},{"n":"b","v":2},{"n":"a","v":3,"t":60}]`, true,
			[]Stamp{{Timed: true, UTC: true, Time: time.Unix(1795428000, 0).UTC()},
				{Timed: true, UTC: true, Time: time.Unix(1795428060, 0).UTC()}}},
		{"relative SenML", `[{"n":"a","v":1,"t":-5},{"n":"a","v":1,"t":9}]`, true,
			[]Stamp{{Timed: true, UTC: true, Time: now.Add(-5 * time.Second)}, {Timed: true, UTC: true, Time: now}}},
		{"SenML without time", `[{"n":"a","v":1}]`, true, []Stamp{{UTC: true}}},
	} {
		payload := []byte(c.payload)
		got, known := r.Read(payload, now)
		if string(payload) != c.payload { // it is still to be passed on
			t.Errorf("%s: it was changed into %s", c.name, payload)
		}
		if known != c.known || len(got) != len(c.want) {
			t.Errorf("%s: %v, %d readings", c.name, known, len(got))
			continue
		}
		for i, s := range got {
			if s.Key == 0 {
				t.Errorf("%s: no key", c.name)
			}
			if s.Key, s.Boot = 0, 0; s != c.want[i] {
				t.Errorf("%s: reading %d is %+v, want %+v", c.name, i, s, c.want[i])
			}
		}
	}
}

// TestCBOR: a message in CBOR has the stamps of the same in JSON, and other keys only where the bytes tell.
func TestCBOR(t *testing.T) {
	ts := now.Format(time.RFC3339)
	for name, c := range map[string]struct {
		value any
		want  []Stamp
	}{
		"one": {map[string]any{"ts": ts, "seq": 7, "boot": "a", "fields": map[string]any{"x": 1.5, "y": []byte{1}}},
			[]Stamp{{Timed: true, UTC: true, Time: now, Sequenced: true, Seq: 7}}},
		"a list": {[]any{map[string]any{"seq": 1, "fields": map[string]any{"x": math.NaN()}},
			map[string]any{"seq": "2"}},
			[]Stamp{{Sequenced: true, Seq: 1}, {}}},
		"SenML": {[]any{map[int]any{-2: "urn:x", -3: 1795428000, 0: "a", 2: 1}, map[int]any{0: "a", 2: 1, 6: 60}},
			[]Stamp{{Timed: true, UTC: true, Time: time.Unix(1795428000, 0).UTC()},
				{Timed: true, UTC: true, Time: time.Unix(1795428060, 0).UTC()}}},
		"tagged": {cbor.Tag{Number: 55799, Content: map[string]any{"ts": cbor.Tag{Number: 0, Content: ts}}},
			[]Stamp{{Timed: true, UTC: true, Time: now}}},
	} {
		payload, err := cbor.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		got, known := NewReader().Read(payload, now)
		if !known || len(got) != len(c.want) {
			t.Errorf("%s: %v, %d readings", name, known, len(got))
			continue
		}
		for i, s := range got {
			if s.Key, s.Boot = 0, 0; s != c.want[i] {
				t.Errorf("%s: reading %d is %+v, want %+v", name, i, s, c.want[i])
			}
		}
	}
	for _, bad := range [][]byte{{0xa1}, {0xa2, 0x61, 'a', 1, 0x61, 'a', 2}, bytes.Repeat([]byte{0x81}, 100), {0x80}} {
		if _, known := NewReader().Read(bad, now); known {
			t.Errorf("% x is known", bad[:min(len(bad), 8)])
		}
	}
}

// TestKeys: keys are the same for what docs/wire.md calls the same reading.
func TestKeys(t *testing.T) {
	r := NewReader()
	key := func(payload string, place int) uint64 {
		t.Helper()
		s, known := r.Read([]byte(payload), now)
		if !known || len(s) <= place {
			t.Fatalf("%s is not read", payload)
		}
		return s[place].Key
	}
	const one = `{"ts":"2026-11-23T10:00:00Z","seq":1,"boot":"a","fields":{"laeq":1}}`
	for _, c := range []struct {
		name, a, b string
		place      int
		same       bool
	}{
		{"in another message", one, `[{"seq":9},` + one + `]`, 1, true},
		{"another seq", one, `{"ts":"2026-11-23T10:00:00Z","seq":2,"boot":"a"}`, 0, false},
		{"another time", one, `{"ts":"2026-11-23T10:00:01Z","seq":1,"boot":"a"}`, 0, false},
		{"another boot", one, `{"ts":"2026-11-23T10:00:00Z","seq":1,"boot":"b"}`, 0, false},
		{"without seq, the message", `{"fields":{"laeq":1}}`, `{"fields":{"laeq":1}}`, 0, true},
		{"without seq, another message", `{"fields":{"laeq":1}}`, `{"fields":{"laeq":2}}`, 0, false},
	} {
		if (key(c.a, 0) == key(c.b, c.place)) != c.same {
			t.Errorf("%s: want the same key: %v", c.name, c.same)
		}
	}
	if key(`[{},{}]`, 0) == key(`[{},{}]`, 1) {
		t.Error("two readings of a message have one key")
	}
	if a, _ := NewReader().Read([]byte(one), now); a[0].Key == key(one, 0) {
		t.Error("two readers have the same key")
	}
}

func TestBeat(t *testing.T) {
	for payload, want := range map[string]time.Duration{
		`{"ts":"2026-11-23T10:00:00Z","every":"PT60S"}`: time.Minute, `{"every":"PT0S"}`: 0, `{"every":60}`: 0, `{}`: 0,
		`[]`: 0, ``: 0, `{"every":"P1D"}`: 24 * time.Hour,
	} {
		if got, ok := Beat([]byte(payload)); ok != (want > 0) || ok && got != want {
			t.Errorf("%s: %s, %v; want %s", payload, got, ok, want)
		}
	}
}

// FuzzRead: whatever a device sends, reading it ends, and finds no more readings than there may be.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"ts":"2026-11-23T10:00:00Z","seq":1}`, `[{"bn":"x","bt":1e300,"n":"a","v":1}]`,
		`[{"n":"a","v":1,"t":-1e308},{"n":"a","vb":true}]`, `[[[[`, `{"every":"PT1M"}`} {
		f.Add([]byte(seed))
	}
	f.Add([]byte("\xa2\x62ts\x6a2026-11-23\x63seq\x07"))
	f.Add([]byte("\x82\xa2\x00\x61a\x02\x01\xa1\x06\xf9\x7e\x00"))
	r := NewReader()
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, known := r.Read(payload, now)
		if len(s) > maxReadings || !known && s != nil {
			t.Errorf("%d readings, %v", len(s), known)
		}
		Beat(payload)
	})
}
