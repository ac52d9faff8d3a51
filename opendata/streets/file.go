package streets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"sluice/perm"
)

// File is a file of streets that is read anew when it changes. A nil one has no streets.
type File struct {
	path  string
	log   *slog.Logger
	stamp string // as last read; of Watch's goroutine, and before it of Open
	now   atomic.Pointer[Ground]
}

// Open reads a file of streets; nil for an empty path.
func Open(path string, log *slog.Logger) (*File, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // a nil file has no streets
	}
	f := &File{path: path, log: log, stamp: stamp(path)}
	if err := f.read(); err != nil {
		return nil, fmt.Errorf("streets: %w", err)
	}
	return f, nil
}

// Ground is what the file says; nil for nothing.
func (f *File) Ground() *Ground {
	if f == nil {
		return nil
	}
	return f.now.Load()
}

// pause is that between two looks at the file.
const pause = 5 * time.Second

// Watch reads the file anew when it has changed, until ctx ends. Of one that cannot be read,
// what it said before stays.
func (f *File) Watch(ctx context.Context) {
	if f == nil {
		return
	}
	for t := time.NewTicker(pause); ; {
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
			f.look()
		}
	}
}

// look reads the file if it is another than before.
func (f *File) look() {
	now := stamp(f.path)
	if now == f.stamp {
		return
	}
	f.stamp = now
	if err := f.read(); err != nil {
		f.log.Warn("the streets cannot be read; the map shows those of before", "error", err)
	}
}

func (f *File) read() error {
	if info, err := os.Stat(f.path); err == nil && info.Size() > MaxBytes {
		return fmt.Errorf("%s: %w", f.path, errTooLarge)
	}
	raw, err := perm.Read(f.path, perm.Trusted)
	if err != nil {
		var open *perm.Error
		if errors.As(err, &open) {
			return err
		}
		return fmt.Errorf("%w; give the city's GeoJSON file, or leave streets out", err)
	}
	g, err := Parse(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.now.Store(g)
	f.log.Info("streets are read", "features", g.Len(), "left_out", g.Left())
	return nil
}

// stamp is what changes when the file does.
func stamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}
