package homes

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/host"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/decision"
	"sluice/register"
)

// TestWhoIsShown: a sensor is listed only where its kind is known and has never stood
// for somebody, unless as many members as the quorum for weakening say so.
func TestWhoIsShown(t *testing.T) {
	reg, err := register.Parse("r", []byte("sensors:\n  - {id: a, owner: o, kind: meter, zone: z, registered: "+
		"2026-01-01}\n  - {id: b, owner: o, kind: gate, zone: z, registered: 2026-01-01}\n  - {id: c, owner: o, "+
		"kind: typo, zone: z, registered: 2026-01-01}\n"))
	if err != nil {
		t.Fatal(err)
	}
	set := func(kinds ...string) *compile.Set {
		p := &bundle.Policy{Charter: &decision.Charter{Quorums: decision.Quorums{Weaken: 5}},
			Kinds: map[string]register.Kind{}}
		for _, k := range kinds {
			id, unit, _ := strings.Cut(k, " ")
			kind := register.Kind{}
			switch unit {
			case "home":
				kind.Units = []register.KindUnit{{Sensor: true, StandsFor: "home"}}
			case "decided":
				d := &decision.Document{AppliesTo: decision.AppliesTo{Kinds: []string{id}},
					Unit: decision.Unit{Sensor: "home"}}
				p.Decisions = append(p.Decisions, bundle.Decision{Document: d})
			}
			p.Kinds[id] = kind
		}
		return &compile.Set{Policy: p}
	}
	type step struct {
		set    *compile.Set
		voters int // -1 for an unsigned directory
	}
	for name, c := range map[string]struct {
		steps []step
		want  Shown
	}{
		"known":               {[]step{{set("gate", "meter"), -1}}, Singly},
		"a home":              {[]step{{set("gate", "meter home"), -1}}, Home},
		"by a decision":       {[]step{{set("gate", "meter decided"), -1}}, Home},
		"not known":           {[]step{{set("gate"), -1}}, Unknown},
		"unit lost, unsigned": {[]step{{set("gate", "meter home"), -1}, {set("gate", "meter"), -1}}, Home},
		"decision gone, unsigned": {[]step{{set("gate", "meter decided"), -1}, {set("gate", "meter"), -1}},
			Home},
		"kind gone": {[]step{{set("gate", "meter home"), -1}, {set("gate"), -1}}, Unknown},
		"kind gone and back": {[]step{{set("gate", "meter home"), -1}, {set("gate"), -1},
			{set("gate", "meter"), -1}}, Home},
		"unit lost, few":    {[]step{{set("gate", "meter home"), 4}, {set("gate", "meter"), 4}}, Home},
		"unit lost, enough": {[]step{{set("gate", "meter home"), 4}, {set("gate", "meter"), 5}}, Singly},
		"unit lost, enough, and back": {[]step{{set("gate", "meter home"), 4}, {set("gate", "meter"), 5},
			{set("gate", "meter home"), 4}, {set("gate", "meter"), 4}}, Home},
		"kind gone by enough, back by few": {[]step{{set("gate", "meter home"), 4}, {set("gate"), 5},
			{set("gate", "meter"), 4}}, Home},
	} {
		var known Known
		var last *compile.Set
		for _, s := range c.steps {
			var motion *council.Enacted
			if s.voters >= 0 {
				motion = &council.Enacted{Ballots: make([]council.Ballot, s.voters)}
			}
			known = known.Next(s.set, last, motion, slog.New(slog.DiscardHandler))
			last = s.set
		}
		got := (&Record{kinds: map[string]string{}}).Sorts(reg, last, known)
		if got[0] != c.want || got[1] != Singly || got[2] != Unknown {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
	}
}

// TestHoused: a sensor that stood for a home by one kind is not shown by another,
// over restarts, until the kind itself was voted out.
func TestHoused(t *testing.T) {
	dir := t.TempDir()
	h, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &register.Sensor{ID: "a", Kind: "meter"}
	if h.other(s, map[string]bool{"meter": true}) {
		t.Error("nothing is known, and it is hidden")
	}
	h.note(s)
	if err := h.Save(); err != nil {
		t.Fatal(err)
	}
	if h, err = Read(dir); err != nil {
		t.Fatal(err)
	}
	slip := &register.Sensor{ID: "a", Kind: "gate"}
	for _, c := range []struct {
		s     *register.Sensor
		homes map[string]bool
		want  bool
	}{
		{slip, map[string]bool{"meter": true}, true},
		{s, map[string]bool{"meter": true}, false},
		{slip, nil, false}, // voted
		{&register.Sensor{ID: "b", Kind: "gate"}, map[string]bool{"meter": true}, false},
	} {
		if got := h.other(c.s, c.homes); got != c.want {
			t.Errorf("%s as %s: %v; want %v", c.s.ID, c.s.Kind, got, c.want)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, host.HomesFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), host.HomesFile) {
		t.Errorf("half a file: %v", err)
	}
}
