package format

import (
	"strings"
	"testing"

	"sluice/gateway/ingest/internal/reading"
	"sluice/register/preset"
)

// ofOne remembers the last values of one device; a reading that is not newer is late.
type ofOne map[int]struct {
	value float64
	at    int64
}

func (m ofOne) Last(field int, of *reading.Stamp) (float64, bool, bool) {
	was, known := m[field]
	return was.value, known, known && of.Time <= was.at
}

func (m ofOne) Keep(field int, value float64, of *reading.Stamp) {
	m[field] = struct {
		value float64
		at    int64
	}{value, of.Time}
}

// TestStates: a counter is what it has grown by, also where it was reset or went round; a change
// is of the state; and what has nothing to be compared with, or is older, is said.
func TestStates(t *testing.T) {
	for _, c := range []struct{ about, profile, values, want string }{
		{"a counter", "  n: {pointer: /v, counter: {}}\n", "5 7 7 12", "E307 n=2 n=0 n=5"},
		{"reset", "  n: {pointer: /v, counter: {}}\n", "5 100 3 4", "E307 n=95 n=3 n=1"},
		{"going round", "  n: {pointer: /v, counter: {wrap: 65536}}\n", "65530 65535 4 10", "E307 n=5 n=5 n=6"},
		{"reset, not round", "  n: {pointer: /v, counter: {wrap: 65536}}\n", "30000 4", "E307 n=4"},
		{"beyond its range", "  n: {pointer: /v, counter: {wrap: 100}}\n", "200 4", "E202 E307"},
		{"in another unit", "  f: {pointer: /v, counter: {}, unit: kWh, scale: 0.5}\n", "5 7", "E307 f=1000"},
		{"below nothing", "  n: {pointer: /v, counter: {}}\n", "5 -1 7", "E307 E200 n=2"},
		{"a change", "  b: {pointer: /v, change: true}\n", "true true false", "E307 b=false b=true"},
		{"a change of a word", "  b: {pointer: /v, change: true}\n", `"in" "in" "out" 7`, "E307 b=false b=true b=true"},
		{"no state", "  b: {pointer: /v, change: true}\n", `{} [1]`, "E101 E101"},
		{"no truth", "  n: {pointer: /v, change: true}\n", `1`, "E101"},
		{"what a refused reading has counted is in the next",
			"  n: {pointer: /v, counter: {}}\n  s: {pointer: /bad}\n", "5 -7 9", "E307 E101 n=4"},
		{"with others", "  n: {pointer: /v, counter: {}}\n  s: {pointer: /s}\n", "5 6", "s=x n=1,s=x"},
		{"a valid range is of the difference", "  t: {pointer: /x}\n  n: {pointer: /v, counter: {}}\n", "5000 5001",
			"E307 n=1"},
	} {
		w := wrap(t, "ts: [{pointer: /t, as: s}]\n", c.profile, nil, "", "Wh")
		w.shape.Limit(0, 0, 1000)
		memory, d := ofOne{}, NewDecoder()
		in := Wrapped{Envelope: w.envelope, Shape: w.shape, Memory: memory}
		send := func(at, v string) string {
			n := &notes{shape: w.shape}
			bad := ""
			if strings.HasPrefix(v, "-7") { // 7 in a reading whose other field is wrong
				v, bad = "7", `,"bad":[]`
			}
			if d.BeginWrapped([]byte(`{"t":`+at+`,"s":"x","v":`+v+bad+`}`), in, received, n) == preset.Reading {
				d.Next(1)
			}
			said := strings.Join(n.out, ";")
			if _, fields, ok := strings.Cut(said, " "); ok {
				return strings.ReplaceAll(fields, " ", ",")
			}
			code, _, _ := strings.Cut(said, "/")
			return code
		}
		var got []string
		for i, v := range strings.Fields(c.values) {
			got = append(got, send("177244560"+string(rune('1'+i)), v))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s gives %s; want %s", c.about, c.values, s, c.want)
		}
		if s := send("1772445601", "5"); !strings.Contains(c.want, "E101") && !strings.Contains(s, "s=x") &&
			s != "E303" {
			t.Errorf("%s: what is older is %s", c.about, s)
		}
	}
}
