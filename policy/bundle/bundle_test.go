package bundle

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"sluice/internal/yamldoc"
)

// example is the policy of the example city, packed.
func example(t testing.TB) []byte {
	t.Helper()
	files, err := ReadDir("../../configs/portalba/policy")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(files)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := p.PackOPA()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// TestNames: a file is called what members can read, or the directory is refused;
// what is no part of a policy is left out.
func TestNames(t *testing.T) {
	for _, good := range []string{"decisions/2026-14-footfall.yaml", "local/a.rego", "rules/A_b.c-9.rego",
		"tests/x.yaml", "council.yaml"} {
		if !Belongs(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, other := range []string{"README.md", "decisions/.x.yaml", "decisions/x.yml", "decisions/a/b.yaml",
		"schema/x.json", "decisions/x.yaml~"} {
		files, err := ReadFS(fstest.MapFS{other: {Data: []byte("x")}})
		if err != nil || len(files) > 0 {
			t.Errorf("%q: %d files (%v)", other, len(files), err)
		}
	}
	for _, bad := range []string{
		"decisions/barri-gòtic.yaml", "local/x\n* stronger.rego", "rules/x\x1b[2K.rego", "tests/a b.yaml",
		"decisions/-x.yaml", "local/x\u202ey.rego",
		"decisions/" + strings.Repeat("x", 60) + ".yaml", "decisions/_x.yaml",
	} {
		if _, err := ReadFS(fstest.MapFS{bad: {Data: []byte("x")}}); !errors.Is(err, errFileName) {
			t.Errorf("%q: %v", bad, err)
		}
		if Belongs(bad) {
			t.Errorf("%q belongs", bad)
		}
	}
	if _, err := Archive([]string{"decisions/ò.yaml"}, nil); err == nil {
		t.Error("a name that no archive can hold is left out")
	}
	if _, err := Archive([]string{strings.Repeat("x", 200)}, nil); err == nil {
		t.Error("a name that is too long is left out")
	}
}

// TestSizes: each file is bounded before anything reads it.
func TestSizes(t *testing.T) {
	files, err := ReadDir("../../configs/portalba/policy")
	if err != nil {
		t.Fatal(err)
	}
	files["kinds.yaml"] = append(bytes.Clone(files["kinds.yaml"]),
		bytes.Repeat([]byte("#\n"), yamldoc.MaxDocument/2)...)
	if _, err := Read(files); err == nil || !strings.Contains(err.Error(), "kinds.yaml is larger than 64 KiB") {
		t.Errorf("got %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "charter.yaml"), make([]byte, yamldoc.MaxDocument+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadDir(dir); err == nil || !strings.Contains(err.Error(), "charter.yaml is larger than 64 KiB") {
		t.Errorf("got %v", err)
	}
}

// TestOneCompression: nothing is carried in a bundle that nobody looks at.
func TestOneCompression(t *testing.T) {
	packed := example(t)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	zip := func(h gzip.Header, parts ...[]byte) []byte {
		var b bytes.Buffer
		for _, part := range parts {
			w := gzip.NewWriter(&b)
			w.Header = h
			if _, err := w.Write(part); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	if _, err := ReadOPA(zip(gzip.Header{}, raw.Bytes())); err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string][]byte{
		"a name":      zip(gzip.Header{Name: "x"}, raw.Bytes()),
		"a comment":   zip(gzip.Header{Comment: "x"}, raw.Bytes()),
		"extra":       zip(gzip.Header{Extra: []byte("x")}, raw.Bytes()),
		"two members": zip(gzip.Header{}, raw.Bytes()[:1024], raw.Bytes()[1024:]),
		"a tail":      append(bytes.Clone(packed), 0),
	} {
		if _, err := ReadOPA(other); err == nil {
			t.Errorf("a bundle with %s is taken", name)
		}
	}
}

// TestRoster: the roster is found in little of the bundle.
func TestRoster(t *testing.T) {
	files, err := ReadDir("../../configs/portalba/policy")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := Roster(example(t))
	if err != nil || !bytes.Equal(raw, files["council.yaml"]) {
		t.Errorf("got %q (%v)", raw, err)
	}
	far, err := Archive([]string{"charter.yaml", "council.yaml"},
		map[string][]byte{"charter.yaml": make([]byte, 1<<20), "council.yaml": []byte("members: []\n")})
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"behind a large file": compressed(t, far), "nothing": nil,
		"rubbish": []byte("rubbish"), "zeros": compressed(t, make([]byte, 64<<20))} {
		if raw, err := Roster(bad); err == nil {
			t.Errorf("%s: a roster of %d bytes", name, len(raw))
		}
	}
}

func compressed(t *testing.T, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzBundle: whatever the bytes, as they are or compressed, there is a policy or an
// error, and what is an archive is one in one form only.
func FuzzBundle(f *testing.F) {
	f.Add(example(f))
	files, err := ReadDir("../../configs/portalba/policy")
	if err != nil {
		f.Fatal(err)
	}
	archive, err := files.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(archive)
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = ReadOPA(raw)
		_, _ = Roster(raw)
		names, parts, err := ReadArchive(raw, maxUnpacked, MaxFiles, func(string) bool { return true })
		if err == nil {
			if again, err := Archive(names, parts); err != nil || !bytes.Equal(again, raw) {
				t.Error("an archive in two forms is read")
			}
			_, _ = Read(parts)
		}
	})
}
