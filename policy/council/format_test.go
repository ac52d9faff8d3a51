package council_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/policy/bundle"
	"sluice/policy/council"
)

// enactedIn reads motions of an earlier format that were signed with keys which are
// no more: each is the next of the one before.
func enactedIn(t *testing.T, names ...string) (chain []*council.Enacted, files [][]byte) {
	t.Helper()
	var prev *council.Enacted
	for _, name := range names {
		file, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		parts := must(council.ReadFile(file))
		m := must(council.ParseMotion(parts["motion.txt"]))
		e, err := council.Verifier{Previous: prev, Pin: m.Roster}.Verify(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		chain, files, prev = append(chain, e), append(files, file), e
	}
	return chain, files
}

// TestFormat4 verifies motions that were enacted in format 4, by a gateway that has
// never seen them: their texts are made anew byte for byte as they were. Where this
// fails, a sentence or a rule was changed: motions in force say the old one.
func TestFormat4(t *testing.T) {
	chain, files := enactedIn(t, "format4-first.sluice", "format4-second.sluice", "format4-third.sluice")
	for i, e := range chain {
		if e.Format != 4 || !bytes.HasPrefix(e.Text, []byte("Sluice motion, format 4\n\nCity: ")) {
			t.Errorf("motion %s is of format %d", e.ID, e.Format)
		}
		var prev *council.Enacted
		if i > 0 {
			prev = chain[i-1]
		}
		if _, err := council.Reopen(files[i], prev); err != nil {
			t.Errorf("%s is not reopened: %v", e.ID, err)
		}
		for _, lang := range []string{"En català", "En español", "In English"} {
			if !strings.Contains(string(e.Text), lang) {
				t.Errorf("%s is not said %s", e.ID, lang)
			}
		}
	}
	// The next one is of the new format, and follows.
	last := chain[len(chain)-1]
	m, parts, err := council.Draft{Previous: last, Policy: last.Policy, ID: "next", Created: last.NotBefore,
		Within: council.MaxWithin}.Create()
	if err != nil || m.Format != council.Format || m.Previous != last.Hash {
		t.Errorf("what follows is %+v, %v", m, err)
	}
	if again := must(council.ParseMotion(parts["motion.txt"])); again.Format != council.Format {
		t.Errorf("it is read as format %d", again.Format)
	}
}

// TestFormat5 verifies motions that were enacted in format 5, whose texts have ids where
// later ones have the council's words.
func TestFormat5(t *testing.T) {
	chain, files := enactedIn(t, "format5-first.sluice", "format5-second.sluice")
	var prev *council.Enacted
	for i, e := range chain {
		if e.Format != 5 || !bytes.HasPrefix(e.Text, []byte("Sluice motion, format 5\n\n")) {
			t.Errorf("motion %s is of format %d", e.ID, e.Format)
		}
		if _, err := council.Reopen(files[i], prev); err != nil {
			t.Errorf("%s is not reopened: %v", e.ID, err)
		}
		prev = e
	}
	first, second := string(chain[0].Text), string(chain[1].Text)
	if !strings.Contains(first, "by sensors of the kind wifi-counter, in La Rambla") ||
		!strings.Contains(second, `privacy budget (epsilon): 1 → 0.5`) {
		t.Errorf("they do not say what they said:\n%.3000s\n%.3000s", first, second)
	}
	_, parts, err := council.Draft{Previous: prev, Policy: prev.Policy, ID: "next", Created: prev.NotBefore,
		Within: council.MaxWithin}.Create()
	if err != nil || !bytes.HasPrefix(parts["motion.txt"], []byte("Sluice motion, format 7\n\n")) {
		t.Errorf("what follows is %.100s, %v", parts["motion.txt"], err)
	}
}

// TestWordsOfFormat5 verifies motions of format 5 that have words, limits and contacts: those of a
// first policy took the charter's quorum then.
func TestWordsOfFormat5(t *testing.T) {
	chain, _ := enactedIn(t, "format5-words-first.sluice", "format5-words-second.sluice")
	const quorum = "(quorum of the charter: enact, charter)"
	if first := chain[0]; first.Format != 5 || !strings.Contains(string(first.Text), quorum) {
		t.Errorf("it does not say what it said:\n%.3000s", first.Text)
	}
	if second := string(chain[1].Text); !strings.Contains(second, `the data protection officer: "Delegada`) {
		t.Errorf("it does not say what it said:\n%.3000s", second)
	}
}

// TestFormat6 verifies motions that were enacted in format 6: nobody removed numbers then, so
// their texts do not say it, and a shorter time to keep them took no more than the quick quorum.
func TestFormat6(t *testing.T) {
	chain, files := enactedIn(t, "format6-first.sluice", "format6-second.sluice", "format6-third.sluice")
	var prev *council.Enacted
	for i, e := range chain {
		if e.Format != 6 || !strings.Contains(string(e.Text), "Published numbers are meant to be kept for ") {
			t.Errorf("motion %s is of format %d", e.ID, e.Format)
		}
		if _, err := council.Reopen(files[i], prev); err != nil {
			t.Errorf("%s is not reopened: %v", e.ID, err)
		}
		prev = e
	}
	if prev.Needed != 2 {
		t.Errorf("the last one took %d; want 2", prev.Needed)
	}
	next := bundle.Files{}
	for name, raw := range prev.Policy.Files {
		next[name] = bytes.Replace(raw, []byte("retain: P2Y"), []byte("retain: {hours: P1Y}"), 1)
	}
	m, parts, err := council.Draft{Previous: prev, Policy: must(bundle.Read(next)), ID: "next", Created: prev.NotBefore,
		Within: council.MaxWithin}.Create()
	if err != nil || m.Format != council.Format {
		t.Fatal(m.Format, err)
	}
	for _, want := range []string{"Published numbers are kept for 1 year, and then removed.", "4 of 7 members (enact)",
		"numbers are kept for: 2 years → hours: 1 year (some published numbers are removed for good)"} {
		if !strings.Contains(string(parts["motion.txt"]), want) {
			t.Errorf("the next one does not say %q:\n%s", want, parts["motion.txt"])
		}
	}
}

// TestThePage: a motion begins with a page for people in each of the city's
// languages, of 60 lines at most, that says what is decided, from when, and how to
// sign, without a digest; head, keys and digests are at the end.
func TestThePage(t *testing.T) {
	files := example(t)
	long := bundle.Files{}
	for name, raw := range files {
		long[name] = raw
	}
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		long["decisions/more-"+id+".yaml"] = bytes.ReplaceAll(
			bytes.ReplaceAll(files["decisions/2026-17-air.yaml"], []byte("\"2026-17\""), []byte("\"more-"+id+"\"")),
			[]byte("stream: air"), []byte("stream: more-"+id))
	}
	before := must(bundle.Read(files))
	keys := bundle.Files{}
	for name, raw := range files {
		keys[name] = raw
	}
	keys["council.yaml"] = bytes.Replace(keys["council.yaml"], []byte("2GqT"), []byte("2GqX"), 1)
	keys["rules/charter.rego"] = append(bytes.Clone(keys["rules/charter.rego"]), '\n')
	for name, c := range map[string]struct {
		before, next *bundle.Policy
	}{
		"a first one": {nil, before}, "a first one with many decisions": {nil, must(bundle.Read(long))},
		"a later one with many": {before, must(bundle.Read(long))},
		"other keys and rules":  {before, must(bundle.Read(keys))}, "one that changes nothing": {before, before},
	} {
		t.Run(name, func(t *testing.T) {
			text := said(t, c.before, c.next)
			pages, rest, ok := strings.Cut(text, "\nAnnex: En català\n")
			if !ok {
				t.Fatalf("there is no annex:\n%.3000s", text)
			}
			for _, title := range []string{"En català", "En español", "In English"} {
				_, page, ok := strings.Cut(pages, "\n"+title+"\n")
				for _, other := range []string{"\nEn català\n", "\nEn español\n", "\nIn English\n"} {
					page, _, _ = strings.Cut(page, other)
				}
				if n := strings.Count(page, "\n"); !ok || n > 60 || n < 25 {
					t.Errorf("the page %s has %d lines", title, n)
				}
				if !strings.Contains(page,
					"ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n sluice-vote@portalba motion.txt") {
					t.Errorf("the page %s does not say how to sign", title)
				}
				digests := regexp.MustCompile(`(SHA|sha)256:[A-Za-z0-9+/]{9}|[0-9a-f]{32}`)
				if digest := digests.FindString(page); digest != "" {
					t.Errorf("the page %s has %s", title, digest)
				}
			}
			head := rest[strings.LastIndex(rest, "\n\n")+2:]
			if !strings.HasPrefix(head, "City: portalba\n") || strings.Count(head, "\n") != 11 {
				t.Errorf("the text ends with\n%s", head)
			}
			if !utf8.ValidString(text) || strings.Contains(text, "\n\n\n") || strings.Contains(text, "%!") {
				t.Errorf("the text is not tidy:\n%.6000s", text)
			}
		})
	}
}

