package engine

import (
	"errors"
	"slices"
	"strconv"

	"sluice/opendata/sensorthings/odata"
)

// Bounds of an answer. DefaultPage holds without $top, MaxPage whatever it says.
const (
	DefaultPage = 100
	MaxPage     = 1000
	maxBytes    = 1 << 20
	maxEntities = 10_000 // with those of expansions
	maxSkip     = 10_000 // where the order is not the store's
)

// page is some of the entities that were asked for.
type page struct {
	list  []*Entity
	count int // of all; -1 where nobody asks
	// more: there are others behind the last; ended: the work was used up before that.
	more    bool
	natural bool
	skip    int    // what nextLink skips, beside what is shown
	last    string // the mark of the last one that was looked at
}

// next is the option that continues behind the first n of the page; empty where nothing is
// left.
func (p *page) next(n int) string {
	if n == len(p.list) && !p.more {
		return ""
	}
	if !p.natural {
		return "$skip=" + strconv.Itoa(p.skip+n)
	}
	mark := p.last
	if n < len(p.list) || mark == "" {
		mark = p.list[n-1].Mark
	}
	out := "$skiptoken=" + escape(odata.ID{Text: mark}.String())
	if p.skip > 0 {
		out = "$skip=" + strconv.Itoa(p.skip) + "&" + out
	}
	return out
}

// page reads the entities that an ask and a query want.
func (r *run) page(ask Ask, q *odata.Query) (*page, error) {
	top := DefaultPage
	if q.Top >= 0 {
		top = min(q.Top, MaxPage)
	}
	ask.Work = r.work
	r.hints(&ask, q.Filter)
	p := &page{count: -1}
	if q.Count {
		n, err := r.count(ask, q.Filter)
		if err != nil {
			return nil, err
		}
		p.count = n
	}
	if ask.Newest, p.natural = r.natural(ask, q.OrderBy); !p.natural {
		return p, r.sorted(p, ask, q, top)
	}
	ask.After = q.After
	return p, r.inOrder(p, ask, q, top)
}

// natural reports whether an order is the store's own, or its reverse.
func (r *run) natural(ask Ask, by []odata.Order) (newest, ok bool) {
	if len(by) == 0 {
		return false, true
	}
	path, ok := by[0].By.(*odata.Path)
	if !ok || len(by) > 1 || len(path.Names) > 1 {
		return false, false
	}
	name := path.Names[0]
	if ask.Type.Name != "Observation" {
		return by[0].Desc, isID(name)
	}
	own := ask.Link != nil && ask.From.Type.Name == "Datastream"
	return by[0].Desc, name == "phenomenonTime" || own && r.service.ByResult && name == "resultTime"
}

// errCount says what helps where counting costs too much.
func (r *run) count(ask Ask, filter odata.Expr) (int, error) {
	n := 0
	for e, err := range r.store.Many(r.ctx, ask) {
		ok := false
		if err == nil {
			ok, err = r.holds(filter, e)
		}
		if errors.Is(err, errWork) {
			return 0, &odata.Error{Option: "$count", Hint: "too many would have to be looked at; ask for less with " +
				"a $filter on phenomenonTime, of one Datastream, or without $count"}
		}
		if err != nil {
			return 0, err
		}
		if ok {
			n++
		}
	}
	return n, nil
}

// inOrder reads a page in the store's order. Where the work is used up it ends, and continues
// behind the last entity that was looked at.
func (r *run) inOrder(p *page, ask Ask, q *odata.Query, top int) error {
	p.skip = q.Skip
	if top == 0 {
		return nil
	}
	last := ""
	for e, err := range r.store.Many(r.ctx, ask) {
		ok := false
		if err == nil {
			ok, err = r.holds(q.Filter, e)
		}
		if errors.Is(err, errWork) && last != "" {
			p.more, p.last = true, last
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case ok && p.skip > 0:
			p.skip--
		case ok && len(p.list) == top:
			p.more = true
			return nil
		case ok:
			p.list = append(p.list, e)
		}
		last = e.Mark
	}
	return nil
}

// keyed is an entity with what it is sorted by.
type keyed struct {
	entity *Entity
	keys   []any
}

// sorted reads all, and keeps those of the page.
func (r *run) sorted(p *page, ask Ask, q *odata.Query, top int) error {
	p.skip = q.Skip
	if q.Skip > maxSkip {
		return &odata.Error{Option: "$skip", Hint: "is at most 10000 in this order; ask for less with $filter"}
	}
	if q.After != "" {
		return &odata.Error{Option: "$skiptoken", Hint: "is of another order; follow @iot.nextLink as it is"}
	}
	if top == 0 {
		return nil
	}
	most := q.Skip + top + 1
	var list []keyed
	cut := func() {
		slices.SortStableFunc(list, func(a, b keyed) int { return inOrder(a, b, q.OrderBy) })
		list = list[:min(len(list), most)]
	}
	for e, err := range r.store.Many(r.ctx, ask) {
		ok := false
		if err == nil {
			ok, err = r.holds(q.Filter, e)
		}
		k := keyed{e, make([]any, len(q.OrderBy))}
		for n := 0; n < len(k.keys) && ok && err == nil; n++ {
			k.keys[n], err = r.eval(q.OrderBy[n].By, e)
		}
		if errors.Is(err, errWork) {
			return &odata.Error{Option: "$orderby", Hint: "too many would have to be looked at in this order; ask " +
				"for less with a $filter on phenomenonTime or of one Datastream, or order by phenomenonTime"}
		}
		if err != nil {
			return err
		}
		if ok {
			list = append(list, k)
		}
		if len(list) > 2*most+DefaultPage {
			cut()
		}
	}
	cut()
	for n := q.Skip; n < len(list) && len(p.list) < top; n++ {
		p.list = append(p.list, list[n].entity)
	}
	p.more = len(list) == most
	return nil
}

func inOrder(a, b keyed, by []odata.Order) int {
	for n, o := range by {
		c := sorted(first(a.keys[n]), first(b.keys[n]))
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// first is what many are sorted by.
func first(v any) any {
	list, ok := v.(many)
	if !ok {
		return v
	}
	if len(list) == 0 {
		return nil
	}
	return list[0]
}
