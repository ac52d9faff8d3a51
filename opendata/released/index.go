package released

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"time"

	"sluice/books"
	"sluice/plan"
	"sluice/store"
)

// index holds which windows have a line in the books. Consecutive windows under one plan
// are one run, so that it stays small over years. It has no lock of its own.
type index struct {
	streams map[lane][]run      // by start
	lanes   map[string][]string // by stream: the gateways that have released any of it
	plans   map[string]*closed
	removed map[[2]string]int64 // by stream and decision: until when nothing is shown any more
}

// lane holds one gateway's windows of a stream; a gateway that was renamed has two.
type lane struct{ stream, gateway string }

// run is a span of consecutive windows of one length: [from, from+step) and so on until to,
// in nanoseconds since 1970.
type run struct {
	from, to, step int64
	plan           *closed
	gateway        string
}

// closed is what a plan can release: its cells and measures.
type closed struct {
	digest          string
	known           bool      // false while the plan cannot be read; then it excludes nothing
	of              [2]string // its stream and decision
	removed         int64     // until when its numbers were removed
	cells, measures map[string]bool
	whole           string // the cell of its epochs' numbers; empty where it has none
	possible        possible
}

func newIndex() *index {
	return &index{streams: make(map[lane][]run), lanes: make(map[string][]string), plans: make(map[string]*closed),
		removed: make(map[[2]string]int64)}
}

// add adds a line whose plan is known.
func (x *index) add(l line) {
	p := x.plans[l.plan]
	if p == nil {
		p = &closed{digest: strings.Clone(l.plan)}
		x.enter(p)
	}
	of := lane{l.stream, l.gateway}
	runs := x.streams[of]
	if runs == nil && len(x.lanes[l.stream]) >= maxLanes {
		return
	}
	if runs == nil {
		of = lane{strings.Clone(l.stream), strings.Clone(l.gateway)}
		x.lanes[of.stream] = append(x.lanes[of.stream], of.gateway)
	} else {
		of.gateway = runs[0].gateway // a text that is held already
	}
	n := sort.Search(len(runs), func(i int) bool { return runs[i].from > l.from })
	if n > 0 {
		before := &runs[n-1]
		if before.has(l.from) {
			return
		}
		if before.to == l.from && before.step == l.to-l.from && before.plan == p {
			before.to = l.to
			return
		}
	}
	x.streams[of] = slices.Insert(runs, n, run{l.from, l.to, l.to - l.from, p, of.gateway})
}

func (r *run) has(start int64) bool {
	return start >= r.from && start < r.to && (start-r.from)%r.step == 0
}

// find is the run that has a gateway's window; nil for none.
func (x *index) find(of lane, start int64) *run {
	runs := x.streams[of]
	n := sort.Search(len(runs), func(i int) bool { return runs[i].from > start })
	if n == 0 || !runs[n-1].has(start) {
		return nil
	}
	return &runs[n-1]
}

// known reports whether a window has a line; one that does not say whose it is, whether any
// gateway's has.
func (x *index) known(w window) bool {
	return x.find(lane{w.stream, w.gateway}, w.start) != nil ||
		w.gateway == "" && slices.ContainsFunc(x.lanes[w.stream], func(gateway string) bool {
			return x.find(lane{w.stream, gateway}, w.start) != nil
		})
}

// of is the run of the window that a row can be of; nil for none. A row that does not say
// whose it is can be any gateway's whose plan has its cell.
func (x *index) of(o *store.Observation) *run {
	start := o.Start.UnixNano()
	if o.Gateway != "" {
		return x.find(lane{o.Stream, o.Gateway}, start).thatHolds(o, start)
	}
	for _, gateway := range x.lanes[o.Stream] {
		if r := x.find(lane{o.Stream, gateway}, start).thatHolds(o, start); r != nil {
			return r
		}
	}
	return nil
}

// thatHolds is the run, and nil where a row of its window cannot be of it.
func (r *run) thatHolds(o *store.Observation, start int64) *run {
	if r == nil || !r.holds(o, start) {
		return nil
	}
	return r
}

// holds reports whether a row of a window of the run can be of it.
func (r *run) holds(o *store.Observation, start int64) bool {
	return o.End.UnixNano() == start+r.step && start+r.step > r.plan.removed && r.plan.has(o)
}