// TestThePageTellsWeaker: what protects less stands on the page, or how much of it
// is in the annex.
func TestThePageTellsWeaker(t *testing.T) {
	files := example(t)
	before := must(bundle.Read(files))
	files["decisions/2026-14-footfall.yaml"] = bytes.Replace(files["decisions/2026-14-footfall.yaml"],
		[]byte("min_units: 10"), []byte("min_units: 20"), 1)
	stronger := said(t, before, must(bundle.Read(files)))
	page, _, _ := strings.Cut(stronger, "Annex: ")
	if !strings.Contains(page, "* stronger - 2026-14 - smallest group: 10 → 20") ||
		!strings.Contains(page, "Decisions that stay as they are: 2026-15, 2026-16, 2026-17 and 2026-18.") {
		t.Errorf("the page is\n%s", page)
	}
	for i := range 20 {
		id := string(rune('a' + i))
		files["decisions/more-"+id+".yaml"] = bytes.ReplaceAll(
			bytes.ReplaceAll(files["decisions/2026-17-air.yaml"], []byte("\"2026-17\""), []byte("\"more-"+id+"\"")),
			[]byte("stream: air"), []byte("stream: more-"+id))
	}
	page, _, _ = strings.Cut(said(t, before, must(bundle.Read(files))), "Annex: ")
	if n := strings.Count(page, "* weaker - "); n != 7 ||
		!regexp.MustCompile(`And more changes in the annex: \d+, of which weaker: [1-9]`).MatchString(page) {
		t.Errorf("%d weaker changes are on the page:\n%s", n, page)
	}
}

