package council_test

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/council"
)

// TestNothingIsReadUnsigned: a bundle is looked at only when members of the roster
// in force, or of the pinned one, have signed the text that names it.
func TestNothingIsReadUnsigned(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	files := c.with("decisions/d1.yaml", footfall)
	tasted := 0
	taste := func([]byte) error { tasted++; return nil }
	later, founding := c.verifier(first), c.verifier(nil)
	later.Taste, founding.Taste = taste, taste
	other := newChamber(t) // strangers with a roster of their own
	edited := func(p council.Parts, name string, raw []byte) council.Parts {
		out := maps.Clone(p)
		out[name] = raw
		return out
	}
	good := c.draft(first, files, names[:4]...)
	renamed := c.draft(nil, c.files) // the pinned roster, under another one's name
	renamed[council.TextName] = []byte(strings.Replace(string(renamed[council.TextName]),
		"Voting roster: sha256:"+c.pin(), "Voting roster: sha256:"+strings.Repeat("0", 64), 1))
	for name, k := range map[string]struct {
		verifier council.Verifier
		parts    council.Parts
		want     council.Code
	}{
		"unsigned":              {later, c.draft(first, files), council.TooFew},
		"fewer than any quorum": {later, c.draft(first, files, names[:1]...), council.TooFew},
		"by strangers":          {later, ballots(other, c.draft(first, files)), council.UnknownKey},
		"another bundle": {later, edited(good, council.BundleName, []byte("poison")),
			council.WrongDigest},
		"a first motion, unsigned":     {founding, c.draft(nil, c.files), council.TooFew},
		"a first motion by a minority": {founding, c.draft(nil, c.files, names[:3]...), council.TooFew},
		"a first motion of strangers":  {founding, other.draft(nil, other.files, names[:4]...), council.OtherRoster},
		"a first motion, other roster": {founding,
			edited(c.draft(nil, c.files, names[:4]...), council.BundleName,
				other.draft(nil, other.files)[council.BundleName]), council.OtherRoster},
		"a first motion, renamed": {founding, ballots(c, renamed), council.OtherRoster},
		"a first motion without roster": {founding,
			edited(c.draft(nil, c.files, names[:4]...), council.BundleName, []byte("poison")), council.BadPolicy},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := k.verifier.Verify(must(k.parts.File())); council.CodeOf(err) != k.want || err == nil {
				t.Errorf("got %v; want %s", err, k.want)
			}
		})
	}
	if tasted != 0 {
		t.Errorf("%d bundles were looked at that nobody had signed for", tasted)
	}
	later.Taste = func([]byte) error { return errors.New("poison") }
	if _, err := later.Verify(must(good.File())); council.CodeOf(err) != council.BadPolicy ||
		!strings.Contains(err.Error(), "poison") {
		t.Errorf("what is poison elsewhere is read here: %v", err)
	}
}

// ballots has a chamber's members sign what another one drafted.
func ballots(c *chamber, p council.Parts) council.Parts {
	for _, n := range names[:4] {
		p["ballots/"+n+".sig"] = c.sign(n, "sluice-vote@vila", p["motion.txt"])
	}
	return p
}

// TestARefusalIsCheap: a large file that nobody signed costs next to nothing.
func TestARefusalIsCheap(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	p := c.draft(first, c.with("decisions/d1.yaml", footfall))
	p[council.BundleName] = make([]byte, bundle.MaxPacked)
	p["ballots/zoe.sig"] = []byte(strings.Repeat("x", 1<<20))
	file := must(p.File())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.verifier(first).Verify(file)
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 10; err == nil || used > 1024 {
		t.Errorf("%d KiB were allocated (%v)", used, err)
	}
}

// TestOneOrder: the parts of a motion file have one order, and bounds.
func TestOneOrder(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	good := c.draft(first, c.with("decisions/d1.yaml", footfall), names[:4]...)
	pack := func(p council.Parts, names ...string) []byte {
		return must(bundle.Archive(append([]string{"motion.txt", "bundle.tar.gz", "allowed_signers"}, names...), p))
	}
	v := c.verifier(first)
	inOrder := pack(good, "ballots/anna.sig", "ballots/bru.sig", "ballots/carla.sig", "ballots/dani.sig")
	if _, err := v.Verify(inOrder); err != nil {
		t.Fatal(err)
	}
	long, many := maps.Clone(good), maps.Clone(good)
	long["motion.txt"] = append(make([]byte, 0, 2<<20), good["motion.txt"]...)
	long["motion.txt"] = append(long["motion.txt"], make([]byte, 1<<20)...)
	crowd := []string{"ballots/anna.sig", "ballots/bru.sig", "ballots/carla.sig", "ballots/dani.sig"}
	for i := range 1001 {
		name := fmt.Sprintf("ballots/z%04d.sig", i)
		many[name], crowd = []byte("x"), append(crowd, name)
	}
	for name, k := range map[string]struct {
		file []byte
		want council.Code
	}{
		"ballots in another order": {pack(good, "ballots/bru.sig", "ballots/anna.sig", "ballots/carla.sig",
			"ballots/dani.sig"), council.NotAFile},
		"a text without end": {pack(long, "ballots/anna.sig", "ballots/bru.sig", "ballots/carla.sig",
			"ballots/dani.sig"), council.NotAFile},
		"a crowd": {pack(many, crowd...), council.WrongParts},
	} {
		if _, err := v.Verify(k.file); err == nil || council.CodeOf(err) != k.want {
			t.Errorf("%s: %v; want %s", name, err, k.want)
		}
	}
}

