package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/books"
	"sluice/gateway/release"
)

// memoryLog is a log whose writers may be unlucky: an append may fail before it is there, or
// behind it.
type memoryLog struct {
	mu     sync.Mutex
	bodies [][]byte
	before bool // the next append fails, and nothing is there
	behind bool // the next one fails, and it is there
	// dies: all fail behind so many more; diesBehind: the first of them is there.
	dies, diesBehind bool
	after            int
}

var errAway = errors.New("the machines are away")

func (m *memoryLog) Append(_ context.Context, after uint64, body []byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.before {
		m.before = false
		return 0, errAway
	}
	if m.dies {
		if m.after--; m.after < -1 || m.after < 0 && !m.diesBehind {
			return 0, errAway
		}
	}
	if after != uint64(len(m.bodies)) {
		return 0, ErrOvertaken
	}
	m.bodies = append(m.bodies, slices.Clone(body))
	if m.behind || m.dies && m.after < 0 {
		m.behind = false
		return 0, errAway
	}
	return uint64(len(m.bodies)), nil
}

func (m *memoryLog) Each(_ context.Context, after uint64, f func(uint64, []byte) error) error {
	m.mu.Lock()
	bodies := slices.Clone(m.bodies)
	m.mu.Unlock()
	for n := int(after); n < len(bodies); n++ {
		if err := f(uint64(n+1), bodies[n]); err != nil {
			return err
		}
	}
	return nil
}

// sharedTables are the books, of which two files that have followed the same log have the same. What is
// on its way to the store is each machine's.
var sharedTables = []string{
	"entry", "journal", "released", "withdrawal", "policy", "unfinished", "gap", "through", "kept", "removal",
	"archived", "shared",
}

func dump(t testing.TB, l *Ledger) string {
	t.Helper()
	var out strings.Builder
	for _, table := range sharedTables {
		rows, err := l.db.Query("SELECT * FROM " + table + " ORDER BY 1, 2")
		if err != nil {
			rows, err = l.db.Query("SELECT * FROM " + table + " ORDER BY 1")
		}
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			list := make([]any, len(columns))
			for i := range list {
				list[i] = new(any)
			}
			if err := rows.Scan(list...); err != nil {
				t.Fatal(err)
			}
			out.WriteString(table)
			for _, v := range list {
				fmt.Fprintf(&out, " %v", *v.(*any))
			}
			out.WriteByte('\n')
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// TestSharedBooks: whatever machines write into books that they share, in whichever order and
// with whatever luck, each has the same books when it has followed, line by line; and what one
// was told is written is there.
func TestSharedBooks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := &memoryLog{}
		dir := tempDir(rt)
		var list []*Ledger
		for _, name := range []string{"a.db", "b.db"} {
			l := shareAt(rt, filepath.Join(dir, name), log, false)
			defer func() { _ = l.Close() }()
			list = append(list, l)
		}
		said := make(map[string]bool)
		for range rapid.IntRange(1, 25).Draw(rt, "writes") {
			l := list[rapid.IntRange(0, 1).Draw(rt, "machine")]
			switch rapid.IntRange(0, 5).Draw(rt, "luck") {
			case 0:
				log.before = true
			case 1:
				log.behind = true
			}
			what, err := write(rt, l)
			log.before, log.behind = false, false
			if err == nil {
				said[what] = true
			} else if !errors.Is(err, errAway) && !errors.Is(err, ErrOvertaken) && !errors.Is(err, errAnotherPolicy) {
				rt.Fatal(what, err)
			}
		}
		for _, l := range list {
			if err := l.Follow(context.Background()); err != nil {
				rt.Fatal(err)
			}
		}
		first := dump(t, list[0])
		for what := range said {
			if !strings.Contains(first, what) {
				rt.Fatalf("%s was written, and is not there", what)
			}
		}
		if second := dump(t, list[1]); second != first {
			rt.Fatalf("one has\n%s\nthe other\n%s", first, second)
		}
		third := shareAt(rt, filepath.Join(dir, "c.db"), log, true) // it reads all of it
		defer func() { _ = third.Close() }()
		if again := dump(t, third); again != first {
			rt.Fatalf("one has\n%s\nwho came later\n%s", first, again)
		}
		if n, _, err := third.Outbox.Waiting(context.Background()); n != 0 || err != nil {
			rt.Fatalf("%d windows wait on a machine that has no store, %v", n, err)
		}
		if err := third.Check(context.Background()); err != nil {
			rt.Fatal(err)
		}
	})
}

