package policy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestCouncilCommands runs the whole vote that docs/council.md shows, in a demo's
// directory, and counts what each role has to type.
func TestCouncilCommands(t *testing.T) {
	t.Parallel()
	harness.Need(t, "ssh-keygen")
	doc := harness.Read(t, "../../docs/council.md")
	dir := t.TempDir()
	args := harness.FromReadme(t, fenced.Take(t, "docs/council.md", "go run ./cmd/sluice up --demo"))
	cmd := exec.Command(harness.Sluice,
		append(args, "--json", "--http", ":0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0")...)
	cmd.Dir = dir
	demo := harness.Begin(t, harness.Sluice, cmd, nil)
	web := demo.Find(`"opendata":"(http[^"]+)"`)[1]
	demo.Find(`"event":"replayed"`)
	path := []string{filepath.Dir(harness.Sluice)}
	clerk(t, dir, path)
	out, err := fenced.Take(t, "docs/council.md", "cd town/policy").Bash(dir, path)
	text := out
	if err != nil || !strings.Contains(text, "first, version 1, is enacted") ||
		!strings.Contains(text, "smaller, version 2, is put to the vote") {
		t.Fatalf("%v\n%s", err, text)
	}
	if !strings.Contains(text, "stronger  2026-14: privacy budget (epsilon): 1 → 0.5") ||
		!strings.Contains(text, "2 of 7 members must sign (suspend)") {
		t.Errorf("the second motion is\n%s", text)
	}
	if n := strings.Count(text, "(coming, from "); n < 4 {
		t.Errorf("after the first vote %d decisions are coming; want four\n%s", n, text)
	}
	if !strings.Contains(text, "smaller, version 2, is enacted with the signatures of Emma and Ferran (2 needed)") ||
		!regexp.MustCompile(`Version 2, motion smaller, is in force since .*\n.*\n\n2026-14 .*\(in force\)`).
			MatchString(text) {
		t.Errorf("the vote ends with\n%s", text)
	}
	page, _, _ := strings.Cut(harness.Read(t, filepath.Join(dir, "town/policy/motions/first/motion.txt")),
		"\nEn español\n")
	if n := strings.Count(page, "\n"); n > 60 {
		t.Errorf("the first page has %d lines", n)
	}
	_, member, _ := strings.Cut(doc, "## What a member does")
	member, _, _ = strings.Cut(member, "## What the clerk does")
	if n := strings.Count(member, "ssh-keygen -") + strings.Count(member, "\ncat "); n > 5 {
		t.Errorf("a member types %d commands; want at most five", n)
	}
	fenced.Take(t, "docs/council.md", "echo 'suspended").Run(dir, path)
	harness.Await(t, 30*time.Second, "the decision to be suspended", func() bool {
		_, _, page := harness.Get(t, web+"/decisions/2026-14?lang=en")
		return strings.Contains(string(page), "a sensor was tampered with")
	})
}

