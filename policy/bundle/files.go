// Package bundle is a policy directory in memory: its files, as bytes that are
// voted on, and what they say, as typed documents. It knows nothing of OPA.
//
//	council.yaml charter.yaml kinds.yaml zones.geojson decisions/*.yaml
//	suspended.yaml rules/*.rego local/*.rego tests/*.yaml     (optional)
//
// A bundle is these files in one tar archive; the same files always give the
// same bytes, so that an archive can be compared with what it holds.
package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/yamldoc"

	"sluice/internal/pattern"
)

// Files is a policy directory in memory: slash-separated path to bytes.
type Files map[string][]byte

// MaxFiles bounds a policy directory.
const MaxFiles = 2000

// ReadDir reads a policy directory. Files that are no part of a policy are left
// out; links, and names that a policy cannot have, are refused.
func ReadDir(dir string) (Files, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("policy directory cannot be opened: %w", err)
	}
	defer root.Close()
	files, err := ReadFS(root.FS())
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	return files, nil
}

// ReadFS reads a policy directory of any kind.
func ReadFS(fsys fs.FS) (Files, error) {
	files := make(Files)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !meant(name) {
			return err
		}
		if !Belongs(name) {
			return fmt.Errorf("%q: %w", name, errFileName)
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is not a plain file", name)
		}
		if len(files) == MaxFiles {
			return fmt.Errorf("more than %d files", MaxFiles)
		}
		f, err := fsys.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		raw, err := io.ReadAll(io.LimitReader(f, yamldoc.MaxFile+1))
		if err == nil && len(raw) > sizeLimit(name) {
			err = tooLarge(name)
		}
		files[name] = raw
		return err
	})
	return files, err
}

var errFileName = errors.New("the name of a policy's file is letters a to z, digits and . _ -, 64 at most, and " +
	"begins with a letter or digit; rename it")

// fileName is the one form of a file's name: it is shown to members in the text
// that they sign.
var fileName = pattern.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Belongs reports whether a policy may hold a file of this name.
func Belongs(name string) bool {
	_, file := path.Split(name)
	return meant(name) && fileName.MatchString(file)
}

// meant reports whether a file of this name is meant to be part of a policy.
func meant(name string) bool {
	dir, file := path.Split(name)
	switch dir {
	case "":
		return slices.Contains([]string{"council.yaml", "charter.yaml", "kinds.yaml", zonesName, "suspended.yaml"},
			file)
	case "decisions/", "tests/":
		return path.Ext(file) == ".yaml" && !strings.HasPrefix(file, ".")
	case "rules/", "local/":
		return path.Ext(file) == ".rego" && !strings.HasPrefix(file, ".")
	}
	return false
}

const zonesName = "zones.geojson"

// sizeLimit is how large a file of a policy may be, in bytes.
func sizeLimit(name string) int {
	if name == zonesName {
		return yamldoc.MaxFile
	}
	return yamldoc.MaxDocument
}

func tooLarge(name string) error {
	return fmt.Errorf("%s is larger than %d KiB; split it", name, sizeLimit(name)>>10)
}

// Digest is the SHA-256, in hex, over all names and contents.
func (f Files) Digest() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(h, "%d %s %d\n", len(name), name, len(f[name]))
		h.Write(f[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Write lays the files out under dir, which must not hold a policy yet.
func (f Files) Write(dir string) error {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, f[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Pack is the files as one tar archive; the same files give the same bytes.
func (f Files) Pack() ([]byte, error) { return Archive(slices.Sorted(maps.Keys(f)), f) }

// Unpack reads what Pack wrote.
func Unpack(raw []byte) (Files, error) {
	_, files, err := ReadArchive(raw, len(raw), MaxFiles, Belongs)
	if err != nil {
		return nil, fmt.Errorf("unpacking a policy: %w", err)
	}
	return files, nil
}
