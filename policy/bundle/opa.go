package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"sluice/policy/decision"
)

// An OPA bundle, bundle.tar.gz, holds the files of a policy with its rules, and
// beside them what stock OPA needs to answer by them:
//
//	.manifest   {"revision": DIGEST, "roots": [...], "rego_version": 1}
//	data.json   what the rules see: decisions, charter, kinds, zones
//
//	opa eval -b bundle.tar.gz data.sluice.charter.violations
//
// Source: https://www.openpolicyagent.org/docs/management-bundles

// Bounds of a bundle, compressed and not.
const (
	MaxPacked   = 8 << 20
	maxUnpacked = 64 << 20
)

const (
	manifestName = ".manifest"
	dataName     = "data.json"
)

// Archive writes files as one ustar archive, in the order of names; the same
// files give the same bytes.
func Archive(names []string, files map[string][]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if w.WriteHeader(header) != nil {
			continue // a bytes.Buffer does not fail, and names are short
		}
		_, _ = w.Write(files[name])
	}
	_ = w.Close()
	return b.Bytes()
}

// ErrArchive says that an archive is not as Archive writes it.
var ErrArchive = errors.New("damaged, or not written by sluice")

// ReadArchive reads an archive of at most most bytes in all. Every name must pass
// ok. The bytes must be those that Archive would write for the names in their
// order: so there is no room for links, odd headers, or anything behind the end.
func ReadArchive(raw []byte, most int, ok func(name string) bool) ([]string, map[string][]byte, error) {
	if len(raw) > most {
		return nil, nil, fmt.Errorf("larger than %d MiB", most>>20)
	}
	files := make(map[string][]byte)
	var names []string
	r := tar.NewReader(bytes.NewReader(raw))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("not a tar archive: %w", err)
		}
		_, twice := files[h.Name]
		switch {
		case h.Typeflag != tar.TypeReg:
			return nil, nil, fmt.Errorf("%w: %q is no plain file", ErrName, h.Name)
		case twice || !ok(h.Name) || path.Clean(h.Name) != h.Name || path.IsAbs(h.Name) || strings.HasPrefix(h.Name, ".."):
			return nil, nil, fmt.Errorf("%w: %q", ErrName, h.Name)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			return nil, nil, fmt.Errorf("not a tar archive: %w", err)
		}
		names = append(names, h.Name)
	}
	if !bytes.Equal(Archive(names, files), raw) {
		return nil, nil, ErrArchive
	}
	return names, files, nil
}

// ErrName says that an archive holds what does not belong there.
var ErrName = errors.New("an archive holds what does not belong there")

// PackOPA is the policy as an OPA bundle. The policy's files must hold its rules.
func (p *Policy) PackOPA() ([]byte, error) {
	raw, err := p.opa()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(raw); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// opa is the archive before it is compressed.
func (p *Policy) opa() ([]byte, error) {
	data, err := Data(p)
	if err != nil {
		return nil, err
	}
	all := make(map[string][]byte)
	maps.Copy(all, p.Files)
	if all[dataName], err = json.MarshalIndent(data, "", " "); err != nil {
		return nil, err
	}
	roots := slices.Sorted(maps.Keys(data))
	if all[manifestName], err = json.Marshal(map[string]any{"revision": p.Files.Digest(), "roots": append(roots, "sluice"), "rego_version": 1}); err != nil {
		return nil, err
	}
	return Archive(slices.Sorted(maps.Keys(all)), all), nil
}

// ReadOPA reads what PackOPA wrote, and nothing else: data.json and .manifest
// must be what the documents say.
func ReadOPA(packed []byte) (*Policy, error) {
	p, raw, err := openOPA(packed)
	if err != nil {
		return nil, err
	}
	again, err := p.opa()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, raw) {
		return nil, fmt.Errorf("bundle.tar.gz: data.json or .manifest is not what the documents say: %w", ErrArchive)
	}
	return p, nil
}

// ReopenOPA reads a bundle that was verified before, perhaps by a version of this
// program that derived other data from the same documents.
func ReopenOPA(packed []byte) (*Policy, error) {
	p, _, err := openOPA(packed)
	return p, err
}

func openOPA(packed []byte) (*Policy, []byte, error) {
	if len(packed) > MaxPacked {
		return nil, nil, fmt.Errorf("bundle.tar.gz is larger than %d MiB", MaxPacked>>20)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, nil, fmt.Errorf("bundle.tar.gz: not compressed by gzip: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err != nil {
		return nil, nil, fmt.Errorf("bundle.tar.gz: %w", err)
	}
	_, files, err := ReadArchive(raw, maxUnpacked, func(name string) bool {
		return name == manifestName || name == dataName || Belongs(name)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("bundle.tar.gz: %w", err)
	}
	delete(files, manifestName)
	delete(files, dataName)
	for name, raw := range files {
		if len(raw) > decision.MaxFile {
			return nil, nil, fmt.Errorf("bundle.tar.gz: %s is larger than 1 MiB", name)
		}
	}
	if len(files) > MaxFiles {
		return nil, nil, fmt.Errorf("bundle.tar.gz: more than %d files", MaxFiles)
	}
	p, err := Read(files)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle.tar.gz: %w", err)
	}
	return p, raw, nil
}
