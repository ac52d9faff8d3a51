package publicbooks

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/books"
	"sluice/gateway/ledger"
)

// What the public books say of earlier decisions cannot be made anew from the policy
// in force: their words, their votes, what their plans meant. The ledger keeps these
// files, and the public ones are made from it.

const (
	decisionsName = "decisions.json"
	streamsName   = "streams.json"
)

// files are the whole files of the public books: what the ledger keeps of them, and what
// is written. They are of the one goroutine that writes the books.
type files struct {
	ledger ledger.Files
	public books.Dir
	shelf  *books.Shelf
	log    *slog.Logger

	kept     map[string]string // SHA-256 of files that the ledger keeps
	read     bool              // kept is what the ledger keeps
	restored []string          // books that were written anew in this round
}

func newFiles(l ledger.Files, public books.Dir, log *slog.Logger) *files {
	return &files{ledger: l, public: public, shelf: books.NewShelf(public), log: log, kept: make(map[string]string)}
}

// put writes a whole file of the public books, and notes where somebody else has
// changed it.
func (f *files) put(name string, raw []byte) error {
	found, err := f.shelf.Put(name, raw)
	if err == nil && found != books.Right {
		f.restored = append(f.restored,
			fmt.Sprintf("%s (%s)", filepath.Join(string(f.public), filepath.FromSlash(name)),
				found))
	}
	return err
}

// logRestored says in one line which public books were written anew, and what they were: a
// directory that is gone is many.
func (f *files) logRestored() {
	if n := len(f.restored); n > 0 {
		f.log.Warn("public books were not as they were left, and were written anew", "count", n,
			"files", strings.Join(f.restored[:min(n, 5)], ", "))
		f.restored = nil
	}
}

func (f *files) putJSON(name string, v any) error {
	raw, err := books.JSON(v)
	if err != nil {
		return err
	}
	return f.put(name, raw)
}

// keep has the ledger keep a file; putKept writes it.
func (f *files) keep(ctx context.Context, name string, raw []byte) error {
	sum := books.Sum(raw)
	if f.kept[name] == sum {
		return nil
	}
	if err := f.ledger.Put(ctx, name, raw); err != nil {
		return err
	}
	f.kept[name] = sum
	return nil
}

// keepOnly forgets files of a directory that are no longer true.
func (f *files) keepOnly(ctx context.Context, dir string, names map[string][]byte) error {
	for name := range f.kept {
		if _, still := names[name]; still || !strings.HasPrefix(name, dir) {
			continue
		}
		if err := f.ledger.Delete(ctx, name); err != nil {
			return err
		}
		delete(f.kept, name)
	}
	return nil
}

// readKept learns once what the ledger keeps. A ledger of an earlier version keeps
// nothing yet: then what lies in the public books is taken over.
func (f *files) readKept(ctx context.Context) error {
	if f.read {
		return nil
	}
	names, err := f.ledger.Names(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		raw, err := f.ledger.Get(ctx, name)
		if err != nil {
			return err
		}
		f.kept[name] = books.Sum(raw)
	}
	if f.kept[decisionsName] == "" {
		if err := f.takeOver(ctx); err != nil {
			return err
		}
	}
	if f.kept[streamsName] == "" {
		if err := f.takeOverStreams(ctx); err != nil {
			return err
		}
	}
	f.read = true
	return nil
}

// takeOver takes over from the public books.
func (f *files) takeOver(ctx context.Context) error {
	raw, err := f.public.Get(decisionsName)
	var list []books.Decision
	if errors.Is(err, fs.ErrNotExist) || err == nil && json.Unmarshal(raw, &list) != nil {
		return nil // new, or damaged: made from the policy in force
	}
	if err != nil {
		return err
	}
	for _, dir := range []string{"decisions", "plans"} {
		err := fs.WalkDir(os.DirFS(string(f.public)), dir, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && (d.IsDir() || strings.HasSuffix(name, ".part")) {
				return nil
			}
			if err != nil {
				return err
			}
			raw, err := f.public.Get(name)
			if err != nil || dir == "plans" && name != "plans/"+books.Sum(raw)+".json" {
				return err
			}
			return f.keep(ctx, name, raw)
		})
		if err != nil {
			return err
		}
	}
	return f.keep(ctx, decisionsName, raw)
}

// putKept makes the public files what the ledger keeps. Those that are as they were
// left are not read.
func (f *files) putKept(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(f.kept))
	slices.SortStableFunc(names, func(a, b string) int { // what names the others comes last
		return cmp.Compare(strings.Count(b, "/"), strings.Count(a, "/"))
	})
	for _, name := range names {
		sum := f.kept[name]
		if same, err := f.shelf.Has(name, sum); err != nil || same {
			if err != nil {
				return err
			}
			continue
		}
		raw, err := f.ledger.Get(ctx, name)
		if err != nil {
			return err
		}
		if err := f.put(name, raw); err != nil {
			return err
		}
	}
	return nil
}

// takeOverStreams takes over which streams there were from the public books.
func (f *files) takeOverStreams(ctx context.Context) error {
	raw, err := f.public.Get(streamsName)
	var list []books.Stream
	if errors.Is(err, fs.ErrNotExist) || err == nil && json.Unmarshal(raw, &list) != nil {
		return nil // new, or damaged: made from the policy in force
	}
	if err != nil {
		return err
	}
	return f.keep(ctx, streamsName, raw)
}
