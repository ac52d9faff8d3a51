package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestLongCommands: what documents say to run that takes minutes, or is the tests
// themselves, is looked at without being run: targets, packages, and names of tests
// are there.
func TestLongCommands(t *testing.T) {
	t.Parallel()
	harness.Need(t, "make")
	for _, b := range []*fenced.Taken{
		fenced.Take(t, "docs/performance.md", "make bench  "),
		fenced.Take(t, "docs/performance.md", "make bench-http"),
		fenced.Take(t, "docs/performance.md", "make bench-abuse"),
		fenced.Take(t, "docs/performance.md", "make bench-cluster"),
		fenced.Take(t, "docs/release.md", "make audit"),
		fenced.Take(t, "docs/reliability.md", "make torture"),
	} {
		b.StandIn("make", `exec /usr/bin/make -n "$@"`, "it takes minutes")
		out := b.Run("../..", nil)
		for _, m := range regexp.MustCompile(`(?:go (?:run|build|test) .*?|-o \S+ )\./([\w/-]+)(?: |\n|$)`).
			FindAllStringSubmatch(out, -1) {
			if found, err := filepath.Glob("../../" + m[1] + "/*.go"); err != nil || len(found) == 0 {
				t.Errorf("%s: make wants ./%s, which is not there", b.Block, m[1])
			}
		}
	}
	phases := harness.Read(t, "../torture/main.go")
	for _, m := range regexp.MustCompile(`-(?:from|only) (\w+)`).
		FindAllStringSubmatch(harness.Read(t, "../../docs/reliability.md"), -1) {
		if !strings.Contains(phases, "{\""+m[1]+"\",") {
			t.Errorf("docs/reliability.md names the phase %s, which is not there", m[1])
		}
	}
	b := fenced.Take(t, "docs/threats.md", "go test ./test/... -run")
	b.StandIn("go", `test "$1 $2 $3" = "test ./test/... -run" && echo "run: $4"`,
		"it is this package, and those beside it")
	var all strings.Builder
	files, err := filepath.Glob("../*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		all.WriteString(harness.Read(t, f))
	}
	for _, part := range strings.Split(regexp.MustCompile(`run: (\S+)`).FindStringSubmatch(b.Run("../..", nil))[1],
		"|") {
		harness.Want(t, all.String(), `func Test\w*`+part+`\w*\(t \*testing`)
	}
}

// TestComposeCommands runs what configs/compose.yaml says to do first, in a copy of
// the checkout.
func TestComposeCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	harness.Run(t, "cp", "-r", "../../configs", dir)
	b := fenced.Take(t, "configs/compose.yaml", "CGO_ENABLED=0 go build")
	b.StandIn("go", `test "$CGO_ENABLED $1 $2 $4" = "0 build -o ./cmd/sluice" && mkdir -p "$3" && cp `+harness.Sluice+
		` "$3"`,
		"it is built already")
	b.StandIn("sudo", `exec "$@"`, "a test changes no user")
	b.StandIn("chown", `test "$1 $2" = "-R 1883" && test -d "$3"`, "the broker's user is the image's")
	b.Run(dir, nil)
	for _, name := range []string{"city/gateway.password", "city/mosquitto/passwords", "city/mosquitto/acl",
		"city/policy/charter.yaml", "bin/sluice"} {
		harness.Read(t, filepath.Join(dir, name))
	}
}

