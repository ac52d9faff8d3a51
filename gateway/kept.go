package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/books"
)

// What the public books say of earlier decisions cannot be made anew from the policy
// in force: their words, their votes, what their plans meant. The ledger keeps these
// files, and the public ones are made from it.

const (
	decisionsName = "decisions.json"
	streamsName   = "streams.json"
)

// put writes a whole file of the public books, and notes where somebody else has
// changed it.
func (g *Gateway) put(name string, raw []byte) error {
	found, err := g.shelf.Put(name, raw)
	if err == nil && found != books.Right {
		g.anew = append(g.anew, fmt.Sprintf("%s (%s)", filepath.Join(string(g.public), filepath.FromSlash(name)), found))
	}
	return err
}

// sayAnew says in one line which public books were written anew, and what they were: a
// directory that is gone is many.
func (g *Gateway) sayAnew() {
	if n := len(g.anew); n > 0 {
		g.log.Warn("public books were not as they were left, and were written anew", "count", n, "files", strings.Join(g.anew[:min(n, 5)], ", "))
		g.anew = nil
	}
}

func (g *Gateway) putJSON(name string, v any) error {
	raw, err := books.JSON(v)
	if err != nil {
		return err
	}
	return g.put(name, raw)
}

// keep has the ledger keep a file; putKept writes it.
func (g *Gateway) keep(ctx context.Context, name string, raw []byte) error {
	sum := books.Sum(raw)
	if g.kept[name] == sum {
		return nil
	}
	if err := g.ledger.Keep(ctx, name, raw); err != nil {
		return err
	}
	g.kept[name] = sum
	return nil
}

// keepOnly forgets files of a directory that are no longer true.
func (g *Gateway) keepOnly(ctx context.Context, dir string, names map[string][]byte) error {
	for name := range g.kept {
		if _, still := names[name]; still || !strings.HasPrefix(name, dir) {
			continue
		}
		if err := g.ledger.Forget(ctx, name); err != nil {
			return err
		}
		delete(g.kept, name)
	}
	return nil
}

// readKept learns once what the ledger keeps. A ledger of an earlier version keeps
// nothing yet: then what lies in the public books is taken over.
func (g *Gateway) readKept(ctx context.Context) error {
	if g.keptRead {
		return nil
	}
	names, err := g.ledger.KeptNames(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		raw, err := g.ledger.Kept(ctx, name)
		if err != nil {
			return err
		}
		g.kept[name] = books.Sum(raw)
	}
	if g.kept[decisionsName] == "" {
		if err := g.takeOver(ctx); err != nil {
			return err
		}
	}
	if g.kept[streamsName] == "" {
		if err := g.takeOverStreams(ctx); err != nil {
			return err
		}
	}
	g.keptRead = true
	return nil
}

// takeOverStreams takes over which streams there were from the public books.
func (g *Gateway) takeOverStreams(ctx context.Context) error {
	raw, err := g.public.Get(streamsName)
	var list []books.Stream
	if errors.Is(err, fs.ErrNotExist) || err == nil && json.Unmarshal(raw, &list) != nil {
		return nil // new, or damaged: made from the policy in force
	}
	if err != nil {
		return err
	}
	return g.keep(ctx, streamsName, raw)
}

// keepStreams keeps what the policy's streams are, and behind them those that were there
// before and are not run any more: what they have released is public, and only their
// description says what it is.
func (g *Gateway) keepStreams(ctx context.Context, streams []books.Stream) error {
	if g.described == nil {
		raw, err := g.ledger.Kept(ctx, streamsName)
		if err != nil {
			return err
		}
		if raw != nil {
			if err := json.Unmarshal(raw, &g.described); err != nil {
				return err
			}
		}
	}
	g.described = withPast(streams, g.described)
	through, err := g.ledger.Resume(ctx)
	if err != nil {
		return err
	}
	raw, err := books.JSON(withReleases(g.described, through))
	if err != nil {
		return err
	}
	return g.keep(ctx, streamsName, raw)
}

// withReleases leaves out what is not run and has released nothing, such as what was
// taken out before its first day: nobody can have read of it.
func withReleases(streams []books.Stream, through map[string]time.Time) []books.Stream {
	return slices.DeleteFunc(slices.Clone(streams), func(s books.Stream) bool {
		_, released := through[s.ID]
		return s.Stopped && !released
	})
}

// withPast are streams, and of those before them whose ids they do not have.
func withPast(streams, before []books.Stream) []books.Stream {
	out := slices.Clone(streams)
	for _, old := range before {
		if !slices.ContainsFunc(streams, func(s books.Stream) bool { return s.ID == old.ID }) {
			old.Stopped = true
			out = append(out, old)
		}
	}
	return out
}

// takeOver takes over from the public books.
func (g *Gateway) takeOver(ctx context.Context) error {
	raw, err := g.public.Get(decisionsName)
	var list []books.Decision
	if errors.Is(err, fs.ErrNotExist) || err == nil && json.Unmarshal(raw, &list) != nil {
		return nil // new, or damaged: made from the policy in force
	}
	if err != nil {
		return err
	}
	for _, dir := range []string{"decisions", "plans"} {
		err := fs.WalkDir(os.DirFS(string(g.public)), dir, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && (d.IsDir() || strings.HasSuffix(name, ".part")) {
				return nil
			}
			if err != nil {
				return err
			}
			raw, err := g.public.Get(name)
			if err != nil || dir == "plans" && name != "plans/"+books.Sum(raw)+".json" {
				return err
			}
			return g.keep(ctx, name, raw)
		})
		if err != nil {
			return err
		}
	}
	return g.keep(ctx, decisionsName, raw)
}

// decided is decisions.json as it was written last.
func (g *Gateway) decided(ctx context.Context) (list []books.Decision, err error) {
	raw, err := g.ledger.Kept(ctx, decisionsName)
	if err != nil || raw == nil {
		return nil, err
	}
	return list, json.Unmarshal(raw, &list)
}

// putKept makes the public files what the ledger keeps. Those that are as they were
// left are not read.
func (g *Gateway) putKept(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(g.kept))
	slices.SortStableFunc(names, func(a, b string) int { // what names the others comes last
		return cmp.Compare(strings.Count(b, "/"), strings.Count(a, "/"))
	})
	for _, name := range names {
		sum := g.kept[name]
		if same, err := g.shelf.Has(name, sum); err != nil || same {
			if err != nil {
				return err
			}
			continue
		}
		raw, err := g.ledger.Kept(ctx, name)
		if err != nil {
			return err
		}
		if err := g.put(name, raw); err != nil {
			return err
		}
	}
	return nil
}
