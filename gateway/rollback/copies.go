package rollback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"sluice/books"
	"sluice/gateway/config"
	"sluice/gateway/ledger"
)

// chained are the growing books whose lines name the one before.
var chained = []string{"ledger.jsonl", "releases.jsonl"}

// copyOf is a copy of the books: our own, which is derived from the ledger, or one
// outside, which no backup of ours takes back.
type copyOf struct {
	books.Source
	where string
	own   bool
}

// published is the copy that this gateway writes for everybody.
func (g *Guard) published() copyOf { return copyOf{g.public, string(g.public), true} }

// outside is the witness; false for none.
func (g *Guard) outside() (copyOf, bool) {
	switch w := g.cfg.Witness; {
	case w == "":
		return copyOf{}, false
	case config.Remote(w):
		return copyOf{books.NewMirror(w), w, false}, true
	default:
		return copyOf{books.Dir(w), w, false}, true
	}
}

// ask looks whether a copy of the books has come further than the ledger, or went
// another way. Our own copy speaks only where its lines go on from the ledger's, or
// are whole without it: anything else in it is damage, and it is written anew.
func (g *Guard) ask(ctx context.Context, c copyOf) error {
	head, err := g.ledger.Recovery.Head(ctx)
	if err != nil {
		return err
	}
	for name, ours := range map[string]ledger.Line{"ledger.jsonl": head.Ledger, "releases.jsonl": head.Releases} {
		tail, ok := c.Source.(books.Tail)
		if !ok {
			return fmt.Errorf("a copy of the books cannot be read: %s", c.where)
		}
		end, err := books.Last(tail, name)
		if err != nil && !errors.Is(err, books.ErrTorn) {
			return fmt.Errorf("a copy of the books cannot be read: %s: %w", c.where, err)
		}
		if err == nil && end.N <= ours.N {
			theirs := ledger.Line{N: end.N, SHA256: books.Hash(end.Line)}
			h := ledger.Head{Ledger: theirs}
			if name == "releases.jsonl" {
				h = ledger.Head{Releases: theirs}
			}
			if err := g.ledger.Recovery.Extends(ctx, h); err == nil {
				continue
			} else if !errors.Is(err, ledger.ErrBehind) {
				return err
			}
		}
		if err := g.weigh(c, name, ours, end.N, err); err != nil {
			return err
		}
	}
	return nil
}

// weigh reads a copy whose end is not one of the ledger's lines. Torn is why its end
// could not be read.
func (g *Guard) weigh(c copyOf, name string, ours ledger.Line, end int64, torn error) error {
	if _, mirror := c.Source.(*books.Mirror); mirror {
		if torn != nil {
			return fmt.Errorf("the witness cannot be read: %s: %w; mend it, or name another", c.where, torn)
		}
		return fmt.Errorf("%w, as %s of the witness %s says; %w", ledger.ErrBehind, name, c.where, errRestored)
	}
	goesOn, lines, broken := scan(c, name, ours)
	behind := fmt.Errorf("%w, as %s in %s says; %w", ledger.ErrBehind, name, c.where, errRestored)
	switch {
	case goesOn:
		return behind
	case broken == nil && lines > ours.N, broken == nil && !c.own:
		return behind // it went another way
	case c.own || lines <= ours.N && end <= ours.N:
		if !c.own {
			g.log.Warn("the witness is damaged; it is written anew", "directory", c.where, "error", broken)
		}
		return nil
	}
	return fmt.Errorf("the witness is damaged, and may have come further than this state directory: %s: %w; put a "+
		"good copy of it there, or, if there is none and this is the right state directory, remove that file", c.where,
		broken)
}

// scan follows a copy. It goes on from the ledger where a line that is the ledger's
// last has one behind it that names it. Lines are how many follow one from the other
// from the first on, broken is why not more.
func scan(c copyOf, name string, ours ledger.Line) (goesOn bool, lines int64, broken error) {
	chain := books.Chained{Name: name}
	met := ours.N == 0
	err := books.Reader{Source: c.Source}.Each(name, func(line string) error {
		var e struct {
			N    int64  `json:"n"`
			Prev string `json:"prev_sha256"`
		}
		if json.Unmarshal([]byte(line), &e) == nil {
			goesOn = goesOn || met && e.N == ours.N+1 && e.Prev == ours.SHA256
			met = met || e.N == ours.N && books.Hash(line) == ours.SHA256
		}
		if broken == nil {
			if broken = chain.Next(line); broken == nil {
				lines = chain.N()
			}
		}
		return nil
	})
	if broken == nil {
		broken = err
	}
	return goesOn, lines, broken
}

// best is the copies of the books put together for a recovery: of each chained book
// the one with the most lines that follow one from the other.
type best struct {
	copies []copyOf
	from   map[string]copyOf
	lines  map[string]int64
	broken []error // why a copy has no more
}

// best looks at our own copy and the one outside.
func (g *Guard) best() best {
	b := best{copies: []copyOf{g.published()}, from: make(map[string]copyOf), lines: make(map[string]int64)}
	if w, ok := g.outside(); ok {
		b.copies = append(b.copies, w)
	}
	for _, name := range chained {
		for _, c := range b.copies {
			_, lines, broken := scan(c, name, ledger.Line{})
			if broken != nil {
				b.broken = append(b.broken, fmt.Errorf("%s: %w", c.where, broken))
			}
			if lines > b.lines[name] {
				b.from[name], b.lines[name] = c, lines
			}
		}
	}
	return b
}

// errEnough ends a reading early.
var errEnough = errors.New("enough")

// Each implements ledger.Copy.
func (b best) Each(name string, f func(line string) error) error {
	limit, isChained := b.lines[name]
	if !isChained {
		for _, c := range b.copies { // of gaps, every line that any copy has
			if err := (books.Reader{Source: c.Source}).Each(name, f); err != nil {
				return fmt.Errorf("%s: %w", c.where, err)
			}
		}
		return nil
	}
	n := int64(0)
	err := books.Reader{Source: b.from[name].Source}.Each(name, func(line string) error {
		if n++; n > limit {
			return errEnough
		}
		return f(line)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
