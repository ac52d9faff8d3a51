// Package archive makes whole files of what was released, for tools: a month of a stream as
// compressed CSV and as Parquet, and a year of all streams as one SQLite file.
//
//	STREAM/YYYY/MM.csv.gz  STREAM/YYYY/MM.parquet   a closed month: it does not change
//	STREAM/latest.csv.gz   STREAM/latest.parquet    the months that are not closed yet
//	YYYY.db                all closed months of a year
//	manifest.json          every file with its size and SHA-256, and what was left out
//	datapackage.json schema.json                    the same as a Frictionless Data Package
//
// A month is closed when the public books say what it has: each gateway's line of
// archive.jsonl has the SHA-256 of its rows' text (store/table). The archive makes a month's
// files from the store and offers them only if that text has that digest. With one gateway
// this is the digest of the CSV file before compression.
//
// A closed month changes only when something in it is withdrawn, or comes late. Its files are
// taken away when the books say so, and made again when they have the new line. Where numbers
// were removed because their decision's time was over, the month's files go as a whole.
//
// The same rows make the same bytes, with the same version of this program. One file is made
// at a time, holding some thousands of rows; it gets its name when it is whole. All files
// together take at most Config.MaxBytes.
package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sluice/opendata/query"
)

// Config is where files are kept, and how many bytes of them.
type Config struct {
	Dir      string // empty: a temporary directory, which goes at the end
	MaxBytes int64  // 0: 10 GiB, or 1 GiB in a temporary directory
}

const (
	maxBytes     = 10 << 30
	maxTemporary = 1 << 30
)

// Archive makes and offers the files of one city.
type Archive struct {
	source *query.Source
	log    *slog.Logger
	max    int64
	base   string // the public address; empty where it is not known

	// of the one goroutine that runs it
	lock   *os.File
	failed map[string]failure // by path: what could not be made, and of which key
	firsts map[string]time.Time
	remade map[string]remade // by stream, of its latest files

	mu      sync.RWMutex
	dir     string           // guarded by mu
	files   map[string]*kept // by path; guarded by mu
	through time.Time        // guarded by mu
	leftOut []LeftOut        // guarded by mu
	changed []Changed        // guarded by mu
}

// failure is what could not be made, and when it is tried again.
type failure struct {
	key   string
	why   LeftOut
	rest  time.Duration
	again time.Time
}

// remade is when the latest files of a stream were made, and how long that took.
type remade struct {
	at   time.Time
	took time.Duration
}

// Open takes the directory of cfg; base is the public address, if known. It refuses a
// directory that has other things, or that another server uses.
func Open(cfg Config, source *query.Source, base string, log *slog.Logger) (*Archive, error) {
	a := &Archive{source: source, log: log, max: cfg.MaxBytes, base: base, dir: cfg.Dir,
		failed: make(map[string]failure), firsts: make(map[string]time.Time), remade: make(map[string]remade),
		files: make(map[string]*kept)}
	if a.dir == "" {
		if a.max == 0 {
			a.max = maxTemporary
		}
		return a, nil // Run makes one
	}
	if a.max == 0 {
		a.max = maxBytes
	}
	if err := a.take(); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return a, nil
}

// How often it is looked whether there is something to make. A stream's latest files are
// made again when it has been remakeAfter, and a hundred times as long as it took, an hour at
// most: other servers of the same city make theirs at other moments. What could not be made rests as long, and twice as
// long each time after that, againAfter at most; what would be too large rests that at once.
const (
	lookAfter      = 500 * time.Millisecond
	lookEvery      = 10 * time.Second
	remakeAfter    = 10 * time.Second
	remakeAtLatest = time.Hour
	againAfter     = time.Hour
)

