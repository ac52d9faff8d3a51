// Package union combines the public books of a city's gateways into one.
//
// Where a city's zones are split over gateways, each gateway has books of its own, complete
// and verified by themselves. Residents ask about the city: a stream has the cells of all
// gateways, a decision is listed once, and so is a sensor, as the gateway of its zone
// describes it. Growing files are concatenated, since their lines name their gateway.
//
// While one gateway's books are unreachable, their last state holds, and no request waits
// for them. Books of another city, or a second set of books of one gateway, are left out
// and reported. Different versions of the policy are normal for a while.
package union

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"sluice/books"

	"sluice/internal/pattern"
)

// MaxBooks is how many books a union takes at most.
const MaxBooks = 16

const (
	// fresh is how long a snapshot is used without looking, patience how long a request
	// waits for a new one.
	fresh    = 250 * time.Millisecond
	patience = 500 * time.Millisecond
)

// Book is one gateway's books, and what the configuration calls them.
type Book struct {
	Where  string
	Source books.Source
}

// Books are the books of all gateways of a city. They implement books.Source.
type Books struct {
	parts []*part

	mu     sync.Mutex
	merged register // guarded by mu
}

// New combines several gateways' books.
func New(list []Book) *Books {
	b := &Books{}
	for _, x := range list {
		b.parts = append(b.parts, &part{Book: x, kept: new(books.Kept)})
	}
	return b
}

// part is one gateway's books and their latest snapshot.
type part struct {
	Book
	kept *books.Kept

	mu      sync.Mutex
	reading chan struct{} // closed when the reading under way ends; nil for none; guarded by mu
	begun   time.Time     // when it began; guarded by mu
	read    time.Time     // when the last one ended; guarded by mu
	latest  *snapshot     // nil before anything was; guarded by mu
	away    error         // why the last one failed; guarded by mu
}

// snapshot is the content of one gateway's books. It is immutable.
type snapshot struct {
	raw       map[string][]byte // by file
	city      books.City
	streams   []books.Stream
	decisions []books.Decision
	register  books.Register
	zones     []byte
}

// now returns the latest snapshot, after a short wait for a new one; nil if there is none
// yet.
func (p *part) now() (*snapshot, error) {
	p.mu.Lock()
	if time.Since(p.read) < fresh {
		defer p.mu.Unlock()
		return p.latest, p.away
	}
	if p.reading == nil {
		p.reading, p.begun = make(chan struct{}), time.Now()
		go p.readOn(p.reading, p.latest)
	}
	done, left := p.reading, patience-time.Since(p.begun)
	p.mu.Unlock()
	select {
	case <-done:
	case <-time.After(left):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.latest == nil && p.away == nil {
		return nil, errSlow
	}
	return p.latest, p.away
}

var errSlow = errors.New("they have not answered yet")

// readOn takes a new snapshot. It holds no lock meanwhile: a mirror may be slow.
func (p *part) readOn(done chan struct{}, old *snapshot) {
	now, err := p.look(old)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.latest = now
	}
	p.away, p.read, p.reading = err, time.Now(), nil
	close(done)
}

// look reads the files that have changed. Books that were readable and are gone count as
// unreachable.
func (p *part) look(old *snapshot) (*snapshot, error) {
	now := &snapshot{raw: make(map[string][]byte)}
	if old != nil {
		*now = *old
		now.raw = make(map[string][]byte)
	}
	r := books.Reader{Source: p.Source, Kept: p.kept}
	for _, f := range []struct {
		name string
		read func() error
	}{
		{"city.json", func() (err error) { now.city, err = r.City(); return err }},
		{"streams.json", func() (err error) { now.streams, err = r.Streams(); return err }},
		{"decisions.json", func() (err error) { now.decisions, err = r.Decisions(); return err }},
		{"zones.geojson", func() (err error) { now.zones, err = zonesOf(r); return err }},
	} {
		raw, err := p.Source.Get(f.name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && f.name == "city.json":
			return nil, ErrNone
		case errors.Is(err, fs.ErrNotExist): // nothing of it was written yet
			continue
		case err != nil:
			return nil, err
		}
		now.raw[f.name] = raw
		if old != nil && bytes.Equal(raw, old.raw[f.name]) {
			continue
		}
		if err := f.read(); err != nil {
			return nil, err
		}
	}
	reg, err := r.Register()
	if err == nil && (reg.Sensors != nil || now.register.Sensors == nil) {
		now.register = reg
	}
	if m, ok := p.Source.(interface{ Away() error }); ok && err == nil {
		err = m.Away() // what it said before holds
	}
	return now, err
}

// ErrNone means that a place has no books.
var ErrNone = errors.New("there is no city.json; is it a gateway's public/ directory, and has the gateway begun?")