// clerk goes the clerk's way in a copy of the demo's policy, and a member's in between:
// a key, a look at the text, a signature, and somebody else's look at that.
func clerk(t *testing.T, dir string, path []string) {
	t.Helper()
	desk, home := filepath.Join(dir, "desk"), filepath.Join(dir, "home")
	harness.Run(t, "cp", "-r", filepath.Join(dir, "town/policy"), desk)
	made := fenced.Take(t, "docs/council.md", "ssh-keygen -t ed25519")
	made.StandIn("ssh-keygen",
		`mkdir -p "$HOME/.ssh" && exec /usr/bin/ssh-keygen "$@" -q -N "" -f "$HOME/.ssh/id_ed25519"`,
		"it would ask, and write into the home of whoever runs the tests")
	key := strings.TrimSpace(made.Run(dir, path, "HOME="+home))
	roster := filepath.Join(desk, "council.yaml")
	text := regexp.MustCompile(`(?m)id: anna,(.*)keys: \["[^"]+"`).ReplaceAllString(harness.Read(t, roster),
		"id: anna,${1}keys: [\""+key+"\"")
	if !strings.Contains(text, key) {
		t.Fatalf("the member's line goes nowhere in\n%s", text)
	}
	harness.Write(t, roster, text)
	sign := fenced.Take(t, "docs/council.md", "ssh-keygen -Y sign").Change("CITY", "portalba").Read()
	b := fenced.Take(t, "docs/council.md", "sluice policy check")
	if n := strings.Count(strings.TrimSpace(b.Text), "\n") + 1; n > 5 {
		t.Errorf("the clerk types %d commands; want at most five", n)
	}
	// Before the clerk looks who has signed, four members have.
	b.StandIn("sluice", `if [ "$2" = status ]; then
	cd motions/$3
	`+sign+`	mv motion.txt.sig ballots/anna.sig
	for member in bru carla dani; do
		ssh-keygen -q -Y sign -f ../../../town/keys/$member -n sluice-vote@portalba motion.txt
		mv motion.txt.sig ballots/$member.sig
	done
	cd ../..
fi
exec `+harness.Sluice+` "$@"`, "members answer between two of the commands")
	harness.Want(t, b.Run(desk, path, "HOME="+home), `2027-quieter, version 1, is enacted`)
	motion := filepath.Join(desk, "motions/2027-quieter")
	harness.Run(t, "cp", filepath.Join(motion, "ballots/anna.sig"), motion)
	look := fenced.Take(t, "docs/council.md", "ssh-keygen -Y verify").Change("CITY", "portalba")
	harness.Want(t, look.Run(motion, path), `Good "sluice-vote@portalba" signature for anna`)
	fenced.Take(t, "docs/council.md", "sluice motion page").Run(desk, path)
	harness.Want(t, harness.Read(t, filepath.Join(desk, "minutes.html")), `Plenary 2026/12, item 4`)
	harness.Want(t, harness.Read(t, filepath.Join(desk, "days.ics")), `END:VCALENDAR`)
	against := fenced.Take(t, "docs/council.md", "sluice motion ballot").Change("CITY", "portalba")
	harness.Want(t, against.Run(desk, path, "HOME="+home), `Written: motions/2027-quieter/against.txt`)
	harness.Run(t, "mv", filepath.Join(motion, "against.txt"), filepath.Join(motion, "ballots/anna.txt"))
	harness.Run(t, "mv", filepath.Join(motion, "against.txt.sig"), filepath.Join(motion, "ballots/anna.txt.sig"))
	cmd := exec.Command(harness.Sluice, "motion", "status", "2027-quieter")
	cmd.Dir = desk
	out, _ := cmd.CombinedOutput() // three are left, so that it ends with 1
	harness.Want(t, string(out), `V07: anna has signed for the motion, and another ballot too`)
}

