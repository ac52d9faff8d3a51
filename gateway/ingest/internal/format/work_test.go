package format

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"sluice/register/preset"
)

// TestWorkIsOfTheSize: no message costs more than some times what it costs to parse it, however its
// keys, elements and pairs are laid out: the one goroutine would wait.
func TestWorkIsOfTheSize(t *testing.T) {
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
		return b.String()
	}
	elements := func(n int) string { return strings.TrimSuffix(strings.Repeat(`{},`, n), ",") }
	numbers := strings.TrimSuffix(strings.Repeat(`{"id":1,"value":2},`, 50_000), ",")
	various := strings.Builder{}
	for i := range 40_000 {
		fmt.Fprintf(&various, `{"id":%d,"value":%d},`, i, i)
	}
	const each = "each: /l\nts: [{pointer: /t, as: s}, {pointer: /u, as: s}]\nseq: /q\nboot: /b\n"
	const tables = "columns: {names: /c, rows: /l}\neach: /l\n"
	quoted := strings.Builder{}
	for i := range 40_000 {
		fmt.Fprintf(&quoted, `"c%d",`, i)
	}
	const pairs = "pairs: {list: /l, name: id, value: value}\n"
	for _, c := range []struct{ about, preset, payload string }{
		{"many keys around many elements", each, `{` + keys(60_000) + `"l":[` + elements(MaxReadings) + `]}`},
		{"many keys around lists in lists", "each: [/a, /l]\nts: [{pointer: /t, as: s}]\nseq: /q\n",
			`{"a":[{` + keys(60_000) + `"l":[` + elements(MaxReadings) + `]}]}`},
		{"many keys in a root around many elements", "each: /l\nroot: /v\n",
			`{"v":{` + keys(60_000) + `"z":0},"l":[` + elements(MaxReadings) + `]}`},
		{"many keys in a root around lists in lists", "each: [/a, /l]\nroot: /v\n",
			`{"a":[{"v":{` + keys(60_000) + `"z":0},"l":[` + elements(MaxReadings) + `]}]}`},
		{"many rows", tables, `{"c":["a","b"],"l":[` + strings.TrimSuffix(strings.Repeat(`[1,2],`, 100_000),
			",") + `]}`},
		{"many columns", tables, `{"c":[` + strings.TrimSuffix(quoted.String(), ",") + `],"l":[` +
			strings.TrimSuffix(strings.Repeat(`[1,2],`, 50_000), ",") + `]}`},
		{"many tables", tables, `[` + strings.TrimSuffix(strings.Repeat(`{"c":["a"],"l":[[1]]},`, 40_000), ",") + `]`},
		{"one pair again and again", pairs, `{"l":[` + numbers + `]}`},
		{"many pairs", pairs, `{"l":[` + strings.TrimSuffix(various.String(), ",") + `]}`},
		{"pairs of many elements", "each: /m\n" + pairs, `{"l":[` + strings.TrimSuffix(
			strings.Repeat(`{"id":7,"value":2},`, maxPairs), ",") + `],"m":[` + elements(MaxReadings) + `]}`},
	} {
		w := wrap(t, c.preset, "", map[string]string{"n": "/1", "f": "/2", "s": "/x/y", "b": "/3", "t": "/z"})
		in := Wrapped{Envelope: w.envelope, Shape: w.shape}
		var p fastjson.Parser
		begun := time.Now()
		for range 3 {
			if _, err := p.Parse(c.payload); err != nil {
				t.Fatal(err)
			}
		}
		bare := time.Since(begun) / 3
		d, sink := NewDecoder(), &mute{}
		begun = time.Now()
		if d.BeginWrapped([]byte(c.payload), in, received, sink) == preset.Reading {
			for d.Next(MaxReadings) {
			}
		}
		if took := time.Since(begun); took > 30*bare+50*time.Millisecond {
			t.Errorf("%s: %v, where parsing takes %v", c.about, took, bare)
		}
	}
}
