// Package policy is what the council decides, made ready to run: it reads a
// policy directory, lets the council's rules (Rego, evaluated by OPA) turn its
// decisions into plans, and answers the release rules' questions.
//
// A policy directory holds council.yaml, charter.yaml, kinds.yaml,
// zones.geojson, decisions/*.yaml and optionally rules/*.rego and local/*.rego.
// Without rules/ the copy in this binary is used.
//
// Nothing is permitted by default: what cannot be read, compiled or evaluated
// gives no plans at all, and a decision that breaks the charter gives none,
// while the others run.
package policy

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"embed"
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
	"time"

	"sluice/policy/decision"
)

//go:embed charter.yaml council.yaml kinds.yaml zones.geojson decisions/*.yaml
var example embed.FS

// Example is the policy of the example city.
func Example() Files {
	files, err := readFS(example)
	if err != nil {
		panic("policy: the embedded example cannot be read")
	}
	return files
}

// Files is a policy directory in memory: slash-separated path to bytes.
type Files map[string][]byte

// MaxFiles bounds a policy directory.
const MaxFiles = 2000

// ReadDir reads a policy directory. Files that are no part of a policy are left
// out; links are refused.
func ReadDir(dir string) (Files, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem(NoPolicy, fmt.Errorf("the policy directory %s is not there, so nothing flows", dir))
	}
	if err != nil {
		return nil, problem(Unreadable, fmt.Errorf("policy directory cannot be opened: %w", err))
	}
	defer root.Close()
	files, err := readFS(root.FS())
	if err != nil {
		return nil, problem(Unreadable, fmt.Errorf("reading %s: %w", dir, err))
	}
	return files, nil
}

func readFS(fsys fs.FS) (Files, error) {
	files := make(Files)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !belongs(name) {
			return err
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
		raw, err := io.ReadAll(io.LimitReader(f, decision.MaxFile+1))
		if err == nil && len(raw) > decision.MaxFile {
			err = fmt.Errorf("%s is larger than 1 MiB", name)
		}
		files[name] = raw
		return err
	})
	return files, err
}

func belongs(name string) bool {
	dir, file := path.Split(name)
	switch dir {
	case "":
		return slices.Contains([]string{"council.yaml", "charter.yaml", "kinds.yaml", "zones.geojson"}, file)
	case "decisions/":
		return path.Ext(file) == ".yaml" && !strings.HasPrefix(file, ".")
	case "rules/", "local/":
		return path.Ext(file) == ".rego" && !strings.HasPrefix(file, ".")
	}
	return false
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
func (f Files) Pack() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(f[name])), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if w.WriteHeader(header) != nil {
			continue // a bytes.Buffer does not fail, and names are short
		}
		_, _ = w.Write(f[name])
	}
	_ = w.Close()
	return b.Bytes()
}

// Unpack reads what Pack wrote.
func Unpack(raw []byte) (Files, error) {
	files := make(Files)
	r := tar.NewReader(bytes.NewReader(raw))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("unpacking a policy: %w", err)
		}
		if !belongs(h.Name) || h.Size > decision.MaxFile || len(files) == MaxFiles {
			return nil, errors.New("unpacking a policy: it holds what no policy holds")
		}
		if files[h.Name], err = io.ReadAll(io.LimitReader(r, decision.MaxFile)); err != nil {
			return nil, fmt.Errorf("unpacking a policy: %w", err)
		}
	}
}
