package council_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/diff"
)

// chamber is a council of seven with their keys, in memory.
type chamber struct {
	t       *testing.T
	signers map[string]ssh.Signer
	lines   map[string]string // public keys
	files   bundle.Files
}

var names = []string{"anna", "bru", "carla", "dani", "emma", "ferran", "gemma"}

// made is when motions are created in these tests; the example's rules begin later.
var made = time.Date(2030, 1, 7, 10, 0, 0, 0, time.UTC)

const charter = `city: {id: vila, name: Vila, timezone: Europe/Madrid, languages: [en, ca]}
purposes: [planning]
forbidden_classes: [free-text, credential]
kinds_about_people: [counter]
min_units: 10
epsilon_per_day: {device: 1}
delta_per_day: 1e-5
max_contributions: 4
sunset_max: P1Y
notice_days: 14
blackout_max: P3D
quorums: {enact: 4, weaken: 5, charter: 6, roster: 6, suspend: 2}
`

const kinds = `kinds:
  counter:
    units: [{field: device, stands_for: device}]
    fields:
      - {name: device, type: string, class: identifier}
      - {name: rssi, type: int, class: measurement}
`

const zones = `{"type": "FeatureCollection", "features": [
{"type": "Feature", "id": "square", "properties": {"name": "The Square"},
 "geometry": {"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,1],[0,0]]]}}]}`

const footfall = `decision: "d1"
title: {en: "Footfall"}
stream: footfall
purpose: planning
applies_to: {kinds: [counter], zones: [square]}
unit: {field: device, stands_for: device}
keep: [device]
place: sensor
publish: {every: PT1H, lateness: PT1M, by: [zone], measures: [{name: devices, of: "distinct(unit)"}]}
protect: {min_units: 20, epsilon: 0.5, delta: 1e-6, max_contributions: 2}
forget_after: P1D
from: 2030-02-01
until: 2030-12-31
`

