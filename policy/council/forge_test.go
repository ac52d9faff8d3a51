package council_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/decision"
	"sluice/policy/diff"
)

// ownRules are the program's rules when the texts got their format: what a text of
// that format does not say. Rules that change need a new format, since the old text
// would stand for something else; put both here then, and the digests of the rules as
// they were into diff's ownIn, so that motions of the old format still verify.
var ownRules = map[int]string{
	4: "bdfe0776425d011b1996f2564cf87e2c9b7825394f246af8f027c824a64fd667",
	5: "bdfe0776425d011b1996f2564cf87e2c9b7825394f246af8f027c824a64fd667",
	6: "bdfe0776425d011b1996f2564cf87e2c9b7825394f246af8f027c824a64fd667",
	7: "bdfe0776425d011b1996f2564cf87e2c9b7825394f246af8f027c824a64fd667",
}

func TestTheFormatStandsForTheRules(t *testing.T) {
	own := diff.Own()
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(own)) {
		fmt.Fprintf(h, "%d %s %d\n%s", len(name), name, len(own[name]), own[name])
	}
	if got := hex.EncodeToString(h.Sum(nil)); ownRules[council.Format] != got {
		t.Errorf(
			"the program's rules are no longer those of format %d; make council.Format greater and put %s beside it",
			council.Format, got)
	}
	if len(own) < 4 {
		t.Errorf("%d rules are the program's own; want charter, lib, plan and release", len(own))
	}
}

// places are where a document can say what its author likes. Some are refused when
// they are read; the text does not count on that.
var places = map[string]func(p *bundle.Policy, s string){
	"a decision's id": func(p *bundle.Policy, s string) { rename(p, s) },
	"a title":         func(p *bundle.Policy, s string) { p.Decisions[0].Title = map[string]string{"en": s, s: "x"} },
	"a purpose": func(p *bundle.Policy, s string) {
		p.Decisions[0].Purpose = s
		p.Charter.Purposes = []string{s}
	},
	"a legal basis": func(p *bundle.Policy, s string) { p.Decisions[0].LegalBasis = s },
	"a stream": func(p *bundle.Policy, s string) {
		p.Decisions[0].Stream.ID, p.Decisions[0].Document.Stream = s, s
	},
	"a kept field": func(p *bundle.Policy, s string) { p.Decisions[0].Keep = append(p.Decisions[0].Keep, s) },
	"a condition": func(p *bundle.Policy, s string) {
		p.Decisions[0].Where = []plan.Condition{{Field: s, Op: "==", Value: s}}
	},
	"a reason": func(p *bundle.Policy, s string) { p.Suspended[0].Reason = decision.Words{decision.Unsaid: s} },
	"a reason in Catalan": func(p *bundle.Policy, s string) {
		p.Suspended[0].Reason = decision.Words{"ca": s, "en": "a fault"}
	},
	"a reason's language": func(p *bundle.Policy, s string) { p.Suspended[0].Reason = decision.Words{s: "a fault"} },
	"who is suspended":    func(p *bundle.Policy, s string) { p.Suspended[0].Decision = s },
	"a kind":              func(p *bundle.Policy, s string) { p.Kinds[s] = p.Kinds["wifi-counter"] },
	"a field of a kind":   func(p *bundle.Policy, s string) { p.Kinds["wifi-counter"].Fields[0].Name = s },
	"a unit of a field":   func(p *bundle.Policy, s string) { p.Kinds["wifi-counter"].Fields[1].Unit = s },
	"a city":              func(p *bundle.Policy, s string) { p.Charter.City.Name = s },
	"a timezone":          func(p *bundle.Policy, s string) { p.Charter.City.Timezone = s },
	"a budget":            func(p *bundle.Policy, s string) { p.Charter.EpsilonPerDay = map[string]float64{s: 1} },
	"a member": func(p *bundle.Policy, s string) {
		p.Council.Members[0].ID, p.Council.Members[0].Name = s, s
	},
	"a blackout": func(p *bundle.Policy, s string) { p.Decision("2026-18").Blackouts[0].Reason = s },
	"a module's name": func(p *bundle.Policy, s string) {
		p.Files["local/"+s+".rego"] = []byte("package sluice.local\n")
	},
	"a rule's name": func(p *bundle.Policy, s string) { p.Files["rules/"+s+".rego"] = []byte("package x\n") },
	"about nobody": func(p *bundle.Policy, s string) {
		p.Decision("2026-16").Unit.None = decision.Words{decision.Unsaid: s}
	},
	"about nobody, by language": func(p *bundle.Policy, s string) {
		p.Decision("2026-16").Unit.None = decision.Words{"ca": s, "en": s, "es": s}
	},
	"a category": func(p *bundle.Policy, s string) { p.Decision("2026-18").Publish.By[1].Values = []string{s, "x"} },
}

func rename(p *bundle.Policy, id string) {
	p.Decisions[0].Decision, p.Decisions[0].Stream.Decision = id, id
}

// TestNobodyWritesALine: whatever a name, a title or a reason is, the text has the
// lines that it would have with a harmless one, and no character that is not seen.
func TestNobodyWritesALine(t *testing.T) {
	base := example(t)
	before, err := bundle.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	pieces := []string{"\n", "\r", "\r\n", "\x1b[2K\x1b[1A", "\u202e", "\u2066", "\u2028", "\u2029", "\u0085", "\v",
		"\f", "\x00", "\u200b", "\ufeff", "\n\n", "* stronger - 2026-14 - ", "Quorum: 1", "\"", "\\", " ", "  ", "é",
		"\xff", "---", "\n* "}
	lines := func(where string, s string, prev *bundle.Policy) int {
		p, err := bundle.Read(base)
		if err != nil {
			t.Fatal(err)
		}
		p.Files = maps.Clone(base)
		places[where](p, s)
		text := said(t, prev, p)
		for _, r := range text {
			if r != '\n' &&
				(unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == '\ufffd') {
				t.Errorf("%s: the text has %U", where, r)
			}
		}
		return strings.Count(text, "\n")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, where := range slices.Sorted(maps.Keys(places)) {
		for _, prev := range []*bundle.Policy{nil, before} {
			want := lines(where, "zzz", prev)
			for range 3 {
				s := "y"
				for range 1 + rng.IntN(8) {
					s += pick(rng, pieces)
				}
				if got := lines(where, s, prev); got != want {
					t.Errorf("%s: %q makes %d lines; want %d", where, s, got, want)
				}
			}
		}
	}
}

// TestNobodyWritesALineOfTheHead is the same for the zones' names and the head.
func TestNobodyWritesALineOfTheHead(t *testing.T) {
	const evil = "x\nQuorum: 1 of 7 members\u202e\x1b[2K"
	base := example(t)
	name, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	base["zones.geojson"] = []byte(strings.Replace(string(base["zones.geojson"]), `"El Port"`, string(name), 1))
	p, err := bundle.Read(base)
	if err != nil {
		t.Skip("such a name is refused when it is read")
	}
	m := council.Motion{City: evil, ID: evil, Gateways: []string{evil}, Created: made, NotBefore: made, Expires: made}
	text, err := m.Text(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "\nQuorum: 1 of 7") || strings.ContainsAny(string(text), "\u202e\x1b") {
		t.Errorf("a name writes a line:\n%.2000s", text)
	}
}
