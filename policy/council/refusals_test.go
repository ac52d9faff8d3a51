package council_test

import (
	"strings"
	"testing"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/council"
)

// TestRefusals: everything that a gateway must refuse, each with its code.
func TestRefusals(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	files := c.with("decisions/d1.yaml", footfall)
	good := func() council.Parts { return c.draft(first, files, names[:4]...) }
	// signed is a motion whose head is edited before it is signed.
	signed := func(old, new string) council.Parts {
		p := c.draft(first, files)
		p["motion.txt"] = []byte(strings.Replace(string(p["motion.txt"]), old, new, 1))
		for _, m := range names[:4] {
			p["ballots/"+m+".sig"] = c.sign(m, "sluice-vote@vila", p["motion.txt"])
		}
		return p
	}
	ballot := func(p council.Parts, name, who, namespace string) council.Parts {
		p["ballots/"+name+".sig"] = c.sign(who, namespace, p["motion.txt"])
		return p
	}
	const ns = "sluice-vote@vila"
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	_, elsewhere, err := council.Draft{Previous: first, Policy: p, ID: "m", Gateways: []string{"edge-2", "edge-3"},
		Created: first.NotBefore, Within: council.MaxWithin}.Create()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range names[:6] {
		elsewhere["ballots/"+m+".sig"] = c.sign(m, ns, elsewhere["motion.txt"])
	}
	coup := c.roster(func(s string) string { return strings.Replace(s, c.lines["bru"], c.lines["stranger"], 1) })
	for name, k := range map[string]struct {
		parts council.Parts
		want  council.Code
	}{
		"unsigned":             {c.draft(first, files), council.TooFew},
		"too few":              {c.draft(first, files, names[:3]...), council.TooFew},
		"twice, same key":      {ballot(c.draft(first, files, names[:3]...), "zoe", "anna", ns), council.Twice},
		"twice, two keys":      {ballot(c.draft(first, files, names[:3]...), "zoe", "anna2", ns), council.Twice},
		"under another name":   {ballot(c.draft(first, files, names[1:4]...), "zoe", "anna", ns), council.WrongParts},
		"unknown key":          {ballot(good(), "zoe", "stranger", ns), council.UnknownKey},
		"revoked key":          {ballot(good(), "old", "old", ns), council.RevokedKey},
		"term is over":         {ballot(good(), "gemma", "gemma", ns), council.NotInOffice},
		"namespace of another": {ballot(good(), "anna", "anna", "sluice-vote@other"), council.Namespace},
		"namespace file":       {ballot(good(), "anna", "anna", "file"), council.Namespace},
		"another text signed":  {ballotOver(c, good(), "anna", "another text"), council.BadSignature},
		"other city":           {signed("City: vila", "City: poble"), council.OtherCity},
		"other city's charter": {c.crafted(first,
			c.with("charter.yaml", strings.Replace(charter, "id: vila", "id: poble", 1)), "vila"), council.OtherCity},
		"other city altogether": {c.crafted(first,
			c.with("charter.yaml", strings.Replace(charter, "id: vila", "id: poble", 1)), "poble"), council.OtherCity},
		"version not greater": {signed("Version: 2", "Version: 1"), council.OldVersion},
		"version too great":   {signed("Version: 2", "Version: 3"), council.Gap},
		"another predecessor": {signed(first.Hash, strings.Repeat("0", 64)), council.Gap},
		"another gateway's":   {elsewhere, council.OtherGateway},
		"short notice":        {sooner(c, first, p, c.draft(first, files)), council.ShortNotice},
		"too long to enact": {signed("To be enacted by: 2030-03-22T23:00:00Z",
			"To be enacted by: 2030-03-22T23:00:01Z"), council.Expired},
		"fewer needed": {signed("Quorum: 4 of 7", "Quorum: 1 of 7"), council.OtherText},
		"another text": {signed("protects less", "protects more"), council.OtherText},
		"a line more":  {signed("Quorum:", "Note: hello\nQuorum:"), council.OtherText},
		"a new roster by itself": {signed("Voting roster: sha256:"+council.Sum(files["council.yaml"]),
			"Voting roster: sha256:"+council.Sum([]byte(coup))), council.OtherRoster},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.verifier(first).Verify(must(k.parts.File())); council.CodeOf(err) != k.want || err == nil {
				t.Errorf("got %v; want %s", err, k.want)
			}
		})
	}
	t.Run("expired", func(t *testing.T) {
		v := c.verifier(first)
		v.Now = made.AddDate(1, 0, 0)
		if _, err := v.Verify(must(good().File())); council.CodeOf(err) != council.Expired {
			t.Errorf("got %v", err)
		}
	})
	t.Run("made before the one in force", func(t *testing.T) {
		p := c.draft(first, files)
		p["motion.txt"] = []byte(strings.Replace(string(p["motion.txt"]), "Created: 2030-01-07T",
			"Created: 2029-01-07T", 1))
		for _, m := range names[:4] {
			p["ballots/"+m+".sig"] = c.sign(m, ns, p["motion.txt"])
		}
		if _, err := c.verifier(first).Verify(must(p.File())); council.CodeOf(err) != council.Gap {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a new roster that cannot vote", func(t *testing.T) {
		bad := c.with("council.yaml",
			strings.Replace(string(files["council.yaml"]), c.lines["carla"], "ssh-ed25519 AAAA", 1))
		if _, err := bundle.Read(bad); err == nil || !strings.Contains(err.Error(), "not a public key") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a member who left after signing", func(t *testing.T) {
		v := c.verifier(first)
		p := c.draft(first, files, names[:4]...)
		v.Now = made.AddDate(0, 1, 0)
		if _, err := v.Verify(must(p.File())); err != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a roster that votes for itself", func(t *testing.T) {
		// The stranger is in the new roster only, and signs with three others.
		p := c.draft(first, c.with("council.yaml", coup), names[2:6]...)
		p["ballots/bru.sig"] = c.sign("stranger", ns, p["motion.txt"])
		if _, err := c.verifier(first).Verify(must(p.File())); council.CodeOf(err) != council.UnknownKey {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a first roster under the pinned one's name", func(t *testing.T) {
		pinned := c.verifier(nil)
		other := *c
		other.files = c.with("council.yaml", coup)
		p := c.crafted(nil, other.files, "vila") // its head names the pinned roster, and it brings another
		if _, err := pinned.Verify(must(p.File())); council.CodeOf(err) != council.OtherRoster {
			t.Errorf("got %v", err)
		}
	})
	t.Run("another first roster", func(t *testing.T) {
		v := c.verifier(nil)
		v.Pin = strings.Repeat("0", 64)
		file := must(c.draft(nil, c.files, names[:4]...).File())
		if _, err := v.Verify(file); council.CodeOf(err) != council.OtherRoster {
			t.Errorf("got %v", err)
		}
		v.Pin = ""
		if _, err := v.Verify(file); council.CodeOf(err) != council.OtherRoster {
			t.Errorf("without a pin: %v", err)
		}
	})
}

// sooner is the motion with a text that says all through that it takes effect an
// hour sooner, signed by as many as are needed.
func sooner(c *chamber, first *council.Enacted, p *bundle.Policy, parts council.Parts) council.Parts {
	m := must(council.ParseMotion(parts["motion.txt"]))
	m.NotBefore, m.Expires = m.NotBefore.Add(-time.Hour), m.Expires.Add(-time.Hour)
	parts["motion.txt"] = must(m.Text(first, p))
	return ballotsOf(c, parts, names[:4])
}
