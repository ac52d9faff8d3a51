package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/books"
)

// pages are a book as the ledger has it.
type pages []string

func (p *pages) read(_ context.Context, after, most int64) ([]string, error) {
	rest := (*p)[min(int64(len(*p)), after):]
	return rest[:min(int64(len(rest)), most)], nil
}

func (p *pages) write(n int) {
	for range n {
		*p = append(*p, fmt.Sprintf(`{"n":%d,"text":"a line of some length"}`, len(*p)+1))
	}
}

func (p *pages) text() string { return strings.Join(*p, "\n") + "\n" }

// TestGrowing: whatever becomes of a public book, while the gateway runs or before it
// starts, it is again what the ledger says. A copy outside is only ever added to.
func TestGrowing(t *testing.T) {
	harms := map[string]struct {
		harm func(b []byte) []byte // nil: it is removed
		// added says that what is left is a beginning of the book.
		added bool
	}{
		"removed":            {nil, true},
		"empty":              {func([]byte) []byte { return []byte{} }, true},
		"cut at a line":      {func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)/2], '\n')+1] }, true},
		"cut in a line":      {func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)/2], '\n')+7] }, true},
		"half a line more":   {func(b []byte) []byte { return append(b, `{"n":2501,"te`...) }, true},
		"a bit in the first": {func(b []byte) []byte { b[3] ^= 1; return b }, false},
		"a bit in the last":  {func(b []byte) []byte { b[len(b)-5] ^= 1; return b }, false},
		"a line feed gone":   {func(b []byte) []byte { b[len(b)-1] = ' '; return b }, true},
		"zeros":              {func(b []byte) []byte { return make([]byte, len(b)) }, false},
		"zeros in front":     {func(b []byte) []byte { return append(make([]byte, 3000), b...) }, false},
		"a hole behind":      {func(b []byte) []byte { return append(b, make([]byte, 3000)...) }, false},
		"lines of another":   {func(b []byte) []byte { return append(b, "{\"n\":2501}\n{\"n\":2502}\n"...) }, false},
		"one line for ever":  {func([]byte) []byte { return bytes.Repeat([]byte("x"), 3<<20) }, false},
	}
	for name, h := range harms {
		for _, running := range []bool{true, false} {
			for _, own := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/running %v/own %v", name, running, own), func(t *testing.T) {
					ctx, dir := context.Background(), t.TempDir()
					book := &pages{}
					book.write(2500)
					begin := func() *growing { return &growing{dir: books.Dir(dir), name: "b.jsonl", own: own, read: book.read} }
					b := begin()
					if _, err := b.update(ctx, true); err != nil {
						t.Fatal(err)
					}
					path := filepath.Join(dir, "b.jsonl")
					if read(t, path) != book.text() {
						t.Fatal("the book is not what the ledger has")
					}
					harm(t, path, h.harm)
					hurt := read(t, path)
					if !running {
						b = begin()
					}
					book.write(2)
					anew, err := b.update(ctx, true)
					if !own && !h.added {
						if !errors.Is(err, errAhead) || read(t, path) != hurt {
							t.Errorf("a copy outside that is none was touched: %v", err)
						}
						return
					}
					if err != nil || read(t, path) != book.text() {
						t.Errorf("the book is not what the ledger has: %v", err)
					}
					if anew != (own && !h.added) {
						t.Errorf("written anew: %v", anew)
					}
					book.write(1)
					if anew, err = b.update(ctx, true); err != nil || anew || read(t, path) != book.text() {
						t.Errorf("it does not go on: %v, %v", anew, err)
					}
				})
			}
		}
	}
}

// TestGrowingWaitsForTrust: what may know better than the ledger is left as it is.
func TestGrowingWaitsForTrust(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	later, earlier := &pages{}, &pages{}
	later.write(9)
	earlier.write(4)
	path := filepath.Join(dir, "b.jsonl")
	if err := os.WriteFile(path, []byte(later.text()), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &growing{dir: books.Dir(dir), name: "b.jsonl", own: true, read: earlier.read}
	if _, err := b.update(ctx, false); err != nil || read(t, path) != later.text() {
		t.Errorf("a book that is ahead was cut before anybody asked it: %v", err)
	}
	if anew, err := b.update(ctx, true); err != nil || !anew || read(t, path) != earlier.text() {
		t.Errorf("then it was not written anew: %v", err)
	}
}

func harm(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	if f == nil {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(path, f([]byte(read(t, path))), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(raw)
}