// TestNoFormatComesBack: behind a motion of a format, none of an earlier one is taken, which
// says less: whatever program can read that motion writes its format.
func TestNoFormatComesBack(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	files := c.with("decisions/d1.yaml", footfall)
	p := c.draft(first, files)
	m := must(council.ParseMotion(p["motion.txt"]))
	m.Format = 4
	p["motion.txt"] = must(m.Text(first, must(bundle.Read(files))))
	file := must(ballotsOf(c, p, names[:4]).File())
	v := c.verifier(first)
	if _, err := v.Verify(file); council.CodeOf(err) != council.OtherText ||
		!strings.Contains(err.Error(), "format 4") {
		t.Errorf("behind format %d it is taken: %v", first.Format, err)
	}
	first.Format = 4
	if _, err := v.Verify(file); err != nil {
		t.Errorf("behind format 4: %v", err)
	}
}

// TestEarlierFormats: a motion that was taken when the text was worded otherwise
// can still be reopened, and a new one can follow it; it cannot be put to a gateway
// any more.
func TestEarlierFormats(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	p := c.draft(first, c.with("decisions/d1.yaml", footfall))
	m := must(council.ParseMotion(p["motion.txt"]))
	m.Format = 4 // the head was where it is there
	p["motion.txt"] = must(m.Text(first, must(bundle.Read(c.with("decisions/d1.yaml", footfall)))))
	p["motion.txt"] = []byte(strings.Replace(string(p["motion.txt"]), "format 4", "format 2", 1))
	file := must(ballotsOf(c, p, names[:4]).File())
	if _, err := c.verifier(first).Verify(file); council.CodeOf(err) != council.OtherText {
		t.Errorf("an earlier format is taken: %v", err)
	}
	second, err := council.Reopen(file, first)
	if err != nil {
		t.Fatal(err)
	}
	v := c.verifier(second)
	v.Now = second.NotBefore.AddDate(0, 0, 20)
	if _, err := v.Verify(
		must(c.draft(second, c.with("decisions/d1.yaml", strings.Replace(footfall, "20", "21", 1)),
			names[:5]...).File())); err != nil {
		t.Errorf("what follows it: %v", err)
	}
	for _, bad := range []string{fmt.Sprint("format ", council.Format+1), "format 0", "format 03", "format",
		"format -1"} {
		text := strings.Replace(string(p["motion.txt"]), "format 2", bad, 1)
		if _, err := council.ParseMotion([]byte(text)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

// TestOtherGatewaysMotions: a motion for other gateways is verified whole, and
// returned, so that the chain can go on from it.
func TestOtherGatewaysMotions(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	p, err := bundle.Read(c.with("decisions/d1.yaml", footfall))
	if err != nil {
		t.Fatal(err)
	}
	draft := council.Draft{Previous: first, Policy: p, ID: "m", Gateways: []string{"edge-2"}, Created: first.NotBefore,
		Within: 60 * 24 * time.Hour}
	_, parts, err := draft.Create()
	if err != nil {
		t.Fatal(err)
	}
	v := c.verifier(first)
	v.Now = first.NotBefore.AddDate(0, 0, 20)
	if _, err := v.Verify(must(parts.File())); council.CodeOf(err) != council.TooFew {
		t.Errorf("unsigned: %v", err)
	}
	file := must(ballotsOf(c, parts, names[:5]).File())
	e, err := v.Verify(file)
	if council.CodeOf(err) != council.OtherGateway || e == nil || e.Policy.Decision("d1") == nil {
		t.Fatalf("got %v", err)
	}
	v.Gateway = "edge-2"
	if _, err := v.Verify(file); err != nil {
		t.Errorf("at edge-2: %v", err)
	}
	v.Gateway, v.Now = "edge-1", first.NotBefore
	if e, err := v.Verify(file); council.CodeOf(err) != council.NotYet || e.For("edge-1") {
		t.Errorf("too early: %v", err)
	}
	for _, bad := range [][]string{{"edge 2"}, {"edge-2", "edge-2"}, {"edge-2\nMotion: x"}, {""}, {"é"}} {
		draft.Gateways = bad
		if _, _, err := draft.Create(); err == nil {
			t.Errorf("a motion for %q is made", bad)
		}
	}
}

func ballotsOf(c *chamber, p council.Parts, who []string) council.Parts {
	for _, n := range who {
		p["ballots/"+n+".sig"] = c.sign(n, "sluice-vote@vila", p["motion.txt"])
	}
	return p
}
