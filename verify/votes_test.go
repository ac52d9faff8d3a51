package verify

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"testing"

	"sluice/books"
)

// TestWhoDecidedIsSaid: decisions without a vote that holds are named, of several gateways those
// that no gateway's books have one of, and a simulation is called one.
func TestWhoDecidedIsSaid(t *testing.T) {
	decision := func(id string, votes ...books.Vote) books.Decision { return books.Decision{ID: id, Votes: votes} }
	holds, not := books.Vote{Member: "anna", Verified: true}, books.Vote{Member: "bru"}
	of := func(simulation bool, list ...books.Decision) books.Reader {
		raw, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return books.Reader{Source: source{"decisions.json": string(raw),
			"city.json": fmt.Sprintf(`{"id": "x", "gateway": "g", "simulation": %v}`, simulation)}}
	}
	for _, x := range []struct {
		of   []books.Reader
		want string
	}{
		{[]books.Reader{of(false)}, "0 [] false"},
		{[]books.Reader{of(false, decision("a", holds), decision("b", not, holds))}, "2 [] false"},
		{[]books.Reader{of(true, decision("b"), decision("a", not))}, "2 [a b] true"},
		{[]books.Reader{of(false, decision("a"), decision("b")), of(false, decision("a", holds))}, "2 [b] false"},
	} {
		r, err := Check(x.of...)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.Decisions, r.Unvoted, r.Simulation); got != x.want {
			t.Errorf("%s; want %s", got, x.want)
		}
	}
}

type source map[string]string

func (s source) Get(name string) ([]byte, error) {
	if text, ok := s[name]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}