// Run makes files until ctx ends. Where it cannot, it says so, and nothing else stops.
func (a *Archive) Run(ctx context.Context) {
	if a.dir == "" {
		sweep(os.TempDir(), time.Now().Add(-time.Hour))
		dir, err := os.MkdirTemp("", temporary+"*")
		if err != nil {
			a.log.Warn("there is no archive: no temporary directory can be made", "error", err)
			return
		}
		defer os.RemoveAll(dir)
		a.mu.Lock()
		a.dir = dir
		a.mu.Unlock()
		if err := a.take(); err != nil {
			a.log.Warn("there is no archive", "error", err)
			return
		}
		a.log.Info("the archive's files are made again at every start; give archive: DIR to keep them", "dir", dir)
	}
	defer a.Close()
	a.load(ctx)
	for wait, said := lookAfter, ""; ; wait = lookEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		err := a.look(ctx)
		if ctx.Err() != nil {
			return
		}
		now := ""
		if err != nil {
			now = err.Error()
		}
		if now != "" && now != said {
			a.log.Warn("the archive cannot be brought up to date; it is tried again", "error", err)
		}
		said = now
	}
}

// Close gives the directory back.
func (a *Archive) Close() error {
	if a.lock == nil {
		return nil
	}
	lock := a.lock
	a.lock = nil
	return lock.Close()
}

// look makes what is missing, and takes away what does not hold any more.
func (a *Archive) look(ctx context.Context) error {
	p, err := a.plan(ctx)
	if err != nil {
		return err
	}
	if err := a.drop(p); err != nil {
		return err
	}
	left := p.leftOut
	var errs []error
	for _, items := range []func() []item{
		func() []item { return p.items }, func() []item { return a.years(p.months) },
	} {
		for _, todo := range items() {
			why, err := a.make(ctx, todo)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				errs = append(errs, err)
			}
			if why != nil {
				left = append(left, *why)
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.through, a.leftOut, a.changed = p.through, left, p.changed
	return errors.Join(errs...)
}

// restAfter is how long what took so long rests before it is made again.
func restAfter(took time.Duration) time.Duration {
	return max(remakeAfter, min(100*took, remakeAtLatest))
}

// item is a file, or two of the same rows, to be made.
type item struct {
	paths []string
	key   string // of what it is made from
	fill  func(ctx context.Context, w *work) error
	ready func() bool // nil for at once
}

// make makes an item unless it is there. It says what is left out, and why.
func (a *Archive) make(ctx context.Context, i item) (*LeftOut, error) {
	if a.has(i) {
		delete(a.failed, i.paths[0])
		return nil, nil
	}
	if f, known := a.failed[i.paths[0]]; known && (f.key == i.key || f.why.Why == TooLarge) &&
		time.Now().Before(f.again) {
		return &f.why, nil
	}
	if i.ready != nil && !i.ready() {
		return nil, nil
	}
	begun := time.Now()
	w, err := a.begin(i)
	if err == nil {
		if err = i.fill(ctx, w); err == nil {
			err = w.commit(i.key)
		}
		err = errors.Join(err, w.end())
	}
	var why *LeftOut
	var unlike *LeftOutError
	switch {
	case err == nil || ctx.Err() != nil:
		delete(a.failed, i.paths[0])
		return nil, err
	case errors.As(err, &unlike):
		why = &unlike.LeftOut
	case errors.Is(err, errFull):
		why = &LeftOut{Why: TooLarge}
	default:
		return nil, err // it is tried again
	}
	why.Path = i.paths[0]
	before := a.failed[why.Path]
	if before.why != *why {
		a.log.Warn("a file of the archive is left out", "file", why.Path, "why", why.Why, "gateway", why.Gateway)
	}
	rest := againAfter
	if why.Why != TooLarge { // what differs may have been read while the last of it was written, or for good
		rest = max(restAfter(time.Since(begun)), min(2*before.rest, againAfter))
	}
	a.failed[why.Path] = failure{i.key, *why, rest, time.Now().Add(rest)}
	return why, nil
}

// has reports whether the files of an item are there.
func (a *Archive) has(i item) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, path := range i.paths {
		if k := a.files[path]; k == nil || k.Key != i.key {
			return false
		}
	}
	return true
}

// offers reports whether a file is there, of whatever it was made.
func (a *Archive) offers(path string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.files[path] != nil
}

func (a *Archive) at(path string) string { return filepath.Join(a.dir, filepath.FromSlash(path)) }
