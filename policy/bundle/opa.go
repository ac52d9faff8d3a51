package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"sluice/internal/yamldoc"
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
	if all[manifestName], err = json.Marshal(
		map[string]any{"revision": p.Files.Digest(), "roots": append(roots, "sluice"), "rego_version": 1}); err != nil {
		return nil, err
	}
	return Archive(slices.Sorted(maps.Keys(all)), all)
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
	in := bytes.NewReader(packed)
	z, err := unzip(in)
	if err != nil {
		return nil, nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err != nil {
		return nil, nil, fmt.Errorf("bundle.tar.gz: %w", err)
	}
	if len(raw) <= maxUnpacked && in.Len() > 0 {
		return nil, nil, fmt.Errorf("bundle.tar.gz: there is something behind it: %w", ErrArchive)
	}
	_, files, err := ReadArchive(raw, maxUnpacked, MaxFiles+2, inBundle)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle.tar.gz: %w", err)
	}
	delete(files, manifestName)
	delete(files, dataName)
	p, err := Read(files)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle.tar.gz: %w", err)
	}
	return p, raw, nil
}

// unzip reads one gzip member without a name or a comment (RFC 1952 section 2.3):
// nothing is carried that nobody looks at.
func unzip(packed *bytes.Reader) (*gzip.Reader, error) {
	z, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("bundle.tar.gz: not compressed by gzip: %w", err)
	}
	z.Multistream(false)
	if z.Name != "" || z.Comment != "" || len(z.Extra) > 0 {
		return nil, fmt.Errorf("bundle.tar.gz: its header holds text: %w", ErrArchive)
	}
	return z, nil
}

func inBundle(name string) bool { return name == manifestName || name == dataName || Belongs(name) }

// Roster finds council.yaml in a bundle that nobody has vouched for yet, and looks
// at no more of it than what comes before: the files are in the order of their
// names.
func Roster(packed []byte) ([]byte, error) {
	z, err := unzip(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	r := tar.NewReader(io.LimitReader(z, 4*yamldoc.MaxDocument))
	for range 3 { // .manifest, charter.yaml, council.yaml
		h, err := r.Next()
		if err != nil {
			return nil, fmt.Errorf("bundle.tar.gz: no council.yaml where it should be: %w", ErrArchive)
		}
		if h.Name == "council.yaml" && h.Size <= yamldoc.MaxDocument {
			return io.ReadAll(io.LimitReader(r, yamldoc.MaxDocument))
		}
	}
	return nil, fmt.Errorf("bundle.tar.gz: no council.yaml where it should be: %w", ErrArchive)
}