func tempDir(rt *rapid.T) string {
	dir, err := os.MkdirTemp("", "shared")
	if err != nil {
		rt.Fatal(err)
	}
	rt.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func shareAt(rt *rapid.T, path string, log Log, lean bool) *Ledger {
	l, err := Open(context.Background(), path, "town", 1<<20)
	if err == nil { // no power fails here, and there are hundreds of files
		_, err = l.db.ExecContext(context.Background(), "PRAGMA synchronous = OFF")
	}
	if err == nil {
		err = l.Share(context.Background(), log, lean)
	}
	if err != nil {
		rt.Fatal(err)
	}
	return l
}

// write does something to the books, and returns a text that they have when it is done.
func write(rt *rapid.T, l *Ledger) (string, error) {
	ctx := context.Background()
	h := rapid.IntRange(0, 9).Draw(rt, "hour")
	at := time.Date(2026, 3, 2, h, 0, 0, 0, time.UTC)
	switch rapid.IntRange(0, 6).Draw(rt, "what") {
	case 0:
		decision := fmt.Sprintf("decision-%d", h)
		_, err := l.Reserve(ctx, reservation(decision, "p", "2026-03-02", 0.01))
		return `"decision":"` + decision + `"`, err
	case 1:
		c := release.Commit{Key: release.Key{Stream: "s", Start: at}, End: at.Add(time.Hour), Policy: "p",
			Gap: "keys_lost"}
		return fmt.Sprintf("journal s %d ", at.UnixNano()), l.Commit(ctx, c)
	case 2:
		name := fmt.Sprintf("motions/%d.txt", h)
		return "kept " + name, l.Files.Put(ctx, name, []byte(name))
	case 3:
		list, err := l.Outbox.Next(ctx, 1)
		if err != nil || len(list) == 0 {
			return "", err
		}
		return "", l.Outbox.Delivered(ctx, list[0].Seq)
	case 4:
		return fmt.Sprintf(`"start":"%s"`, at.Format(time.RFC3339)), l.Journal.SayLost(ctx, "s", at, at.Add(time.Hour))
	case 5:
		digest := fmt.Sprintf("policy-%d", h)
		n, err := l.Policies.Number(ctx)
		if err != nil {
			return "", err
		}
		return digest, l.Policies.Enact(ctx, Version{Digest: digest, Packed: []byte{0, 255}, Since: at}, n)
	}
	r := books.Removal{Stream: "s", Decision: fmt.Sprint("d", h), Retain: "P1D", Until: at, At: at.Add(time.Hour)}
	err := l.Removals.Enter(ctx, r)
	if errors.Is(err, ErrRemoval) {
		err = nil
	}
	return `"decision":"` + r.Decision + `"`, err
}

// TestSharedAfterAKill: what was in the log, and not here when the machine was killed, is here
// after the next start; and who was told of a failure may find that it was none.
func TestSharedAfterAKill(t *testing.T) {
	ctx, log := t.Context(), &memoryLog{}
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, 1<<20)
	if err := l.Share(ctx, log, false); err != nil {
		t.Fatal(err)
	}
	log.behind = true
	if _, err := l.Reserve(ctx, reservation("a", "p", "2026-03-02", 0.5)); !errors.Is(err, errAway) {
		t.Fatalf("it says %v", err)
	}
	if n, _, err := last(ctx, l.db, "entry"); n != 0 || err != nil {
		t.Fatalf("what nobody has confirmed is line %d already, %v", n, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path, 1<<20).Share(ctx, log, false); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path, 1<<20).Files.Put(ctx, "x", nil); !errors.Is(err, ErrShared) {
		t.Errorf("who writes past the log: %v", err)
	}
	l = open(t, path, 1<<20)
	if err := l.Share(ctx, log, false); err != nil {
		t.Fatal(err)
	}
	paid, err := l.Reserve(ctx, reservation("a", "p", "2026-03-02", 0.5))
	if err != nil || paid.Line != 1 || len(log.bodies) != 1 {
		t.Fatalf("it is paid by line %d, %v; the log has %d", paid.Line, err, len(log.bodies))
	}
}

// TestSharedRefuses: a log that is shorter, or continues other books, or has what no ledger
// does, changes nothing.
func TestSharedRefuses(t *testing.T) {
	ctx := t.Context()
	made := func(name string, log Log, write bool) *Ledger {
		l := open(t, filepath.Join(t.TempDir(), name), 1<<20)
		if write {
			if _, err := l.Reserve(ctx, reservation("before", "p", "2026-03-02", 0.1)); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Share(ctx, log, false); err != nil {
			t.Fatal(err)
		}
		return l
	}
	log := &memoryLog{}
	l := made("a.db", log, false)
	for _, name := range []string{"a", "b"} {
		if err := l.Files.Put(ctx, name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	whole := log.bodies
	for what, c := range map[string]struct {
		bodies [][]byte
		want   error
	}{
		"shorter":          {whole[:1], ErrShorter},
		"empty":            {nil, ErrShorter},
		"another's end":    {[][]byte{whole[0], whole[0]}, ErrShorter},
		"not one of it":    {append(slices.Clone(whole), whole[0]), ErrOtherBooks},
		"a wild statement": {append(slices.Clone(whole), wild(t, whole[1], "DROP TABLE entry")), errUnknown},
		"no JSON":          {append(slices.Clone(whole), []byte("x")), errUnknown},
	} {
		was := dump(t, l)
		log.bodies = c.bodies
		if err := l.Follow(ctx); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", what, err, c.want)
		}
		if is := dump(t, l); is != was {
			t.Errorf("%s has changed the books", what)
		}
	}
	log.bodies = whole
	other := open(t, filepath.Join(t.TempDir(), "b.db"), 1<<20)
	if _, err := other.Reserve(ctx, reservation("own", "p", "2026-03-02", 0.1)); err != nil {
		t.Fatal(err)
	}
	if err := other.Share(ctx, log, false); !errors.Is(err, ErrOtherBooks) {
		t.Errorf("a ledger with lines of its own: %v", err)
	}
	named := &memoryLog{}
	of := release.Commit{Key: release.Key{Stream: "s", Start: time.Unix(0, 0)}, End: time.Unix(3600, 0), Policy: "p"}
	if err := made("d.db", named, false).Commit(ctx, of); err != nil {
		t.Fatal(err)
	}
	stranger, err := Open(ctx, filepath.Join(t.TempDir(), "e.db"), "another", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if err := stranger.Share(ctx, named, false); err == nil || !strings.Contains(err.Error(), "the same name") {
		t.Errorf("a machine of another name: %v", err)
	}
	moved := &memoryLog{} // one machine's books become those of several
	made("c.db", moved, true)
}

// wild is a transaction behind another with a statement that no ledger has.
func wild(t *testing.T, before []byte, text string) []byte {
	t.Helper()
	body, err := encode((place{}).next(1, before), []effect{{Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}