// TestPolicyVerbs goes the way of a clerk who writes a decision, with the real
// binary.
func TestPolicyVerbs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	do := func(code int, says string, args ...string) string {
		t.Helper()
		cmd := exec.Command(harness.Sluice, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "LANG=en_GB.UTF-8", "LC_ALL=")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), says) {
			t.Errorf("sluice %s: exit code %d, want %d, and %q in\n%s", strings.Join(args, " "), got, code, says, out)
		}
		return string(out)
	}
	do(1, "sluice policy new", "policy", "check")
	do(0, "decisions/2027-01.yaml", "policy", "new", "2027-01")
	do(1, "exists already", "policy", "new", "2027-01")
	do(2, "letters, digits", "policy", "new", "../x")
	// What a template leaves to be written is found, all of it, and no motion is made of it.
	out := do(1, "T01", "policy", "check")
	for _, want := range []string{"charter.yaml:4:", "charter.yaml:5:", "<a title for residents>",
		"<un título para los residentes>", "<the law that allows it>"} {
		if !strings.Contains(out, want) {
			t.Errorf("the template's %s is not found in\n%s", want, out)
		}
	}
	fillIn(t, filepath.Join(dir, "charter.yaml"), "your-city", "portalba", "<the name of your city>", "Portalba")
	fillIn(t, filepath.Join(dir, "decisions/2027-01.yaml"), "<a title for residents>", "Boardings",
		"<un títol per als residents>", "Validacions", "<un título para los residentes>", "Validaciones",
		"<the law that allows it>", "By-law 2026/3")
	// Whom residents may turn to is warned of until the charter says it.
	if out := do(0, "Nothing is wrong", "policy", "check"); strings.Count(out, "W53: warning: ") != 4 {
		t.Errorf("a charter without contacts is\n%s", out)
	}
	fillIn(t, filepath.Join(dir, "charter.yaml"), "languages: [ca, es, en]\n", `languages: [ca, es, en]
  responsible: {name: Ajuntament de Portalba, address: Plaça Major 1, email: ajuntament@portalba.example}
  dpo: {name: Delegada de protecció de dades, email: dpd@portalba.example}
  authority: {name: Autoritat de Protecció de Dades, web: "https://authority.example"}
  accessibility: {name: Oficina d'Accessibilitat Web, web: "https://accessibility.example"}
`)
	if out := do(0, "No hi ha cap error", "policy", "check", "--lang", "ca"); strings.Contains(out, "W53") {
		t.Errorf("a charter with contacts is\n%s", out)
	}
	do(2, "en, ca, es", "policy", "check", "--lang", "fr")
	do(0, "", "policy", "fmt", "--check")

	file := filepath.Join(dir, "decisions/2027-01.yaml")
	good := harness.Read(t, file)
	harness.Write(t, file, strings.Replace(good, "min_units: 10", "min_units: 3", 1)+"\n\n\n# end   \n")
	do(1, "decisions/2027-01.yaml: ", "policy", "fmt", "--check")
	do(0, "decisions/2027-01.yaml", "policy", "fmt")
	do(0, "", "policy", "fmt", "--check")
	out = do(1, "C05", "policy", "check", "--lang", "es")
	if !strings.Contains(out, "arréglelo") || !strings.Contains(out, "escriba 10 o más") ||
		!regexp.MustCompile(`(?m)^\s+\| +\^$`).MatchString(out) {
		t.Errorf("the mistake is shown as\n%s", out)
	}
	var found struct {
		Findings []struct {
			File, Rule, Mend string
			Line, Column     int
		}
	}
	cmd := exec.Command(harness.Sluice, "policy", "check", "--json")
	cmd.Dir = dir
	raw, _ := cmd.Output()
	if err := json.Unmarshal(raw, &found); err != nil || len(found.Findings) != 1 || found.Findings[0].Rule != "C05" ||
		found.Findings[0].Line == 0 {
		t.Errorf("as JSON it is %+v (%v)", found, err)
	}
	do(1, "breaks its charter", "motion", "create", "m")
	harness.Write(t, file, good)

	do(0, "There is no test here", "policy", "test")
	const cases = "tests:\n  - name: fares are dropped\n    given: {kind: card-reader, zone: carrer-nou}\n    then: " +
		"{dropped: [fare], counted: [card], published: {cards: PT1H}}\n"
	harness.Write(t, filepath.Join(dir, "tests/cards.yaml"), cases)
	do(0, "1 test passed", "policy", "test")
	harness.Write(t, filepath.Join(dir, "local/quiet.rego"), "package sluice.local\n\ndeny contains {\"decision\": "+
		"\"2027-01\", \"message\": \"not yet\"} if data.charter.min_units < 5\n")
	harness.Write(t, filepath.Join(dir, "local/quiet_test.rego"), "package sluice.local_test\n\nimport "+
		"data.sluice.local\n\ntest_quiet if count(local.deny) == 1 with data.charter.min_units as 3\n\ntest_wrong "+
		"if count(local.deny) == 7\n")
	harness.Write(t, filepath.Join(dir, "tests/cards.yaml"),
		strings.Replace(cases, "dropped: [fare]", "kept: [fare]", 1))
	out = do(1, "2 of 3 tests failed", "policy", "test")
	for _, want := range []string{"fare is dropped; want kept", "test_wrong", "100.0 %  local/quiet.rego"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "local")); err != nil {
		t.Fatal(err)
	}
	harness.Write(t, filepath.Join(dir, "tests/cards.yaml"), cases)

	do(0, "Cards, by sensors of the kind card reader", "policy", "explain")
	do(0, "Targetes", "policy", "explain", "2027-01", "--lang", "ca")
	do(1, "no decision 9", "policy", "explain", "9")
	other := filepath.Join(t.TempDir(), "next")
	harness.Run(t, "cp", "-r", dir, other)
	harness.Write(t, filepath.Join(other, "decisions/2027-01.yaml"),
		strings.Replace(good, "min_units: 10", "min_units: 20", 1))
	do(0, "stronger     2027-01: smallest group: 10 → 20", "policy", "diff", dir, other)
	do(0, "més feble    2027-01: grup més petit: 20 → 10", "policy", "diff", other, dir, "--lang", "ca")
	do(0, "Nothing changes", "policy", "diff", dir, dir)
	harness.Write(t, filepath.Join(other, "local/no.rego"),
		"package sluice.local\n\ndeny contains {\"decision\": \"2027-01\", \"message\": \"no\"}\n")
	reg, err := filepath.Abs("../../configs/portalba/register.yaml")
	if err != nil {
		t.Fatal(err)
	}
	registered := filepath.Join(dir, "register.yaml")
	harness.Write(t, registered,
		"sensors:\n  - {id: reader-7, owner: tram, kind: card-reader, zone: carrer-nou, registered: 2026-01-01}\n")
	do(0, "no longer measured for decision 2027-01 (reader-7)", "policy", "diff", dir, other, "--register", registered)
	do(0, "Data-protection impact assessment", "policy", "dpia", "--register", reg)
	do(0, "LO DEBE ESCRIBIR UNA PERSONA", "policy", "dpia", "--lang", "es")
}

