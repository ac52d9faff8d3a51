package council_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"maps"
	"runtime"
	"strings"
	"testing"

	"sluice/policy/bundle"
	"sluice/policy/council"
)

// entry is one entry of an archive that nobody of ours wrote.
type entry struct {
	header tar.Header
	body   []byte
}

func archive(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		e.header.Size, e.header.Mode = int64(len(e.body)), 0o644
		if e.header.Typeflag != 0 && e.header.Typeflag != tar.TypeReg {
			e.header.Size = 0
		}
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if e.header.Size > 0 {
			if _, err := w.Write(e.body); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBadFiles: what is not exactly a motion file is refused before anything of
// it is believed.
func TestBadFiles(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	good := c.draft(first, c.with("decisions/d1.yaml", footfall), names[:4]...)
	without := func(name string) []byte {
		p := maps.Clone(good)
		delete(p, name)
		var list []string
		for _, n := range []string{"motion.txt", "bundle.tar.gz", "allowed_signers", "ballots/anna.sig",
			"ballots/bru.sig", "ballots/carla.sig", "ballots/dani.sig"} {
			if n != name {
				list = append(list, n)
			}
		}
		return must(bundle.Archive(list, p))
	}
	plus := func(h tar.Header, body string) []byte {
		var list []entry
		for _, n := range []string{"motion.txt", "bundle.tar.gz", "allowed_signers", "ballots/anna.sig"} {
			list = append(list, entry{tar.Header{Name: n}, good[n]})
		}
		return archive(t, append(list, entry{h, []byte(body)})...)
	}
	zip := func(raw []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(raw); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	// inside is a motion whose bundle somebody else made, honestly signed by four.
	inside := func(packed []byte) []byte {
		p := council.Parts{"bundle.tar.gz": packed, "allowed_signers": good["allowed_signers"]}
		m, err := council.ParseMotion(good["motion.txt"])
		if err != nil {
			t.Fatal(err)
		}
		p["motion.txt"] = []byte(strings.Replace(string(good["motion.txt"]), m.Bundle, council.Sum(packed), 1))
		for _, n := range names[:4] {
			p["ballots/"+n+".sig"] = c.sign(n, "sluice-vote@vila", p["motion.txt"])
		}
		return must(p.File())
	}
	files := c.with("decisions/d1.yaml", footfall)
	policy, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := policy.PackOPA()
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(unzipped); err != nil {
		t.Fatal(err)
	}
	other := maps.Clone(good)
	other["bundle.tar.gz"] = append(bytes.Clone(packed), 0)
	swapped := maps.Clone(good)
	swapped["allowed_signers"] = append(bytes.Clone(good["allowed_signers"]), "x\n"...)
	for name, k := range map[string]struct {
		file []byte
		want council.Code
	}{
		"empty":              {nil, council.NotAFile},
		"no archive":         {[]byte("hello"), council.NotAFile},
		"no motion":          {without("motion.txt"), council.WrongParts},
		"no bundle":          {without("bundle.tar.gz"), council.WrongParts},
		"no allowed_signers": {without("allowed_signers"), council.WrongParts},
		"a file more":        {plus(tar.Header{Name: "readme.txt"}, "hello"), council.WrongParts},
		"path traversal": {plus(tar.Header{Name: "ballots/../../etc/passwd.sig"}, "x"),
			council.WrongParts},
		"absolute path": {plus(tar.Header{Name: "/motion.txt"}, "x"), council.WrongParts},
		"a link": {plus(
			tar.Header{Name: "ballots/bru.sig", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""),
			council.WrongParts},
		"a hard link": {plus(
			tar.Header{Name: "ballots/bru.sig", Typeflag: tar.TypeLink, Linkname: "motion.txt"}, ""),
			council.WrongParts},
		"a device": {plus(tar.Header{Name: "ballots/bru.sig", Typeflag: tar.TypeChar}, ""),
			council.WrongParts},
		"a part twice": {plus(tar.Header{Name: "motion.txt"}, "another"), council.WrongParts},
		"long names": {plus(
			tar.Header{Name: "ballots/" + strings.Repeat("a", 200) + ".sig", Format: tar.FormatPAX}, "x"),
			council.WrongParts},
		"too large":           {make([]byte, council.MaxFile+1), council.NotAFile},
		"another bundle":      {must(other.File()), council.WrongDigest},
		"other signers":       {must(swapped.File()), council.WrongParts},
		"a bomb":              {inside(zip(make([]byte, 100<<20))), council.BadPolicy},
		"a bundle of nothing": {inside(zip(nil)), council.BadPolicy},
		"a file in the bundle changed": {inside(
			zip(bytes.Replace(raw.Bytes(), []byte("min_units: 20"), []byte("min_units: 10"), 1))), council.BadPolicy},
		"traversal in the bundle": {inside(
			zip(archive(t, entry{tar.Header{Name: "decisions/../../x.yaml"}, []byte("x")}))), council.BadPolicy},
		"a link in the bundle": {inside(
			zip(
				archive(t,
					entry{tar.Header{Name: "charter.yaml", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, nil}))),
			council.BadPolicy},
		"a stray file in the bundle": {inside(zip(archive(t, entry{tar.Header{Name: "notes.txt"}, []byte("x")}))),
			council.BadPolicy},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.verifier(first).Verify(k.file); err == nil || council.CodeOf(err) != k.want {
				t.Errorf("got %v; want %s", err, k.want)
			}
		})
	}
	if _, err := c.verifier(first).Verify(inside(packed)); err != nil {
		t.Errorf("the same bundle, honestly: %v", err)
	}
}

// TestABombStaysSmall: a bundle of 600 MiB of nothing is given up on early.
func TestABombStaysSmall(t *testing.T) {
	var one bytes.Buffer
	z := gzip.NewWriter(&one)
	if _, err := z.Write(make([]byte, 4<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Repeat(one.Bytes(), 150) // members follow each other (RFC 1952 section 2.2)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := bundle.ReadOPA(bomb)
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; err == nil || used > 600 {
		t.Errorf("%d MiB were allocated (%v)", used, err)
	}
}

// FuzzMotion: whatever the file, it is refused with a code, and what is taken
// apart is put together to the same bytes.
func FuzzMotion(f *testing.F) {
	f.Add([]byte("Sluice motion, format 4\n\nCity: a\n\n"))
	f.Add(must(council.Parts{"motion.txt": []byte("x"), "bundle.tar.gz": nil, "allowed_signers": nil}.File()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = council.ParseMotion(raw)
		_, _ = council.Tidy(raw)
		_, _ = bundle.ReadOPA(raw)
		parts, err := council.ReadFile(raw)
		if err == nil && !bytes.Equal(must(parts.File()), raw) {
			t.Error("it is put together to other bytes")
		}
	})
}
