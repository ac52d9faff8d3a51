package keys

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"sluice/gateway/cluster/roster"
	"sluice/perm"
)

// shelf keeps keys in a directory that must be memory-backed, for the process that starts again; an empty one keeps
// nothing:
//
//	DIR/20784/commitment   as it was signed
//	DIR/20784/digests      32 bytes for each use
//	DIR/20784/seal-3       32 bytes
type shelf string

// The files of an epoch that are no keys.
const (
	commitmentFile = "commitment"
	digestsFile    = "digests"
)

// mostFiles bounds what is read of a directory.
const mostFiles = 1 << 13

func (s shelf) of(at span) string { return filepath.Join(string(s), at.String()) }

// put keeps what is new of an epoch.
func (s shelf) put(at span, signed []byte, all digests, b bunch) error {
	if s == "" {
		return nil
	}
	dir := s.of(at)
	if err := perm.Dir(dir, 0o700); err != nil {
		return fmt.Errorf("keeping keys: %w", err)
	}
	flat := make([]byte, 0, len(all)*sha256.Size)
	for _, d := range all {
		flat = append(flat, d[:]...)
	}
	for _, f := range []struct {
		name string
		raw  []byte
	}{{digestsFile, flat}, {commitmentFile, signed}} {
		if err := perm.Replace(filepath.Join(dir, f.name), f.raw, 0o600); err != nil {
			return fmt.Errorf("keeping keys: %w", err)
		}
	}
	for use, k := range b {
		err := perm.Create(filepath.Join(dir, use), k[:], 0o600)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("keeping keys: %w", err)
		}
	}
	return nil
}

// shred overwrites the keys of an epoch, and nothing of it stays.
func (s shelf) shred(at span) error {
	if s == "" {
		return nil
	}
	names, err := list(s.of(at))
	errs := []error{there(err)}
	for _, name := range names {
		errs = append(errs, overwrite(filepath.Join(s.of(at), name)))
	}
	if err := errors.Join(append(errs, there(os.Remove(s.of(at))))...); err != nil {
		return fmt.Errorf("shredding keys: %w", err)
	}
	return nil
}

// there is an error that is not only that nothing is there.
func there(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// overwrite writes zeros over a file, whose pages they replace in memory, and removes it.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return there(err)
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.Write(make([]byte, min(info.Size(), 1<<20)))
	}
	return errors.Join(err, f.Close(), os.Remove(path))
}

// list names what is in a directory of ours.
func list(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(mostFiles)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	slices.Sort(names)
	return names, errors.Join(err, d.Close())
}

// epochs are those of which there is something.
func (s shelf) epochs() (found []span, err error) {
	if s == "" {
		return nil, nil
	}
	names, err := list(string(s))
	for _, name := range names {
		if at, ok := parseSpan(name); ok {
			found = append(found, at)
		}
	}
	return found, there(err)
}

// get reads what is there of an epoch, as far as it is what its commitment says. What is not is as if it were not
// there: a kill leaves halves.
func (s shelf) get(at span, c *commitment) (digests, bunch) {
	if s == "" {
		return nil, nil
	}
	names := at.uses(c.Partitions)
	flat, err := small(filepath.Join(s.of(at), digestsFile), len(names)*sha256.Size)
	if err != nil {
		return nil, nil
	}
	all := make(digests, len(names))
	for i := range all {
		flat = flat[copy(all[i][:], flat):]
	}
	if all.sum() != c.SHA256 {
		return nil, nil
	}
	b := bunch{}
	for i, use := range names {
		raw, err := small(filepath.Join(s.of(at), use), Size)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		k := new(key)
		copy(k[:], raw)
		clear(raw)
		if err == nil && digestOf(use, k) == all[i] {
			b[use] = k
			continue
		}
		clear(k[:])
		_ = os.Remove(filepath.Join(s.of(at), use)) // half of one; it would be in the way of the whole
	}
	return all, b
}

// small reads a file that has just so many bytes.
func small(path string, size int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw := make([]byte, size+1)
	n, err := io.ReadFull(f, raw)
	if n != size {
		clear(raw)
		return nil, errors.Join(errors.New("it is of another length"), err)
	}
	return raw[:n:n], nil
}

// draft is what a front has drawn for an epoch and left here, whole and signed; nil for none.
func (s shelf) draft(r *roster.Roster, at span) *draft {
	is, _ := s.commitment(r, at)
	if is == nil {
		return nil
	}
	signed, err := perm.Read(filepath.Join(s.of(at), commitmentFile), perm.Private)
	all, b := s.get(at, is)
	if err != nil || len(b) < len(at.uses(is.Partitions)) {
		b.wipe(nil)
		return nil
	}
	return &draft{signed, is, all, b}
}

// commitment is the one that is here of an epoch, and whether there are keys with it; nil for none.
func (s shelf) commitment(r *roster.Roster, at span) (is *commitment, keys bool) {
	if s == "" {
		return nil, false
	}
	signed, err := perm.Read(filepath.Join(s.of(at), commitmentFile), perm.Private)
	if err != nil {
		return nil, false
	}
	if is, err = readCommitment(r, at, signed); err != nil {
		return nil, false
	}
	names, _ := list(s.of(at))
	return is, len(names) > 2
}
