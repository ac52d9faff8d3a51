package opendata

import (
	"errors"
	"strconv"
	"strings"

	"sluice/opendata/archive"
)

// Archive is where the archive's files are kept, and how many bytes of them.
type Archive struct {
	// Dir is a directory of its own; where none is given, a temporary one, so that the
	// files are made again at every start.
	Dir string `yaml:"dir"`
	// MaxBytes bounds all files together, such as 10GiB, which it is where it is not given;
	// 1GiB in a temporary directory.
	MaxBytes Size `yaml:"max_bytes"`
}

// UnmarshalYAML reads a directory, or both keys.
func (a *Archive) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&a.Dir) == nil {
		if a.Dir == "" {
			return errors.New("archive is a directory, or {dir: DIR, max_bytes: 10GiB}")
		}
		return nil
	}
	type both Archive
	return unmarshal((*both)(a))
}

// Size is a number of bytes.
type Size int64

// UnmarshalText reads a whole number with B, KiB, MiB, GiB or TiB.
func (s *Size) UnmarshalText(b []byte) error {
	text, shift := strings.TrimSuffix(string(b), "B"), 0
	for unit, by := range map[string]int{"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40} {
		if n, ok := strings.CutSuffix(text, unit); ok {
			text, shift = n, by
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 1 || v > 1<<50>>shift {
		return errors.New("not a size such as 10GiB")
	}
	*s = Size(v << shift)
	return nil
}

func (a *Archive) config() archive.Config {
	return archive.Config{Dir: a.Dir, MaxBytes: int64(a.MaxBytes)}
}
