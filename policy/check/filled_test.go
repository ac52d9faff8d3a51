package check_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/decision"
	"sluice/policy/rego"
)

// bare is the example with a decision of before: without a law, a review, and two of the
// city's languages.
func bare(files bundle.Files) bundle.Files {
	text := string(files[footfall])
	for _, line := range []string{"legal_basis: \"GDPR 6(1)(e); by-law 2026/3\"\n", "review: 2027-02-01\n",
		"  ca: \"Afluència al nucli antic\"\n", "  es: \"Afluencia en el casco antiguo\"\n"} {
		text = strings.Replace(text, line, "", 1)
	}
	files[footfall] = []byte(text)
	return files
}

// split are the rules of mistakes and of warnings.
func split(found []check.Finding) (wrong, warned []string) {
	for _, f := range found {
		if f.Warning() {
			warned = append(warned, f.Rule)
		} else {
			wrong = append(wrong, f.Rule)
		}
	}
	return wrong, warned
}

// TestWhatIsInForceIsWarnedOf: what the council voted runs on, as it is, and stands in
// the way of no other decision; whoever changes it fills it in, and a language that the
// city gets is asked of everything.
func TestWhatIsInForceIsWarnedOf(t *testing.T) {
	inForce, err := bundle.Read(bare(portalba.Policy()))
	if err != nil {
		t.Fatal(err)
	}
	three := []string{"T02", "T03", "T04"}
	against := func(files bundle.Files, in *bundle.Policy) (wrong, warned []string) {
		found, _ := check.Directory(context.Background(), evaluator, files, in, civil.Date{})
		wrong, warned = split(found)
		slices.Sort(wrong)
		slices.Sort(warned)
		return wrong, warned
	}
	if wrong, warned := against(bare(portalba.Policy()), nil); !slices.Equal(wrong, three) || warned != nil {
		t.Errorf("as a draft: %v, %v", wrong, warned)
	}
	if wrong, warned := against(bare(portalba.Policy()), inForce); wrong != nil || !slices.Equal(warned, three) {
		t.Errorf("as in force: %v, %v", wrong, warned)
	}
	changed := bare(portalba.Policy())
	changed[footfall] = append(changed[footfall], "# looked at\n"...)
	if wrong, _ := against(changed, inForce); !slices.Equal(wrong, three) {
		t.Errorf("changed: %v", wrong)
	}
	renamed := bare(portalba.Policy())
	renamed["decisions/old.yaml"] = renamed[footfall]
	delete(renamed, footfall)
	if wrong, _ := against(renamed, inForce); wrong != nil {
		t.Errorf("under another name: %v", wrong)
	}
	one := portalba.Policy()
	one["charter.yaml"] = []byte(strings.Replace(string(one["charter.yaml"]), "[ca, es, en]", "[en]", 1))
	english, err := bundle.Read(bare(one))
	if err != nil {
		t.Fatal(err)
	}
	if wrong, _ := against(bare(portalba.Policy()), english); !slices.Equal(wrong, []string{"T03"}) {
		t.Errorf("with two languages more: %v; want T03", wrong)
	}
}

// TestTheGatewayGoesOn: a policy that lacks words compiles, and its decision runs.
func TestTheGatewayGoesOn(t *testing.T) {
	set, err := compile.Files(context.Background(), rego.InProcess(), bare(portalba.Policy()))
	if err != nil || len(set.Streams) != 4 || len(set.Broken) > 0 {
		t.Errorf("%v, %+v", err, set)
	}
}

// TestWhatDevicesSendIsNoPlaceholder: angles may be meant there, and a name for nothing.
func TestWhatDevicesSendIsNoPlaceholder(t *testing.T) {
	files := portalba.Policy()
	files[boardings] = []byte(strings.Replace(string(files[boardings]), "keep: [card]",
		`keep: [card, fare]`+"\n"+`where: [{field: fare, op: "!=", value: "<none>"}]`, 1))
	if found, _ := run(files); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	files = portalba.Policy()
	files[footfall] = []byte(strings.Replace(string(files[footfall]), `"Footfall in the old town"`,
		`"Nothing but footfall > 3"`, 1))
	if found, _ := run(files); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// TestAnEmptyTextIsSaidOnce: whatever people are to read and is empty is one mistake, in
// words for people.
func TestAnEmptyTextIsSaidOnce(t *testing.T) {
	for _, x := range []struct{ old, new, rule, says string }{
		{`ca: "Afluència al nucli antic"`, `ca: ""`, "T01", "“title: {ca}” is empty"},
		{`ca: "Afluència al nucli antic"`, `ca:`, "T01", "“title: {ca}” is empty"},
		{`legal_basis: "GDPR 6(1)(e); by-law 2026/3"`, `legal_basis:`, "T02", "law"},
		{`legal_basis: "GDPR 6(1)(e); by-law 2026/3"`, `legal_basis: ""`, "T02", "law"},
		{`unit: {field: device, stands_for: device}`, `unit: {none: ""}`, "T01", "“none” is empty"},
	} {
		files := portalba.Policy()
		files[footfall] = []byte(strings.Replace(string(files[footfall]), x.old, x.new, 1))
		inForce, _ := bundle.Read(files) // not even where it is what the council voted
		for _, in := range []*bundle.Policy{nil, inForce} {
			found, _ := check.Directory(context.Background(), evaluator, files, in, civil.Date{})
			if len(found) == 0 {
				t.Errorf("%s: nothing is found", x.new)
				continue
			}
			if what, mend := found[0].Text(0); len(found) != 1 || found[0].Rule != x.rule ||
				!strings.Contains(what, x.says) || mend == "" {
				t.Errorf("%s: found %+v", x.new, found)
			}
		}
	}
}

// TestAFoundersTownGetsItsName: what the program founded for one member is not in force
// with a placeholder as if somebody had voted for that; for a council it is.
func TestAFoundersTownGetsItsName(t *testing.T) {
	files := portalba.Policy()
	files["charter.yaml"] = []byte(strings.Replace(string(files["charter.yaml"]), "name: Portalba", "name: Our town",
		1))
	council, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	alone := *council
	alone.Council = &decision.Council{Version: 1, Members: []decision.Member{{ID: "founder"}}}
	council.Council = &decision.Council{Version: 1, Members: []decision.Member{{ID: "anna"}, {ID: "bru"}}}
	for in, wrong := range map[*bundle.Policy]bool{&alone: true, council: false} {
		found, _ := check.Directory(context.Background(), evaluator, files, in, civil.Date{})
		if len(found) != 1 || found[0].Rule != "T01" || found[0].Warning() == wrong {
			t.Errorf("with %d members: found %+v", len(in.Council.Members), found)
		}
	}
}
