package council

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"sluice/policy/bundle"
)

// MaxFile bounds a motion file, in bytes.
const MaxFile = 16 << 20

// The parts of a motion.
const (
	TextName    = "motion.txt"
	BundleName  = "bundle.tar.gz"
	SignersName = "allowed_signers"
	BallotsName = "ballots/"
)

// Parts are the files of a motion by name.
type Parts map[string][]byte

// File is the parts as one motion file.
func (p Parts) File() []byte {
	names := []string{TextName, BundleName, SignersName}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if strings.HasPrefix(name, BallotsName) {
			names = append(names, name)
		}
	}
	return bundle.Archive(names, p)
}

func partName(name string) bool {
	if name == TextName || name == BundleName || name == SignersName {
		return true
	}
	member, ok := strings.CutPrefix(name, BallotsName)
	member, sig := strings.CutSuffix(member, ".sig")
	return ok && sig && GoodID(member) && path.Base(member) == member
}

// ReadFile takes a motion file apart.
func ReadFile(raw []byte) (Parts, error) {
	_, files, err := bundle.ReadArchive(raw, MaxFile, partName)
	if errors.Is(err, bundle.ErrName) {
		return nil, refuse(WrongParts, "the motion file: %w", err)
	}
	if err != nil {
		return nil, refuse(NotAFile, "the motion file: %w", err)
	}
	parts := Parts(files)
	for _, name := range []string{TextName, BundleName, SignersName} {
		if _, ok := parts[name]; !ok {
			return nil, refuse(WrongParts, "the motion file has no %s", name)
		}
	}
	if string(parts.File()) != string(raw) {
		return nil, refuse(NotAFile, "the motion file: its parts are not in their order: %w", bundle.ErrArchive)
	}
	return parts, nil
}

// Ballots are the names of those whose ballots are in the parts.
func (p Parts) ballots() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if member, ok := strings.CutPrefix(name, BallotsName); ok {
			out = append(out, strings.TrimSuffix(member, ".sig"))
		}
	}
	return out
}
