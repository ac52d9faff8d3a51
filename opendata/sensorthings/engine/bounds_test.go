package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"sluice/opendata/sensorthings/odata"
)

// fountain is a store of so many Observations, which cost nothing to read: what is bounded here
// is bounded by the engine.
type fountain struct {
	number int
	after  func(*Entity) // of each
}

func (*fountain) One(context.Context, *Type, odata.ID) (*Entity, error) { return nil, ErrNone }
func (*fountain) Now(context.Context) (time.Time, error)                { return time.Time{}, nil }

func (s *fountain) Many(context.Context, Ask) iter.Seq2[*Entity, error] {
	return func(yield func(*Entity, error) bool) {
		for n := range s.number {
			e := &Entity{Type: TypeOf("Observation"), ID: odata.ID{Text: fmt.Sprint(n), Number: true},
				Values: map[string]any{"result": float64(n)}}
			if s.after != nil {
				s.after(e)
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func over(t *testing.T, number int) (*scope, *Entity) {
	return &scope{ctx: t.Context(), store: &fountain{number: number}, work: NewWork()},
		&Entity{Type: TypeOf("Datastream")}
}

// TestManyCost: what is asked of many is charged for, each with each where there are two.
func TestManyCost(t *testing.T) {
	results := &odata.Path{Names: []string{"Observations", "result"}}
	s, e := over(t, maxMany)
	if v, err := s.eval(results, e); err != nil || size(v) != maxMany {
		t.Errorf("%d are %d (%v)", maxMany, size(v), err)
	}
	if s, e = over(t, maxMany+1); true {
		if _, err := s.eval(results, e); !errors.Is(err, errWork) {
			t.Errorf("one more: %v", err)
		}
	}
	s, e = over(t, 3000)
	if _, err := s.eval(&odata.Binary{Op: "eq", X: results, Y: results}, e); !errors.Is(err, errWork) {
		t.Errorf("each of 3,000 compared with each: %v", err)
	}
	s, _ = over(t, 0)
	list := make(many, 1000)
	for n := range list {
		list[n] = ""
	}
	if _, err := s.spread(functions["indexof"], []any{list, list}, 0); !errors.Is(err, errWork) {
		t.Errorf("a function of each of 1,000 and each: %v", err)
	}
}

// TestAnswersEnd: an answer has no more bytes and entities than it may, and one entity at least.
func TestAnswersEnd(t *testing.T) {
	p := &page{list: make([]*Entity, 100)}
	for about, x := range map[string]struct {
		bytes, entities, want int
	}{"small": {10, 1, 100}, "large": {100 << 10, 1, 11}, "expanded": {10, 1000, 11},
		"huge": {maxBytes + 1, maxEntities + 1, 1}} {
		r := &run{}
		_, shown, err := r.list(nil, p, func(b []byte, _ *Entity) ([]byte, error) {
			r.entities += x.entities
			return append(b, make([]byte, x.bytes)...), nil
		})
		if err != nil || shown != x.want {
			t.Errorf("%s: %d are shown (%v); want %d", about, shown, err, x.want)
		}
	}
}

// TestSortedHoldsLittle: an order that is not the store's needs all entities, and keeps no more
// of them than the page and as many again.
func TestSortedHoldsLittle(t *testing.T) {
	const number, top = 5000, 10
	var all []weak.Pointer[Entity]
	most := 0
	s, _ := over(t, number)
	s.store = &fountain{number, func(e *Entity) {
		if all = append(all, weak.Make(e)); len(all)%1000 > 0 {
			return
		}
		runtime.GC()
		held := 0
		for _, p := range all {
			if p.Value() != nil {
				held++
			}
		}
		most = max(most, held)
	}}
	r, p := &run{scope: *s}, &page{}
	q := &odata.Query{OrderBy: []odata.Order{{By: &odata.Path{Names: []string{"result"}}, Desc: true}}}
	if err := r.sorted(p, Ask{}, q, top); err != nil || len(p.list) != top {
		t.Fatal(err, len(p.list))
	}
	if id := p.list[0].ID.Text; id != fmt.Sprint(number-1) {
		t.Errorf("the first is %s", id)
	}
	if most > 500 {
		t.Errorf("%d of %d are held at a time", most, number)
	}
}

// TestNextFitsAHeader: what a client wrote into its query does not end the Link that repeats it.
func TestNextFitsAHeader(t *testing.T) {
	next := continued(`$filter=name ne '<">'&$skip=7&%24skip=7&$skiptoken='x'`, "$skip=9")
	if strings.ContainsAny(next, `<>"`) || next != "$filter=name ne '%3C%22%3E'&$skip=9" {
		t.Errorf("the next page is %q", next)
	}
}
