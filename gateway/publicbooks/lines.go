package publicbooks

import (
	"context"
	"fmt"
	"path/filepath"

	"sluice/books"
	"sluice/gateway/config"
)

// lines are the books that only grow.
type lines struct {
	files   *files
	ledger  pages
	growing map[string]*books.Growing // by path
	witness string                    // a copy outside; empty for none
	fresh   bool                      // no ledger was here before
	trusted func() bool               // this state directory is the latest
}

// pages are the lines that the ledger has for a growing book.
type pages interface {
	Page(ctx context.Context, name string, at int64) (lines []string, next int64, err error)
}

// growingBooks are the files that only grow.
var growingBooks = []string{"ledger.jsonl", "gaps.jsonl", "releases.jsonl", "withdrawals.jsonl", "removals.jsonl",
	books.ArchiveName}

// write brings the growing books up to date. They are left alone until this state directory
// is known to be the latest: a copy that has come further says that it is not.
func (l *lines) write(ctx context.Context) error {
	if !l.trusted() {
		return nil
	}
	for _, name := range growingBooks {
		for _, dir := range l.copies() {
			if err := l.bring(ctx, dir, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// bring brings a growing book up to date, and notes what was wrong with it.
func (l *lines) bring(ctx context.Context, dir books.Dir, name string) error {
	path := filepath.Join(string(dir), name)
	b := l.growing[path]
	begun := b != nil
	if !begun {
		b = books.NewGrowing(dir, name)
		l.growing[path] = b
	}
	found, err := b.Bring(ctx, func(ctx context.Context, at int64) ([]string, int64, error) {
		return l.ledger.Page(ctx, name, at)
	})
	switch {
	case err != nil || found == books.Right:
	case found == books.Missing && l.fresh && !begun: // a new directory's first lines came before its first books
	case found == books.Behind:
		l.files.log.Info("a public book was behind the ledger and is up to date again", "file", path)
	default:
		l.files.restored = append(l.files.restored, fmt.Sprintf("%s (%s)", path, found))
	}
	return err
}

// copies are where growing books are written: the public books and, where there
// is one, the directory outside. A copy that holds more than the ledger is not
// touched: releases wait until it has been looked at.
func (l *lines) copies() []books.Dir {
	dirs := []books.Dir{l.files.public}
	if w := l.witness; w != "" && !config.Remote(w) && l.trusted() {
		dirs = append(dirs, books.Dir(w))
	}
	return dirs
}
