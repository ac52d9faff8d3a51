package copies

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// choice is the copy that is shown, and how much of it. It is immutable.
type choice struct {
	at       int                  // its place in the list
	begun    bool                 // any was shown
	why      string               // none can be shown; empty where this one is
	ends     map[string]int64     // bytes of each chain that are shown
	heads    map[string]head      // the last lines that were
	closed   map[string]time.Time // the end of each stream's newest window in its books
	behind   map[int]late         // copies that have less than another one
	stuck    time.Time            // since when all that could be shown lack rows that were; zero for not
	problems []string
	views    []view
}

// head is the last line of a chain that was shown.
type head struct {
	n    int64
	hash string
}

// late is what a copy has not yet that another one had at a time.
type late struct {
	since time.Time
	than  *view
}

// chooser makes a choice of all copies.
type chooser struct {
	was   choice
	views []view
	need  map[string]time.Time
	now   time.Time
	cut   map[string]int64 // by chain: the first line that is contradicted
	next  choice
}

// choose is the next choice: the copy that was shown, as long as it can be and is not behind for
// long; else the one that has most, of those that have all that was shown.
func choose(was choice, views []view, need map[string]time.Time, now time.Time) choice {
	c := &chooser{was: was, views: views, need: need, now: now, cut: make(map[string]int64),
		next: choice{views: views, at: was.at, begun: was.begun, heads: was.heads, closed: was.closed}}
	can := c.readable()
	c.contradictions()
	fit := c.fitting(can)
	c.behind(can)
	if len(fit) == 0 {
		if len(can) > 0 {
			c.wrong("the copies that can be read do not have yet what was shown before, so nothing is shown: start " +
				"the gateway whose books they are, or, if what they lack is lost for good, start the open data again")
		}
		c.next.why = strings.Join(c.next.problems, "; ")
		return c.next
	}
	best := slices.MaxFunc(fit, func(a, b int) int { return cmp.Or(more(&views[a], &views[b]), b-a) })
	if !was.begun || !slices.Contains(fit, was.at) || c.long(was.at) {
		c.next.at = best
	}
	c.show(&views[c.next.at])
	return c.next
}

func (c *chooser) wrong(format string, a ...any) {
	c.next.problems = append(c.next.problems, fmt.Sprintf(format, a...))
}

// readable are the copies that can be read and are of one gateway: that of the copy that is shown.
func (c *chooser) readable() (list []int) {
	var of *view
	for n := range c.views {
		if v := &c.views[n]; v.err == nil && v.city.ID != "" && (of == nil || n == c.was.at) {
			of = v
		}
	}
	for n := range c.views {
		v := &c.views[n]
		switch {
		case v.err != nil:
			c.wrong("the copy %s cannot be read: %v", v.where, v.err)
		case of != nil && v.city.ID == "": // no policy has been in force there yet
		case of != nil && (v.city.ID != of.city.ID || v.city.Gateway != of.city.Gateway):
			c.wrong("the copy %s is of gateway %.60s of city %.60s, and %s of gateway %.60s of city %.60s; it is "+
				"left out: copies are of one gateway", v.where, v.city.Gateway, v.city.ID, of.where, of.city.Gateway,
				of.city.ID)
		default:
			list = append(list, n)
		}
	}
	return list
}

// contradictions finds the first lines, by chain, that copies have differently, or that differ from
// what was shown: nothing is shown from there on. Also a copy that cannot be read any more counts:
// that it is gone does not make the other one right.
func (c *chooser) contradictions() {
	for _, name := range chained {
		c.cut[name] = math.MaxInt64
		for n := range c.views {
			of := c.views[n].chains[name]
			for m := range n {
				line, exact := c.views[m].chains[name].parts(of)
				c.contradict(name, line, exact, "the copies "+c.views[m].where+" and "+c.views[n].where)
			}
			shown := c.was.heads[name]
			if is, some := of.at(shown.n); some && is.hash != shown.hash {
				c.contradict(name, shown.n, true, "the copy "+c.views[n].where+" and what was shown before")
			}
		}
	}
}

