package format

import (
	"fmt"
	"strings"
	"testing"
)

const tables = "columns: {names: /names, rows: /rows}\neach: /rows\nts: [{pointer: /at, as: s}]\n"

// TestColumns: what stands by its place is found by the name of its column, and nothing else is.
func TestColumns(t *testing.T) {
	const profile = "  n: {pointer: /result}\n  s: {pointer: /who~1id}\n  f: {pointer: /0}\n"
	var many []string
	for i := range maxColumns + 1 {
		many = append(many, fmt.Sprintf("c%d", i))
	}
	wide := fmt.Sprintf(`["result","%s"]`, strings.Join(many[:maxColumns], `","`))
	for _, c := range []struct{ about, payload, want string }{
		{"in any order", `{"names":["at","result"],"rows":[[1772445601,7],[1772445602,8]]}`,
			"10:00:01 n=7; 10:00:02 n=8"},
		{"in any other", `{"rows":[[7,1772445601]],"names":["result","at"]}`, "10:00:01 n=7"},
		{"a name with a slash is one key", `{"names":["who/id","result"],"rows":[["x",7]]}`, "10:00:00? n=7 s=x"},
		{"what is around the table", `{"at":1772445603,"names":["result"],"rows":[[7]]}`, "10:00:03 n=7"},
		{"several tables", `[{"names":["result"],"rows":[[7]]},{"names":["x","result"],"rows":[[1,8]]}]`,
			"10:00:00? n=7; 10:00:00? n=8"},
		{"no place is a name", `{"names":["a"],"rows":[[7]]}`, "E102/-1"},
		{"too few", `{"names":["result","at"],"rows":[[7],[8,1772445601]]}`, "E102/-1; 10:00:01 n=8"},
		{"too many", `{"names":["result"],"rows":[[7,8]]}`, "E102/-1"},
		{"no row", `{"names":["result"],"rows":[7,{"result":7},null]}`, "E102/-1; E102/-1; E102/-1"},
		{"a name twice", `{"names":["result","result"],"rows":[[7,7]]}`, "E102/-1"},
		{"no names", `{"rows":[[7]]}`, "E102/-1"},
		{"names that are none", `{"names":["result",1],"rows":[[7,8]]}`, "E102/-1"},
		{"too many columns", `{"names":` + wide + `,"rows":[[` + strings.Repeat("7,", maxColumns) + `7]]}`, "E102/-1"},
		{"no rows", `{"names":["result"]}`, "E102/-7"},
		{"none at all", `[]`, "E102/-7"},
		{"no table", `[[[7]],7]`, "E102/-7; E102/-7"},
	} {
		if got := wrap(t, tables, profile, nil).decode("a/one", c.payload); got != c.want {
			t.Errorf("%s: %s\ngives %q\nwant  %q", c.about, c.payload, got, c.want)
		}
	}
}

// TestTablesAllocateNothing: rows cost no allocation once the names of their columns are known.
func TestTablesAllocateNothing(t *testing.T) {
	w := wrap(t, tables, "  n: {pointer: /result}\n", nil)
	in := Wrapped{Envelope: w.envelope, Shape: w.shape}
	raw := []byte(`[{"names":["at","result"],"rows":[[1772445601,7],[1772445602,8]]},{"names":["at","result"],"rows":[[1772445603,9]]}]`)
	d, sink := NewDecoder(), &mute{}
	if n := testing.AllocsPerRun(100, func() {
		d.BeginWrapped(raw, in, received, sink)
		d.Next(10)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
