package copies

import (
	"encoding/json"
	"errors"
	"time"

	"sluice/books"
)

// The books whose lines are compared: what was paid for, what was released, and what became of it.
const (
	ledger   = "ledger.jsonl"
	releases = "releases.jsonl"
	archived = "archive.jsonl"
	removals = "removals.jsonl"
)

var chained = []string{ledger, releases, archived, removals}

// remembered is how many of a chain's last lines are known. One that is older needs no comparison
// of its own: each names the hash of the one before.
const remembered = 1024

// mark is a line of a chain.
type mark struct {
	hash string
	end  int64 // bytes of the file up to it, and with it
	paid int64 // the line of the ledger that a release names
}

// chain follows one growing book of a copy. One goroutine has it.
type chain struct {
	name     string
	follower *books.Follower
	lines    books.Chained
	end      int64
	marks    []mark // the last ones
	older    mark   // a line before those that was asked for
	olderN   int64  // its number; 0 for none
	closed   map[string]time.Time
}

func newChain(source books.Source, name string) *chain {
	return &chain{name: name, follower: books.NewFollower(source, name), lines: books.Chained{Name: name}}
}

// read reads new lines, and once more up to a line that is asked for and forgotten. A line of ledger or
// releases that does not follow from the one before is an error, until the file is another one.
func (c *chain) read(source books.Source, ask int64) error {
	if err := c.more(); err != nil {
		return err
	}
	if _, some := c.known().at(ask); some || ask <= 0 || ask > c.lines.N() {
		return nil
	}
	n, end := int64(0), int64(0)
	err := books.Reader{Source: source}.Each(c.name, func(line string) error {
		if n, end = n+1, end+int64(len(line))+1; n < ask {
			return nil
		}
		c.older, c.olderN = mark{hash: books.Hash(line), end: end}, ask
		return errFound
	})
	if errors.Is(err, errFound) {
		return nil
	}
	return err
}

var errFound = errors.New("found")

func (c *chain) more() error {
	return c.follower.Next(func() {
		c.lines, c.end, c.marks, c.olderN = books.Chained{Name: c.name}, 0, nil, 0
		c.closed = make(map[string]time.Time)
	}, func(text string) error {
		next := c.lines // which counts a line that it refuses
		if err := next.Next(text); err != nil && (c.name == ledger || c.name == releases) {
			return err
		}
		next.After(c.lines.N()+1, text) // what became of numbers hangs on no line before
		var r struct {
			Ledger int64     `json:"ledger"`
			Stream string    `json:"stream"`
			End    time.Time `json:"end"`
		}
		if c.name == releases && json.Unmarshal([]byte(text), &r) == nil && r.End.After(c.closed[r.Stream]) {
			c.closed[r.Stream] = r.End
		}
		c.lines, c.end = next, c.end+int64(len(text))+1
		if c.marks = append(c.marks, mark{books.Hash(text), c.end, r.Ledger}); len(c.marks) >= 2*remembered {
			c.marks = append(c.marks[:0:0], c.marks[len(c.marks)-remembered:]...)
		}
		return nil
	})
}

// known is a chain as it was read: n lines, of which the last ones are remembered. It is immutable.
type known struct {
	n     int64
	end   int64
	marks []mark

	older  mark
	olderN int64
}

func (c *chain) known() known {
	return known{c.lines.N(), c.end, c.marks[:len(c.marks):len(c.marks)], c.older, c.olderN}
}

// at is a line by its number; false where it is not there, or forgotten.
func (k known) at(n int64) (mark, bool) {
	if n > 0 && n == k.olderN {
		return k.older, true
	}
	i := n - (k.n - int64(len(k.marks))) - 1
	if n > k.n || i < 0 {
		return mark{}, false
	}
	return k.marks[i], true
}

// parts is the first line that two chains have differently; 0 where they agree as far as can be
// told. Exact is false where they may have parted before.
func (k known) parts(other known) (line int64, exact bool) {
	for n := min(k.n, other.n); n > 0; n-- {
		a, some := k.at(n)
		b, too := other.at(n)
		if !some || !too {
			return line, false
		}
		if a.hash == b.hash {
			return line, true
		}
		line = n
	}
	return line, true
}