// before are the latest windows of a stream that end at or before an instant, latest
// first.
func (x *index) before(stream string, until int64, limit int) (list [][2]int64) {
	for _, gateway := range x.lanes[stream] {
		n := len(list)
		for _, r := range slices.Backward(x.streams[lane{stream, gateway}]) {
			for end := r.to; end > r.from && len(list)-n < limit; end -= r.step {
				if end <= until {
					list = append(list, [2]int64{end - r.step, end})
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b [2]int64) int { return cmp.Compare(b[1], a[1]) })
	return list[:min(len(list), limit)]
}

// has takes an epoch's numbers for what they say that they are; whether they were released
// says the window's digest.
func (c *closed) has(o *store.Observation) bool {
	return !c.known || c.cells[o.Cell] && c.measures[o.Measure] || o.OfEpoch() && o.Cell == c.whole
}

// remove records a removal.
func (x *index) remove(r *books.Removal) {
	of := [2]string{r.Stream, r.Decision}
	x.removed[of] = max(x.removed[of], r.Until.UnixNano())
	for _, p := range x.plans {
		p.removed = x.removed[p.of]
	}
}

// enter records a plan, or what is known of it now.
func (x *index) enter(p *closed) {
	p.removed = x.removed[p.of]
	if old := x.plans[p.digest]; old != nil {
		*old = *p
		return
	}
	x.plans[p.digest] = p
}

// readPlan reads a plan, whose SHA-256 is its name. Where that fails, it is tried again.
func readPlan(source books.Source, digest string) *closed {
	c := &closed{digest: digest}
	if raw, err := source.Get("plans/" + digest + ".json"); err == nil {
		c.parse(raw)
	}
	return c
}

func (c *closed) parse(raw []byte) {
	var s plan.Stream
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != c.digest || json.Unmarshal(raw, &s) != nil {
		return
	}
	c.of = [2]string{s.ID, s.Decision}
	c.cells, c.measures, c.known = make(map[string]bool), make(map[string]bool), true
	values := s.Category.Values
	if len(values) == 0 {
		values = []string{""}
	}
	c.possible = possibleOf(&s, values)
	for _, zone := range s.Zones {
		for _, v := range values {
			c.cells[plan.Cell{Zone: zone, Category: v}.ID()] = true
		}
	}
	if s.CountsEpochs() && len(s.Zones) > 0 {
		c.whole = store.EpochCell(s.FirstZone())
	}
	for _, m := range s.Measures {
		if m.Of == plan.Histogram && len(m.Edges) < 2 {
			continue
		}
		for _, part := range m.Parts() {
			c.measures[part.Name] = true
		}
	}
}

// line is what the index needs of a line.
type line struct {
	gateway, stream, plan string
	from, to              int64
}

// parse reads the fields of a line that the index needs without decoding JSON: there are
// hundreds of thousands of lines. A line in which a text could be taken for a key is
// decoded as JSON.
func parse(text string) (l line, ok bool) {
	var start, end string
	if strings.Contains(text, `\`) || !value(text, `"gateway":"`, &l.gateway) ||
		!value(text, `"stream":"`, &l.stream) || !value(text, `"plan":"`, &l.plan) ||
		!value(text, `"start":"`, &start) || !value(text, `"end":"`, &end) {
		r, ok := whole(text)
		if !ok {
			return l, false
		}
		return line{r.Gateway, r.Stream, r.Plan, r.Start.UnixNano(), r.End.UnixNano()}, true
	}
	from, err := time.Parse(time.RFC3339, start)
	to, err2 := time.Parse(time.RFC3339, end)
	l.from, l.to = from.UnixNano(), to.UnixNano()
	return l, err == nil && err2 == nil && l.stream != "" && inRange(from) && inRange(to) && l.from < l.to
}

// named reports whether a gateway may be called so, or is called nothing, as in books of
// before: the store is asked for it, and takes no other name.
func named(gateway string) bool {
	for i, r := range gateway {
		if letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' ||
			r >= '0' && r <= '9'; !letter && (i == 0 || !strings.ContainsRune("_.-", r)) {
			return false
		}
	}
	return len(gateway) <= 63
}

// maxLanes are the gateways of one stream in one book: one, and what it was called before.
const maxLanes = 64

// value finds a text by its key, which is there once.
func value(text, key string, into *string) bool {
	_, rest, ok := strings.Cut(text, key)
	if !ok || strings.Contains(rest, key) {
		return false
	}
	*into, _, ok = strings.Cut(rest, `"`)
	return ok
}

// whole decodes all of a line.
func whole(text string) (r books.Released, ok bool) {
	err := json.Unmarshal([]byte(text), &r)
	return r, err == nil && r.Stream != "" && inRange(r.Start) && inRange(r.End) && r.Start.Before(r.End)
}

// inRange are instants that nanoseconds can tell.
func inRange(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 2261 }