func (c *chooser) contradict(name string, line int64, exact bool, who string) {
	if line == 0 {
		return
	}
	where := fmt.Sprintf("in line %d of %s", line, name)
	if !exact {
		where += " or before"
		line = 1
	}
	c.cut[name] = min(c.cut[name], line)
	c.wrong("%s contradict each other %s. Nobody can tell from here which is right, so no number is shown from "+
		"there on; docs/operations.md says what to do", who, where)
}

// stuckFor is how long rows that were shown are waited for: they may have been removed since, as
// their decision says.
const stuckFor = 30 * time.Second

// fitting are those of the copies that have all that was shown, as far as nobody contradicts it.
func (c *chooser) fitting(can []int) (fit []int) {
	var rows []int // that lack nothing but rows
	for _, n := range can {
		v := &c.views[n]
		switch {
		case !c.hasLines(v):
		case !c.hasRows(v):
			rows = append(rows, n)
		default:
			fit = append(fit, n)
		}
	}
	if len(fit) > 0 || len(rows) == 0 {
		return fit
	}
	if c.next.stuck = c.was.stuck; c.next.stuck.IsZero() {
		c.next.stuck = c.now
	}
	if c.now.Sub(c.next.stuck) >= stuckFor {
		return rows
	}
	return nil
}

func (c *chooser) hasLines(v *view) bool {
	for _, name := range chained {
		shown := min(c.was.heads[name].n, c.cut[name]-1)
		if _, some := v.chains[name].at(shown); !some && shown > 0 && shown == c.was.heads[name].n {
			return false // or it cannot be compared yet
		}
		if v.chains[name].n < shown {
			return false
		}
	}
	return true
}

func (c *chooser) hasRows(v *view) bool {
	for stream, until := range c.need {
		if v.stored != nil && v.stored[stream].Before(until) && !v.closed[stream].Before(until) {
			return false
		}
	}
	return true
}

// behind notes which copies have less than another one, and says it of those that had for long.
func (c *chooser) behind(can []int) {
	c.next.behind = make(map[int]late)
	for _, n := range can {
		x, known := c.was.behind[n]
		if !known || more(x.than, &c.views[n]) <= 0 {
			most := slices.MaxFunc(can, func(a, b int) int { return more(&c.views[a], &c.views[b]) })
			x = late{c.now, &c.views[most]}
		}
		if more(x.than, &c.views[n]) <= 0 {
			continue
		}
		if c.next.behind[n] = x; c.long(n) {
			c.wrong("the copy %s has been behind another one for more than %v seconds", c.views[n].where,
				Patience.Seconds())
		}
	}
}

func (c *chooser) long(n int) bool {
	x, less := c.next.behind[n]
	return less && c.now.Sub(x.since) >= Patience
}

// more compares two copies: lines released, those paid for, and streams that lag in the store.
func more(a, b *view) int {
	return cmp.Or(cmp.Compare(a.chains[releases].n, b.chains[releases].n),
		cmp.Compare(a.chains[ledger].n, b.chains[ledger].n), cmp.Compare(b.lag(), a.lag()))
}

func (v *view) lag() (n int) {
	for stream, end := range v.closed {
		if v.stored != nil && v.stored[stream].Before(end) {
			n++
		}
	}
	return n
}

// show says how much of a copy is shown. A release is contradicted where the line is that paid for
// it; one that is forgotten cannot be looked at.
func (c *chooser) show(v *view) {
	x := &c.next
	x.begun, x.closed, x.ends, x.heads = true, v.closed, make(map[string]int64), make(map[string]head)
	for _, name := range chained {
		k := v.chains[name]
		n := k.n
		if name != removals { // what is said to be removed is not shown, whoever is right
			n = min(n, c.cut[name]-1)
		}
		last, some := k.at(n)
		for name == releases && some && last.paid >= c.cut[ledger] {
			n--
			last, some = k.at(n)
		}
		if !some {
			n, last = 0, mark{}
		}
		x.ends[name], x.heads[name] = last.end, head{n, last.hash}
	}
}