// TestSettingsShown: each piece of a configuration in docs/operations.md is taken by
// the program as it stands there, in a file that has the rest.
func TestSettingsShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	with := func(base, piece string) string {
		path := filepath.Join(t.TempDir(), "x.yaml")
		for line := range strings.Lines(piece) {
			key, _, _ := strings.Cut(line, ":")
			base = regexp.MustCompile(`(?m)^`+key+`:.*\n`).ReplaceAllString(base, "")
		}
		harness.Write(t, path, base+piece)
		return path
	}
	gateway := "dir: " + dir + "/state\nregister: " + dir + "/register.yaml\npolicy: {dir: " + dir +
		"/policy}\nsimulation: true\nlisten: {mqtt: 127.0.0.1:0}\nadmin: 127.0.0.1:0\n"
	accepted := func(piece string) {
		t.Helper()
		out, _ := exec.Command(harness.Sluice, "doctor", "-c", with(gateway, piece)).CombinedOutput()
		harness.Want(t, string(out), `ok\s+configuration\s+it can be read`)
	}
	b := fenced.Take(t, "docs/operations.md", "policy: {inbox:").Change("…", strings.Repeat("0", 64))
	accepted(b.Read())
	for line := range strings.Lines(fenced.Take(t, "docs/operations.md", "witness: /mnt").Read()) {
		accepted(line)
	}
	accepted(fenced.Take(t, "docs/operations.md", "listen: {websocket:").Change("1883", "0").Change("8084", "0").Read())
	store := fenced.Take(t, "docs/operations.md", "store: {influx:").Read()
	accepted(store)

	public := fenced.Take(t, "docs/operations.md", "http: 127.0.0.1:8080").Change("8080", "0").
		Change("1884", "0").Read()
	harness.Write(t, filepath.Join(dir, "public/ledger.jsonl"), "")
	p := harness.Start(t, harness.Sluice, "opendata", "-c",
		with("books: "+dir+"/public\nstore: {sqlite: {path: "+dir+"/store.db}}\n", public))
	web := p.Find(`http=(http://\S+)`)[1]
	harness.Await(t, 10*time.Second, "an answer", func() bool {
		status, _, page := harness.Get(t, web+"/robots.txt")
		return status > 0 && page != nil
	})
	p.Kill()
	harness.Start(t, harness.Sluice, "opendata", "-c",
		with("books: "+dir+"/public\nhttp: 127.0.0.1:0\n", store)).Find(`http=(http://\S+)`)
	towns := fenced.Take(t, "docs/operations.md", "books:").Read()
	harness.Start(t, harness.Sluice, "opendata", "-c", with("http: 127.0.0.1:0\n", towns)).Find(`http=(http://\S+)`)
}

// TestPolicyPage: the example city passes, and what docs/policy.md shows of decisions,
// cases, kinds and modules does what it says, together.
func TestPolicyPage(t *testing.T) {
	t.Parallel()
	args := harness.FromReadme(t,
		fenced.Take(t, "docs/policy.md", "go run ./cmd/sluice policy check configs/portalba/policy"))
	cmd := exec.Command(harness.Sluice, args...)
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	harness.Run(t, "cp", "-r", "../../configs/portalba/policy/charter.yaml",
		"../../configs/portalba/policy/council.yaml",
		"../../configs/portalba/policy/zones.geojson", dir)
	harness.Write(t, filepath.Join(dir, "charter.yaml"),
		regexp.MustCompile(`(?m)^kinds_about_people: .*$`).
			ReplaceAllString(harness.Read(t, "../../configs/portalba/policy/charter.yaml"),
				"kinds_about_people: [wifi-counter]"))
	words := fenced.Take(t, "docs/policy.md", "city:").Read()
	_, rest, _ := strings.Cut(harness.Read(t, filepath.Join(dir, "charter.yaml")), "\npurposes:")
	rest, _, _ = strings.Cut("purposes:"+rest, "# What residents read")
	harness.Write(t, filepath.Join(dir, "charter.yaml"), words+rest)
	harness.Write(t, filepath.Join(dir, "decisions/2026-14.yaml"),
		fenced.Take(t, "docs/policy.md", `decision: "2026-14"`).Read())
	harness.Write(t, filepath.Join(dir, "tests/rambla.yaml"), fenced.Take(t, "docs/policy.md", "tests:").Read())
	harness.Write(t, filepath.Join(dir, "kinds.yaml"), fenced.Take(t, "docs/policy.md", "kinds:").Read())
	do := func(code int, says string, args ...string) {
		t.Helper()
		cmd := exec.Command(harness.Sluice, args...)
		cmd.Env = append(cmd.Environ(), "LANG=en")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), says) {
			t.Errorf("sluice %s: exit code %d, want %d, and %q in\n%s", strings.Join(args, " "), got, code, says, out)
		}
	}
	do(0, "Nothing is wrong", "policy", "check", dir)
	do(0, "1 test passed", "policy", "test", dir)
	suspended := filepath.Join(dir, "suspended.yaml")
	harness.Write(t, suspended, fenced.Take(t, "docs/policy.md", "suspended:").Read())
	do(0, "Nothing is wrong", "policy", "check", dir)
	do(0, "des del 26 de novembre de 2026: «Un sensor ha estat manipulat»", "policy", "explain",
		filepath.Join(dir, "decisions/2026-14.yaml"), "--lang", "ca")
	harness.RemoveAll(t, suspended)
	module := fenced.Take(t, "docs/policy.md", "package sluice.local").Read()
	harness.Write(t, filepath.Join(dir, "local/fair.rego"), module)
	do(1, "not during the fair", "policy", "check", dir)
}
