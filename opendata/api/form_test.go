package api

import (
	"slices"
	"testing"
)

// TestSheetKnowsItsColumns: each column of a table that has numbers with a point or
// instants is among those that are written anew.
func TestSheetKnowsItsColumns(t *testing.T) {
	row := []string{"702.5", "2026-06-15T09:00:00+02:00", "1.5", ""}
	sheet([]string{"value", "start_local", "cell", "closed_until"}, row)
	if want := []string{"702,5", "2026-06-15 09:00:00", "1.5", ""}; !slices.Equal(row, want) {
		t.Errorf("%q; want %q", row, want)
	}
}

// TestLongListIsAsShort: a list that is sent in parts has the bytes of one that is not.
func TestLongListIsAsShort(t *testing.T) {
	var all []entry
	for n := range 7 {
		all = append(all, entry{N: int64(n), Day: "2026-03-02", Kind: "reserve", Epsilon: 0.5})
	}
	more := []member{{"missing", []string{"edge-<2>"}}}
	want, err := asList("entries", all, "", more...)
	if err != nil {
		t.Fatal(err)
	}
	for most := 1; most < 9; most++ {
		l := listing[entry]{"entries", all, most, nil, ledgerTable, more}
		for as, whole := range map[form][]byte{asDocument: want.Body, asTable: nil, asSheet: nil} {
			if as != asDocument {
				reply, err := ledgerTable.file(as, all, "entries", "")
				if err != nil {
					t.Fatal(err)
				}
				whole = reply.Body
			}
			var got []byte
			for part, err := range l.long(as, all).Parts(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, part...)
			}
			if string(got) != string(whole) {
				t.Errorf("in parts of %d, form %d:\n%s\nwant\n%s", most, as, got, whole)
			}
		}
	}
}
