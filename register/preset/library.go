package preset

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"sluice/internal/yamldoc"
)

//go:embed *.yaml profile/*.yaml
var own embed.FS

// Library are presets and profiles by their names.
type Library struct {
	Presets  Shelf[Preset]
	Profiles Shelf[Profile]
}

// Shelf is what is known by a name. One of the program's own files is read when it is first asked for: all
// of them together take some seven milliseconds, half of what a short verb takes.
type Shelf[T any] map[string]func() *T

// Of is what has the name; nil where nothing has.
func (s Shelf[T]) Of(id string) *T {
	if one := s[id]; one != nil {
		return one()
	}
	return nil
}

// Put gives something its name.
func (s Shelf[T]) Put(id string, one *T) { s[id] = func() *T { return one } }

// Bounds of a city's own files.
const (
	maxFiles = 500
	maxSize  = 64 << 10
	// maxBroken is of how many it is said what is wrong with them.
	maxBroken = 20
)

// Builtin are those of the program.
var Builtin = sync.OnceValue(func() *Library {
	return &Library{shelf("*.yaml", ParsePreset), shelf("profile/*.yaml", ParseProfile)}
})

// shelf has the program's own files of a pattern, each of which is called as what it holds.
func shelf[T any](files string, parse func(string, []byte) (*T, error)) Shelf[T] {
	names, err := fs.Glob(own, files)
	must(err)
	s := make(Shelf[T], len(names))
	for _, file := range names {
		s[strings.TrimSuffix(path.Base(file), ".yaml")] = sync.OnceValue(func() *T {
			raw, err := own.ReadFile(file)
			must(err)
			one, err := parse(file, raw)
			must(err)
			return one
		})
	}
	return s
}

// must is for what is built in: a test reads it all.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Load adds the files of a directory to those of the program, by read. A directory that is not there has
// none. A city's own file may not have the name of one of the program's.
func Load(dir string, read func(string) ([]byte, error)) (*Library, error) {
	builtin := Builtin()
	l := &Library{maps.Clone(builtin.Presets), maps.Clone(builtin.Profiles)}
	files, err := Files(dir)
	if err != nil {
		return nil, err
	}
	var all []error
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && (!info.Mode().IsRegular() || info.Size() > maxSize) {
			return nil, fmt.Errorf("%s is no plain file of at most %d KiB", file, maxSize>>10)
		}
		raw, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("presets: %w", err)
		}
		if err := l.add(file, raw); err != nil {
			if all = append(all, err); len(all) == maxBroken {
				break
			}
		}
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	return l, nil
}

// Files are the names of a directory's files, which need not be plain; none where there is no
// directory.
func Files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	var files []string
	for _, e := range entries {
		n := e.Name()
		switch {
		case strings.HasPrefix(n, ".") || e.IsDir():
		case filepath.Ext(n) == ".yaml":
			files = append(files, filepath.Join(dir, n))
		case strings.EqualFold(filepath.Ext(n), ".yml") || strings.EqualFold(filepath.Ext(n), ".yaml"):
			return nil, fmt.Errorf("%s is not read: the file of a preset is called NAME.yaml; rename it",
				filepath.Join(dir, n))
		}
	}
	if len(files) > maxFiles {
		return nil, fmt.Errorf("%s: more than %d presets and profiles; take out those that no sensor has", dir,
			maxFiles)
	}
	return files, nil
}

// add reads a preset or a profile, whichever it is, and takes it in.
func (l *Library) add(file string, raw []byte) error {
	// The first key that is no comment tells them apart; the strict reader says the rest.
	if isProfile(raw) {
		p, err := ParseProfile(file, raw)
		if err != nil {
			return err
		}
		return put(file, raw, "profile", p.ID, l.Profiles, p)
	}
	p, err := ParsePreset(file, raw)
	if err != nil {
		return err
	}
	return put(file, raw, "preset", p.ID, l.Presets, p)
}

func put[T any](file string, raw []byte, what, id string, into Shelf[T], one *T) error {
	if base := strings.TrimSuffix(path.Base(filepath.ToSlash(file)), ".yaml"); base != id {
		return yamldoc.Wrong(file, raw, fmt.Sprintf("the file of %s %s is called %s.yaml; rename one of them", what, id,
			id), what)
	}
	if into[id] != nil {
		return yamldoc.Wrong(file, raw, fmt.Sprintf("there is a %s %s already; give it another name", what, id),
			what)
	}
	into.Put(id, one)
	return nil
}

func isProfile(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if bytes.HasPrefix(line, []byte("profile:")) {
			return true
		}
	}
	return false
}

// Preset finds a preset; the error says what was probably meant.
func (l *Library) Preset(id string) (*Preset, error) { return find("preset", id, l.Presets) }

// Profile finds a profile; the error says what was probably meant.
func (l *Library) Profile(id string) (*Profile, error) { return find("profile", id, l.Profiles) }

func find[T any](what, id string, in Shelf[T]) (*T, error) {
	if one := in.Of(id); one != nil {
		return one, nil
	}
	known := slices.Sorted(maps.Keys(in))
	if near := yamldoc.Nearest(id, known); near != "" {
		return nil, fmt.Errorf("no %s has this name; did you mean %s?", what, near)
	}
	return nil, fmt.Errorf("no %s has this name; known are %s, and those of presets/*.yaml beside the register", what,
		strings.Join(known, ", "))
}