// TestNotBeforeWhatItFollows: a motion without notice of its own that follows one
// which waits takes effect with that one, and its page says so.
func TestNotBeforeWhatItFollows(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	second, err := c.verifier(first).Verify(
		must(c.draft(first, c.with("decisions/d1.yaml", footfall), names[:4]...).File()))
	if err != nil {
		t.Fatal(err)
	}
	if !second.From.Equal(second.NotBefore) || !second.From.After(second.Created) {
		t.Fatalf("the decision takes effect at %v", second.From)
	}
	tighter := must(
		bundle.Read(c.with("decisions/d1.yaml", strings.Replace(footfall, "min_units: 20", "min_units: 30", 1))))
	m, parts, err := council.Draft{Previous: second, Policy: tighter, ID: "m", Created: second.Created,
		Within: council.MaxWithin}.Create()
	if err != nil {
		t.Fatal(err)
	}
	text := string(parts["motion.txt"])
	if !m.NotBefore.Equal(m.Created) || strings.Contains(text, "As soon as it is enacted.") ||
		!strings.Contains(text, "From 22 January 2030, 00:00 on (Europe/Madrid), if it is enacted by then") {
		t.Errorf("the page says\n%.1800s", text)
	}
	v := c.verifier(second)
	v.Now = second.NotBefore
	third, err := v.Verify(must(ballotsOf(c, parts, names[:2]).File()))
	if err != nil || !third.From.Equal(second.From) {
		t.Errorf("it takes effect at %v, %v", third.From, err)
	}
}