// fillIn replaces what a template left to be written, each of which must be there.
func fillIn(t *testing.T, file string, pairs ...string) {
	t.Helper()
	text := harness.Read(t, file)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Errorf("%s does not leave %s to be written", file, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	harness.Write(t, file, text)
}

// TestTownOfYourOwn: up without --demo runs nothing until its council has decided,
// whether its founding member was made on the spot or brought a key.
func TestTownOfYourOwn(t *testing.T) {
	t.Parallel()
	harness.Need(t, "ssh-keygen")
	dir := t.TempDir()
	harness.Run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "anna"))
	up := func(town string, args ...string) *harness.Process {
		return harness.Start(t, harness.Sluice,
			append([]string{"up", "--allow-swap", "--dir", town, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0",
				"--admin", "127.0.0.1:0"}, args...)...)
	}
	alone := filepath.Join(dir, "alone")
	p := up(alone)
	p.Find(`made on the spot: founder`)
	p.Find(`charter.yaml: the town's name\)`)
	admin := "http://" + strings.TrimPrefix(p.Find(`Health +http://(\S+)/readyz`)[1], "http://")
	web := p.Find(`Open data +(http://\S+)`)[1]
	harness.Await(t, 20*time.Second, "the founding motion", func() bool {
		_, _, body := harness.Get(t, admin+"/metrics")
		return strings.Contains(string(body), "sluice_policy_version 1")
	})
	harness.Await(t, 20*time.Second, "the page to say that nothing is decided", func() bool {
		_, _, body := harness.Get(t, web+"/")
		return strings.Contains(string(body), "the council has decided nothing")
	})
	council := filepath.Join(alone, "council")
	harness.Write(t, filepath.Join(council, "decisions/noise.yaml"),
		"decision: n1\ntitle: {en: Noise, ca: Soroll, es: Ruido}\nreview: "+
			time.Now().AddDate(0, 3, 0).Format(time.DateOnly)+
			"\nstream: noise\npurpose: environment\napplies_to: {kinds: [noise-meter], zones: [square]}\n"+
			"unit: {none: \"levels only\"}\nkeep: [laeq]\nplace: sensor\npublish: {every: PT15M, by: [zone], "+
			"measures: "+
			"[{name: level, of: \"mean(laeq)\", between: [0, 140]}]}\n"+
			"from: "+time.Now().AddDate(0, 0, -1).Format(time.DateOnly)+"\nuntil: "+
			time.Now().AddDate(0, 6, 0).Format(time.DateOnly)+"\n")
	for _, verb := range [][]string{{"policy", "check", council}, {"motion", "create", "first", "--dir", council}} {
		if out, err := exec.Command(harness.Sluice, verb...).CombinedOutput(); err == nil ||
			!strings.Contains(string(out), "T01") || !strings.Contains(string(out), "Our town") {
			t.Errorf("%v of a town without a name says %v %s", verb, err, out)
		}
	}
	charter := filepath.Join(council, "charter.yaml")
	harness.Write(t, charter, strings.Replace(harness.Read(t, charter), "Our town", "Riba", 1))
	harness.Run(t, harness.Sluice, "policy", "check", council)
	harness.Run(t, harness.Sluice, "motion", "create", "first", "--dir", council)
	harness.Run(t, "ssh-keygen", "-q", "-Y", "sign", "-f", filepath.Join(alone, "keys/founder"), "-n",
		"sluice-vote@town",
		filepath.Join(council, "motions/first/motion.txt"))
	harness.Run(t, harness.Sluice, "motion", "enact", "first", "--dir", council, "--inbox",
		filepath.Join(alone, "inbox"))
	harness.Await(t, 20*time.Second, "the first decision", func() bool {
		status, _, body := harness.Get(t, web+"/decisions/n1")
		return status == 200 && strings.Contains(string(body), "Check it yourself")
	})
	p.Stop(10 * time.Second)

	given := filepath.Join(dir, "given")
	p = up(given, "--member", "anna="+filepath.Join(dir, "anna.pub"))
	p.Find(`sluice motion create founding`)
	if _, err := os.Stat(filepath.Join(given, "keys")); err == nil {
		t.Error("a key was made although one was given")
	}
	p.Stop(10 * time.Second)
}
