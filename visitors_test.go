package sluice_test

import (
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/test/fenced"
)

// TestDecisionsIndex: each decision has one row, with its title and a day; no row is of none.
func TestDecisionsIndex(t *testing.T) {
	b := fenced.Take(t, "docs/decisions/README.md", "ls docs/decisions")
	files := strings.Fields(b.Run(".", nil))
	index, err := os.ReadFile("docs/decisions/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(
		`(?m)^\| (\d+) \| \[(.+)\]\((\S+)\) \| 20\d\d-\d\d-\d\d \| (in force|being built|replaced by .+) \|$`).
		FindAllStringSubmatch(string(index), -1)
	if len(rows) != len(files) || len(rows) < 36 {
		t.Fatalf("%d rows and %d decisions", len(rows), len(files))
	}
	for i, r := range rows {
		raw, err := os.ReadFile(filepath.Join("docs/decisions", r[3]))
		if err != nil {
			t.Error(err)
			continue
		}
		if first, _, _ := strings.Cut(string(raw), "\n"); first != "# "+r[1]+". "+r[2] ||
			filepath.Base(files[i]) != r[3] {
			t.Errorf("row %d says %q of %s, which begins %q", i+1, r[2], r[3], first)
		}
	}
}

// TestMakeHelp: each target is listed by make help, prints a seed, and is named by no document
// if it is not there.
func TestMakeHelp(t *testing.T) {
	_ = fenced.Take(t, "CONTRIBUTING.md", "make help").Run(".", nil)
	raw, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("make", "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	phony := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindSubmatch(raw)
	targets := strings.Fields(string(phony[1]))
	if len(targets) < 17 {
		t.Errorf("%d targets", len(targets))
	}
	for _, target := range targets {
		if !regexp.MustCompile(`(?m)^  ` + target + ` +\S`).Match(out) {
			t.Errorf("make help does not say what %s is for", target)
		}
		recipe := regexp.MustCompile(`(?m)^` + target + `:[^\n]*\n((\t[^\n]*\n)*)`).FindSubmatch(raw)
		// The programs of audit and torture print it; build and tools have no use for one.
		if !strings.Contains(" build tools audit torture ", " "+target+" ") &&
			(recipe == nil || !strings.Contains(string(recipe[1]), "seed ")) {
			t.Errorf("make %s prints no seed", target)
		}
	}
	for _, doc := range []string{"README.md", "CONTRIBUTING.md", "RELEASE.md", "docs/performance.md",
		"docs/reliability.md", ".github/workflows/test.yml", ".github/workflows/nightly.yml", ".gitlab-ci.yml"} {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?:`|run: |script: |&& )make ([a-z- ]+)").
			FindAllStringSubmatch(string(text), -1) {
			for _, target := range strings.Fields(m[1]) {
				if !strings.Contains(" "+strings.Join(targets, " ")+" ", " "+target+" ") {
					t.Errorf("%s: there is no target %s", doc, target)
				}
			}
		}
	}
}

// TestForges: the jobs of GitLab are those of the workflows, in the same image; in each of these,
// actions have a node before the first one wants it, and git trusts the checkout, which belongs to
// another user than the container's: without that Go builds nothing there.
func TestForges(t *testing.T) {
	read := func(name string) string {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	gitlab := read(".gitlab-ci.yml")
	image := regexp.MustCompile(`(?m)^image: (\S+)$`).FindStringSubmatch(gitlab)[1]
	if !strings.HasPrefix(read(".devcontainer/Dockerfile"), "FROM "+image+"\n") {
		t.Errorf("the dev container is not made from %s", image)
	}
	theirs := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z]+):\n  stage:.*\n(?:  timeout:.*\n)?  script: (.+)$`).
		FindAllStringSubmatch(gitlab, -1) {
		theirs[m[1]] = m[2]
	}
	jobs := regexp.MustCompile(`(?m)^  ([a-z]+):\n((?:    .*\n)+)`)
	ours := 0
	for _, file := range []string{"test.yml", "nightly.yml"} {
		_, text, _ := strings.Cut(read(".github/workflows/"+file), "\njobs:\n")
		for _, m := range jobs.FindAllStringSubmatch(text, -1) {
			ours++
			var steps []string
			for _, step := range regexp.MustCompile(`(?m)^      - (.+)$`).FindAllStringSubmatch(m[2], -1) {
				steps = append(steps, step[1])
			}
			if len(steps) != 4 || !strings.HasPrefix(steps[0], "run: command -v node || ") ||
				steps[1] != "uses: actions/checkout@v4" ||
				steps[2] != `run: git config --global --add safe.directory "$PWD"` {
				t.Errorf("%s: %s has the steps %q", file, m[1], steps)
			}
			if !strings.Contains(m[2], "    container: "+image+"\n") {
				t.Errorf("%s: %s runs in another image than %s", file, m[1], image)
			}
			if steps[len(steps)-1] != "run: "+theirs[m[1]] {
				t.Errorf("%s: %s does %q, and on GitLab %q", file, m[1], steps[len(steps)-1], theirs[m[1]])
			}
		}
	}
	if ours != len(theirs) || ours < 5 {
		t.Errorf("%d jobs, and on GitLab %d", ours, len(theirs))
	}
}

// TestReleaseArchives: what make release packs is the same bytes each time, whatever the clock
// and the user's mask say. The compiler's part is a stand-in: Go itself promises the same binary.
func TestReleaseArchives(t *testing.T) {
	sums := make([]string, 2)
	for i := range sums {
		dir := t.TempDir()
		for _, name := range []string{"Makefile", "LICENSE", "README.md", "configs", "docs"} {
			if out, err := exec.Command("cp", "-r", name, dir).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		b := fenced.Take(t, "RELEASE.md", "make release")
		b.StandIn("go",
			`test "$CGO_ENABLED $GOOS $1 $2 $3 $4" = "0 linux build -trimpath -buildvcs=true -o" &&
				echo "$GOARCH" > "$5/sluice" && chmod +x "$5/sluice"`, "the archive is what is tried")
		b.Text = []string{"umask 022\n", "umask 077\n"}[i] + b.Text
		out := b.Run(dir, nil)
		raw, err := os.ReadFile(filepath.Join(dir, "bin/release/SHA256SUMS"))
		if err != nil || strings.Count(string(raw), "sluice-linux-") != 2 {
			t.Fatalf("%v, %q\n%s", err, raw, out)
		}
		sums[i] = string(raw)
	}
	if sums[0] != sums[1] {
		t.Errorf("two runs differ:\n%s%s", sums[0], sums[1])
	}
}

// TestPicture: the README's picture is there, is one, and is small.
func TestPicture(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`!\[[^\]]{40,}\]\((docs/[a-z]+\.png)\)`).FindSubmatch(readme)
	if m == nil {
		t.Fatal("README.md has no picture, or does not say what is on it")
	}
	f, err := os.Open(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	config, err := png.DecodeConfig(f)
	info, _ := f.Stat()
	if err != nil || config.Width < 800 || info.Size() >= 200_000 {
		t.Errorf("%s: %v, %d pixels wide, %d bytes", m[1], err, config.Width, info.Size())
	}
}