func newSigner(t *testing.T, name string) ssh.Signer {
	t.Helper()
	var key any
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if name == "bru" { // one of them has another sort of key
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func line(s ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}

func newChamber(t *testing.T) *chamber {
	t.Helper()
	c := &chamber{t: t, signers: map[string]ssh.Signer{}, lines: map[string]string{}}
	for _, n := range append([]string{"stranger", "anna2", "old"}, names...) {
		c.signers[n] = newSigner(t, n)
		c.lines[n] = line(c.signers[n])
	}
	c.files = bundle.Files{
		"charter.yaml": []byte(charter), "kinds.yaml": []byte(kinds), "zones.geojson": []byte(zones),
		"council.yaml": []byte(c.roster(nil)),
	}
	for name, text := range diff.Own() {
		c.files[name] = []byte(text)
	}
	return c
}

// roster is council.yaml; change may edit it.
func (c *chamber) roster(change func(string) string) string {
	var b strings.Builder
	b.WriteString("version: 1\nmembers:\n")
	for _, n := range names {
		keys := `"` + c.lines[n] + `"`
		if n == "anna" {
			keys += `, "` + c.lines["anna2"] + `"`
		}
		until := ""
		if n == "gemma" {
			until = ", until: 2029-12-31" // her term is over
		}
		if n == "dani" {
			until = ", until: 2030-01-25" // he leaves while motions wait for their notice
		}
		fmt.Fprintf(&b, "  - {id: %s, name: %s, keys: [%s]%s}\n", n, strings.ToUpper(n), keys, until)
	}
	fmt.Fprintf(&b, "revoked: [%q]\n", c.lines["old"])
	if change != nil {
		return change(b.String())
	}
	return b.String()
}

func (c *chamber) pin() string {
	sum := sha256.Sum256(c.files["council.yaml"])
	return hex.EncodeToString(sum[:])
}

func (c *chamber) sign(who, namespace string, text []byte) []byte {
	c.t.Helper()
	sig, err := sshsig.Sign(bytes.NewReader(text), c.signers[who], sshsig.HashSHA512, namespace)
	if err != nil {
		c.t.Fatal(err)
	}
	tidy, err := council.Tidy(sshsig.Armor(sig))
	if err != nil {
		c.t.Fatal(err)
	}
	return tidy
}

// draft makes a motion of the files and has members sign it.
func (c *chamber) draft(prev *council.Enacted, files bundle.Files, members ...string) council.Parts {
	c.t.Helper()
	p, err := bundle.Read(files)
	if err != nil {
		c.t.Fatal(err)
	}
	created := made
	if prev != nil {
		created = prev.NotBefore
	}
	_, parts, err := council.Draft{Previous: prev, Policy: p, ID: "m", Created: created,
		Within: 60 * 24 * time.Hour}.Create()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, m := range members {
		parts["ballots/"+m+".sig"] = c.sign(m, "sluice-vote@vila", parts["motion.txt"])
	}
	return parts
}

// with is the files with one of them replaced.
func (c *chamber) with(name, text string) bundle.Files {
	out := bundle.Files{}
	for k, v := range c.files {
		out[k] = v
	}
	out[name] = []byte(text)
	return out
}

func (c *chamber) verifier(prev *council.Enacted) council.Verifier {
	return council.Verifier{Previous: prev, Pin: c.pin(), Gateway: "edge-1", Now: made.AddDate(0, 0, 20)}
}

// founded is a first motion, enacted: no decisions yet.
func (c *chamber) founded() *council.Enacted {
	c.t.Helper()
	e, err := c.verifier(nil).Verify(must(c.draft(nil, c.files, names[:4]...).File()))
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

func TestAVote(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	if first.Needed != 4 || first.Version != 1 || len(first.Ballots) != 4 {
		t.Errorf("the first motion: %d of %d, version %d; want 4 of 4, version 1", len(first.Ballots), first.Needed,
			first.Version)
	}
	second := c.draft(first, c.with("decisions/d1.yaml", footfall), names[1:5]...)
	v := c.verifier(first)
	if _, err := v.Verify(must(second.File())); err != nil {
		t.Fatal(err)
	}
	v.Now = made.AddDate(0, 0, 3)
	e, err := v.Verify(must(second.File()))
	if council.CodeOf(err) != council.NotYet || e == nil {
		t.Errorf("before the notice is over: %v", err)
	}
	if text := string(second["motion.txt"]); !strings.Contains(text, "In force from: 2030-01-21T23:00:00Z") ||
		!strings.Contains(text, "a new decision: more is measured than before") ||
		!strings.Contains(text, "dispositius") || !strings.Contains(text, "4 of 7 members (enact)") {
		t.Errorf("the text is\n%s", text)
	}
}

// ballotOver replaces a ballot by one over something else.
func ballotOver(c *chamber, p council.Parts, who, text string) council.Parts {
	p["ballots/"+who+".sig"] = c.sign(who, "sluice-vote@vila", []byte(text))
	return p
}

// crafted is a motion that motion create would not make, honestly signed for the
// city that its head names.
func (c *chamber) crafted(prev *council.Enacted, files bundle.Files, city string) council.Parts {
	c.t.Helper()
	policy, err := bundle.Read(files)
	if err != nil {
		c.t.Fatal(err)
	}
	packed, err := policy.PackOPA()
	if err != nil {
		c.t.Fatal(err)
	}
	m := council.Motion{City: city, ID: "m", Version: 1, Bundle: council.Sum(packed), Roster: c.pin(), Created: made,
		NotBefore: made.AddDate(0, 0, 19), Expires: made.AddDate(0, 0, 79)}
	if prev != nil {
		m.Version, m.Previous = 2, prev.Hash
	}
	text, err := m.Text(prev, policy)
	if err != nil {
		c.t.Fatal(err)
	}
	p := council.Parts{"motion.txt": text, "bundle.tar.gz": packed,
		"allowed_signers": c.signersFile(policy, prev, city)}
	for _, n := range names[:6] {
		p["ballots/"+n+".sig"] = c.sign(n, "sluice-vote@"+city, text)
	}
	return p
}

// signersFile is allowed_signers as Create writes it for the roster that votes.
func (c *chamber) signersFile(policy *bundle.Policy, prev *council.Enacted, city string) []byte {
	c.t.Helper()
	if prev != nil {
		return bytes.ReplaceAll(prev.Signers, []byte("sluice-vote@vila"), []byte("sluice-vote@"+city))
	}
	_, parts, err := council.Draft{Policy: policy, ID: "x", Created: made}.Create()
	if err != nil {
		c.t.Fatal(err)
	}
	return parts["allowed_signers"]
}

// TestQuorums: the quorum follows from what changes, and a decision that
// takes another's stream under a new name is no new decision.
func TestQuorums(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	c.files = c.with("decisions/d1.yaml", footfall)
	second, err := c.verifier(first).Verify(must(c.draft(first, c.files, names[:4]...).File()))
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) bundle.Files {
		return c.with("decisions/d1.yaml", strings.Replace(footfall, old, new, 1))
	}
	renamed := c.with("decisions/d2.yaml",
		strings.NewReplacer(`"d1"`, `"d2"`, "epsilon: 0.5", "epsilon: 0.9").Replace(footfall))
	delete(renamed, "decisions/d1.yaml")
	without := c.with("x", "")
	delete(without, "x")
	delete(without, "decisions/d1.yaml")
	for name, k := range map[string]struct {
		files bundle.Files
		want  int
	}{
		"weaker":           {edit("epsilon: 0.5", "epsilon: 0.9"), 5},
		"stronger":         {edit("min_units: 20", "min_units: 30"), 2},
		"both":             {edit("min_units: 20, epsilon: 0.5", "min_units: 30, epsilon: 0.6"), 5},
		"neutral":          {edit("Footfall", "Passers-by"), 4},
		"new name, weaker": {renamed, 5},
		"taken away":       {without, 4},
		"suspended": {c.with("suspended.yaml",
			"suspended: [{decision: d1, since: 2030-01-22, reason: a fault}]\n"), 2},
		"charter, stronger": {c.with("charter.yaml", strings.Replace(charter, "min_units: 10", "min_units: 15", 1)), 6},
		"roster": {c.with("council.yaml", c.roster(func(s string) string {
			return strings.Replace(s, "id: bru, name: BRU", "id: bru, name: Bruna", 1)
		})), 6},
		"rules": {c.with("rules/plan.rego",
			"package sluice.plan\nresult := {\"reasons\": [], \"plans\": []}\n"), 5},
		"a first module": {c.with("local/a.rego", "package sluice.local\ndeny contains x if { x := 1; false }\n"),
			4},
		"nothing": {c.files, 4},
	} {
		t.Run(name, func(t *testing.T) {
			v := c.verifier(second)
			v.Now = second.NotBefore.AddDate(0, 0, 20)
			few := must(c.draft(second, k.files, names[:k.want-1]...).File())
			if _, err := v.Verify(few); council.CodeOf(err) != council.TooFew {
				t.Errorf("with %d: %v; want %s", k.want-1, err, council.TooFew)
			}
			if _, err := v.Verify(must(c.draft(second, k.files, names[:k.want]...).File())); err != nil {
				t.Errorf("with %d: %v", k.want, err)
			}
		})
	}
}

// TestEveryByteCounts flips every byte of a small valid motion file.
func TestEveryByteCounts(t *testing.T) {
	c := newChamber(t)
	c.files["council.yaml"] = []byte(fmt.Sprintf("members: [{id: anna, name: A, keys: [%q]}]\n", c.lines["anna"]))
	c.files["charter.yaml"] = []byte(strings.Replace(charter, "enact: 4, weaken: 5", "enact: 1, weaken: 1", 1))
	for name := range diff.Own() { // so that the file is small
		delete(c.files, name)
	}
	file := must(c.draft(nil, c.files, "anna").File())
	v := c.verifier(nil)
	if _, err := v.Verify(file); err != nil {
		t.Fatal(err)
	}
	for i := range file {
		masks := []byte{0x01}
		if i%7 == 0 {
			masks = []byte{0x01, 0x80, 0x20}
		}
		for _, mask := range masks {
			file[i] ^= mask
			if e, err := v.Verify(file); err == nil {
				t.Errorf("byte %d of %d can be flipped by %#x: version %d is accepted", i, len(file), mask, e.Version)
			}
			file[i] ^= mask
		}
	}
	for _, cut := range []int{1, 512, 1024, len(file) / 2} {
		if _, err := v.Verify(file[:len(file)-cut]); err == nil {
			t.Errorf("accepted without its last %d bytes", cut)
		}
	}
	if _, err := v.Verify(append(file[:len(file):len(file)], make([]byte, 512)...)); err == nil {
		t.Error("accepted with a block more")
	}
}

// must is for archives of names that are known to be good.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
