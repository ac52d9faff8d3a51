package council

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"sluice/policy/bundle"
	"sluice/policy/decision"
)

// Bounds of a motion file and of its parts, in bytes; there is a ballot for each
// member at most, or a statement of two files.
const (
	MaxFile  = bundle.MaxPacked + 2<<20
	maxText  = 1 << 20
	maxParts = 3 + 2*decision.MaxMembers
)

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
func (p Parts) File() ([]byte, error) {
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
	for _, kind := range []string{statedSig, statedText, ".sig"} { // members' names have no dots
		if member, is := strings.CutSuffix(member, kind); is {
			return ok && GoodID(member) && path.Base(member) == member
		}
	}
	return false
}

// ReadFile takes a motion file apart, without copying it: the parts are those of
// raw.
func ReadFile(raw []byte) (Parts, error) {
	names, files, err := bundle.ReadArchive(raw, MaxFile, maxParts, partName)
	if errors.Is(err, bundle.ErrName) {
		return nil, refuse(WrongParts, "the motion file: %w", err)
	}
	if err != nil {
		return nil, refuse(NotAFile, "the motion file: %w", err)
	}
	for i, name := range []string{TextName, BundleName, SignersName} {
		if _, ok := files[name]; !ok {
			return nil, refuse(WrongParts, "the motion file has no %s", name)
		}
		if names[i] != name {
			return nil, refuse(NotAFile, "the motion file: its parts are not in their order: %w", bundle.ErrArchive)
		}
	}
	if !slices.IsSorted(names[3:]) {
		return nil, refuse(NotAFile, "the motion file: its parts are not in their order: %w", bundle.ErrArchive)
	}
	if len(files[TextName]) > maxText {
		return nil, refuse(NotAFile, "motion.txt is larger than %d KiB", maxText>>10)
	}
	return files, Parts(files).whole()
}

// ballots are the names of those whose ballots for the motion are in the parts.
func (p Parts) ballots() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if member, ok := strings.CutPrefix(name, BallotsName); ok && !strings.HasSuffix(member, statedText) &&
			!strings.HasSuffix(member, statedSig) {
			out = append(out, strings.TrimSuffix(member, ".sig"))
		}
	}
	return out
}
