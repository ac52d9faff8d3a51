package copies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"
	"time"

	"sluice/books"
)

// copied is a copy and what is known of it.
type copied struct {
	Copy
	chains map[string]*chain // of whoever reads
	had    map[string]bool   // files that were there once; of whoever reads

	mu      sync.Mutex
	reading chan struct{} // closed when the reading under way ends; nil for none; guarded by mu
	begun   time.Time     // when it began; guarded by mu
	latest  view          // guarded by mu
	read    time.Time     // when that ended; guarded by mu
}

// view is a copy as it was read last. It is immutable.
type view struct {
	where string
	city  books.City
	// decisions are as that copy dates them, and raw is that file.
	decisions []books.Decision
	raw       []byte
	chains    map[string]known
	closed    map[string]time.Time // the end of each stream's newest window in the books
	stored    map[string]time.Time // and in the copy's own store; nil where it has none
	err       error                // it cannot be shown
}

func newCopied(c Copy) *copied {
	p := &copied{Copy: c, chains: make(map[string]*chain), had: make(map[string]bool)}
	for _, name := range chained {
		p.chains[name] = newChain(c.Books, name)
	}
	p.latest = view{where: c.Where, err: errSlow}
	return p
}

var errSlow = errors.New("it has not answered yet")

// farFresh is how long a copy on another machine is used without asking.
const farFresh = time.Second

// now is the latest view, after a short wait for a new one.
func (p *copied) now(atOnce bool, asked map[string]head) view {
	p.mu.Lock()
	age := time.Since(p.read)
	if !books.Near(p.Books) && (age < fresh || age < farFresh && p.latest.err == nil && !atOnce) { // strangers ask, too
		defer p.mu.Unlock()
		return p.latest
	}
	if p.reading == nil {
		p.reading, p.begun = make(chan struct{}), time.Now()
		go p.readOn(p.reading, p.latest, asked)
	}
	done := p.reading
	p.mu.Unlock()
	select {
	case <-done:
	case <-time.After(soon):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.latest
	if v.err == nil && p.reading != nil && time.Since(p.begun) > slow {
		v.err = errSlow
	}
	return v
}

// readOn takes a new view. It holds no lock meanwhile: a machine may be slow.
func (p *copied) readOn(done chan struct{}, old view, asked map[string]head) {
	now := p.look(old, asked)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest, p.read, p.reading = now, time.Now(), nil
	close(done)
}

// look reads what is new. What was known of a copy that cannot be read stays known: it is compared
// with others.
func (p *copied) look(old view, asked map[string]head) view {
	now := old
	now.err = p.whole(&now)
	for _, name := range chained {
		if now.err == nil {
			now.err = p.chains[name].read(p.Books, asked[name].n)
		}
	}
	if now.err != nil {
		return now
	}
	now.chains = make(map[string]known)
	for name, c := range p.chains {
		now.chains[name] = c.known()
	}
	now.closed = maps.Clone(p.chains[releases].closed)
	if p.Store != nil {
		now.stored, now.err = p.stored(now.closed, old.stored)
	}
	return now
}

var errNone = errors.New("there is no city.json; is it a gateway's public/ directory, and has the gateway begun?")

// whole reads whose books these are, and whether files are gone that were there.
func (p *copied) whole(v *view) error {
	for _, name := range []string{"city.json", "streams.json", decisions, ledger, releases} {
		err := p.there(name)
		switch {
		case err == nil:
			p.had[name] = true
		case !errors.Is(err, fs.ErrNotExist):
			return err
		case name == "city.json":
			return errNone
		case p.had[name]:
			return fmt.Errorf("its %s is gone", name)
		}
	}
	city, err := books.Reader{Source: p.Books}.City()
	if m, ok := p.Books.(interface{ Away() error }); ok && err == nil {
		err = m.Away()
	}
	if err != nil {
		return err
	}
	v.city = city
	raw, err := p.Books.Get(decisions)
	if errors.Is(err, fs.ErrNotExist) || err == nil && bytes.Equal(raw, v.raw) {
		return nil
	}
	var list []books.Decision
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", decisions, err)
	}
	v.decisions, v.raw = list, raw
	return nil
}

func (p *copied) there(name string) error {
	if d, ok := p.Books.(books.Dir); ok {
		f, _, err := d.Open(name)
		if err == nil {
			err = f.Close()
		}
		return err
	}
	for _, c := range chained {
		if name == c {
			return nil // it is followed, and not held
		}
	}
	_, err := p.Books.Get(name)
	return err
}

// stored is how far the copy's store has come, of streams that have come further in the books.
func (p *copied) stored(closed, old map[string]time.Time) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(context.Background(), slow)
	defer cancel()
	out, asked := maps.Clone(old), false
	if out == nil {
		out = make(map[string]time.Time)
	}
	ask := func(stream string) error {
		at, err := p.Store.ClosedUntil(ctx, stream)
		if asked = true; err == nil {
			out[stream] = at
		}
		return err
	}
	for stream, end := range closed {
		if out[stream].Before(end) {
			if err := ask(stream); err != nil {
				return old, err
			}
		}
	}
	for stream := range closed { // whether it can be read at all
		if asked {
			break
		}
		if err := ask(stream); err != nil {
			return old, err
		}
	}
	return out, nil
}
