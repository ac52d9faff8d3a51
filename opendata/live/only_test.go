package live

import (
	"testing"

	"sluice/opendata/query"
)

// TestOnlyIsSmall: what a filter leaves of a large window takes no more memory than it has bytes:
// thousands of listeners may hold one each.
func TestOnlyIsSmall(t *testing.T) {
	e := &event{stream: "s", whole: make([]byte, 900+5000*400), head: 100, items: []span{{"a", "m", 100, 500}}}
	for i := range 5000 {
		e.items = append(e.items, span{"b", "m", 500 + i*400, 900 + i*400})
	}
	for cell, want := range map[string]int{"a": len("id: 7\n") + 100 + 400 + len(tail), "none": 0} {
		b := e.under([]byte("id: 7\n"), &filter{streams: map[string]query.Selection{"s": {Cells: []string{cell}}}})
		if len(b) != want || cap(b) > want+64 {
			t.Errorf("%s: %d bytes in %d; want %d", cell, len(b), cap(b), want)
		}
	}
}