// use returns the usable parts, in order, and a problem for each of the others.
func (b *Books) use() (list []used, problems []string) {
	state, errs := make([]*snapshot, len(b.parts)), make([]error, len(b.parts))
	var all sync.WaitGroup
	for n, p := range b.parts {
		all.Go(func() { state[n], errs[n] = p.now() })
	}
	all.Wait()
	var city *used
	names := make(map[string]string)
	for n, p := range b.parts {
		if errs[n] != nil {
			problems = append(problems, fmt.Sprintf("the books %s cannot be read: %v", p.Where, errs[n]))
		}
		if state[n] == nil {
			continue
		}
		u := used{p, n, state[n]}
		c, name := &u.city, u.name()
		switch {
		case c.ID == "": // no policy has ever been in force there
		case city == nil:
			city = &u
		case city.city.ID != c.ID || city.city.Timezone != c.Timezone:
			problems = append(problems, fmt.Sprintf("the books %s are of city %.60s (%.60s), and %s of %.60s "+
				"(%.60s); they are left out: a server shows one city",
				p.Where, c.ID, c.Timezone, city.part.Where, city.city.ID, city.city.Timezone))
			continue
		}
		if first := names[name]; first != "" {
			problems = append(problems, fmt.Sprintf("gateway %s is named twice, by the books %s and by the books "+
				"%s; those at %[3]s are left out: list each gateway's books once in opendata.yaml, and give each "+
				"gateway a name of its own (gateway: in gateway.yaml)", name, first, p.Where))
			continue
		}
		names[name] = p.Where
		list = append(list, u)
	}
	return list, problems
}

// used is a part with its snapshot.
type used struct {
	part *part
	n    int // its place in the list
	*snapshot
}

// name is the gateway's, or a number where its books do not say it.
func (u *used) name() string {
	if gatewayName.MatchString(u.city.Gateway) {
		return u.city.Gateway
	}
	return fmt.Sprintf("gateway-%d", u.n+1)
}

// gatewayName is what a gateway may be called; books come from elsewhere.
var gatewayName = pattern.New(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

// contested says which cells two gateways release under one policy, which is an error of
// zones.geojson; under two policies, one of the gateways is behind, or gone.
func contested(list []used) (problems []string) {
	type place struct {
		policy       string
		stream, zone string
	}
	seen, reported := make(map[place]int), make(map[[2]int]bool)
	for n := range list {
		for _, s := range list[n].streams {
			if s.Stopped { // its zones may be another's now
				continue
			}
			for _, c := range s.Cells {
				at := place{list[n].city.Policy, s.ID, c.Zone}
				m, there := seen[at]
				if !there {
					seen[at] = n
				}
				if pair := [2]int{m, n}; there && m != n && !reported[pair] {
					reported[pair] = true
					problems = append(problems, fmt.Sprintf("gateways %s and %s both have the zone %.60s; say in "+
						"zones.geojson which of them has it (gateway), or everybody there is counted twice",
						list[m].name(), list[n].name(), c.Zone))
				}
			}
		}
	}
	return problems
}

// Problems describes what is wrong with any of the books; empty if all are usable.
func (b *Books) Problems() []string {
	list, problems := b.use()
	return append(problems, contested(list)...)
}

// Differing names two gateways with different charters, which is normal for a while; empty
// if all charters that are known are the same.
func (b *Books) Differing() string {
	list, _ := b.use()
	for n := range list {
		for m := range n {
			if a, z := list[m].city.Charter, list[n].city.Charter; a != "" && z != "" && a != z {
				return fmt.Sprintf("the charter of gateway %s (%.8s) is not that of gateway %s (%.8s)", list[m].name(),
					a, list[n].name(), z)
			}
		}
	}
	return ""
}

// Wrong returns a problem that does not go away by itself: books of another city, or two
// sets of books of one gateway. It waits as long as a request does.
func (b *Books) Wrong() error {
	for _, p := range b.Problems() {
		if strings.Contains(p, "left out") {
			return errors.New(p)
		}
	}
	return nil
}

// List returns the books as they were given to New.
func (b *Books) List() (list []Book) {
	for _, p := range b.parts {
		list = append(list, p.Book)
	}
	return list
}

// Usable reports whether books, by their place in the list, are of this city and of no
// gateway that is there already; also where that is not known yet.
func (b *Books) Usable(n int) bool {
	list, _ := b.use()
	for _, u := range list {
		if u.n == n {
			return true
		}
	}
	s, _ := b.parts[n].now()
	return s == nil
}

// Names are the gateways' names as their books say them, by their place in the list; empty
// for books that cannot be used, or do not say it.
func (b *Books) Names() []string {
	list, _ := b.use()
	out := make([]string, len(b.parts))
	for _, u := range list {
		if gatewayName.MatchString(u.city.Gateway) {
			out[u.n] = u.city.Gateway
		}
	}
	return out
}

// Gateways lists the gateways whose books have been read, in order.
func (b *Books) Gateways() (out []books.Gateway) {
	list, _ := b.use()
	for _, u := range list {
		out = append(out, books.Gateway{Name: u.name(), Source: u.part.Source})
	}
	return out
}

// First is the source of the first books, readable or not.
func (b *Books) First() books.Source { return b.parts[0].Source }
