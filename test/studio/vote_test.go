package studio

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"sluice/configs/portalba"
	"sluice/test/fenced"
	"sluice/test/harness"
)

// council gives the studio's city a council of three, of which two enact, and returns where their
// keys are, and keys that cannot sign in a browser.
func council(t *testing.T, dir string) (keys string) {
	t.Helper()
	harness.Need(t, "ssh-keygen")
	keys = t.TempDir()
	roster := "version: 1\nmembers:\n"
	for _, m := range []string{"anna", "bru", "carla", "stranger"} {
		harness.Run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", m, "-f", filepath.Join(keys, m))
		if m != "stranger" {
			roster += "  - {id: " + m + ", name: " + strings.ToUpper(m[:1]) + m[1:] + ", keys: [\"" +
				strings.TrimSpace(harness.Read(t, filepath.Join(keys, m+".pub"))) + "\"]}\n"
		}
	}
	harness.Run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f", filepath.Join(keys, "locked"))
	harness.Run(t, "ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", filepath.Join(keys, "curve"))
	harness.Write(t, filepath.Join(dir, "council.yaml"), roster)
	charter := filepath.Join(dir, "charter.yaml")
	harness.Write(t, charter, regexp.MustCompile(`quorums: .*`).ReplaceAllString(harness.Read(t, charter),
		"quorums: {enact: 2, weaken: 2, charter: 2, roster: 2, suspend: 1}"))
	return keys
}

// secrets are the ways in which a private key could be written: its seed as bytes, in hex, in base64
// at each place, and the lines of its file that have any of it.
func secrets(t *testing.T, file string) (list [][]byte) {
	t.Helper()
	text := harness.Read(t, file)
	key, err := ssh.ParseRawPrivateKey([]byte(text))
	harness.NoError(t, err)
	type seeded interface{ Seed() []byte }
	seed := key.(seeded).Seed()
	list = append(list, seed, []byte(hex.EncodeToString(seed)))
	for shift := range 3 {
		whole := base64.StdEncoding.EncodeToString(append(make([]byte, shift), seed...))
		list = append(list, []byte(whole[4:40]))
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[1 : len(lines)-1]
	raw, err := base64.StdEncoding.DecodeString(strings.Join(lines, ""))
	harness.NoError(t, err)
	from := bytes.Index(raw, seed)
	for i, line := range lines {
		if begin, end := i*70*3/4, (i+1)*70*3/4; begin < from+len(seed) && end > from {
			list = append(list, []byte(line))
		}
	}
	if len(list) < 6 {
		t.Fatalf("%d ways to write a key", len(list))
	}
	return list
}

// TestABallotInTheBrowser signs ballots in a real browser with real key files. They are byte for
// byte what ssh-keygen makes, which verifies them; nothing of a key is in anything that the browser
// sends or keeps, or that the studio writes.
func TestABallotInTheBrowser(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "council")
	harness.NoError(t, portalba.Policy().Write(dir))
	inbox := t.TempDir()
	b := fenced.Take(t, "docs/studio.md", "sluice policy studio town/council").Change("town/council", dir)
	args := strings.Fields(strings.Split(b.Change("town/inbox", inbox).Read(), "#")[0])
	p := harness.StartWith(t, []string{"LC_ALL=C"}, harness.Sluice, args[1:]...)
	address := p.Find(`(?m)^(http://127\.0\.0\.1:\d+/\w+/en/)$`)[1]
	keys := council(t, dir)
	sent, profile := filepath.Join(t.TempDir(), "sent"), t.TempDir()
	text := filepath.Join(dir, "motions", "first", "motion.txt")
	// Carla signs where she is, and her file is handed in: so the motion is made by the verb first.
	if code, out := harness.Verb(t, "motion", "create", "first", "--dir", dir); code != 0 {
		t.Fatal(out)
	}
	harness.Run(t, "ssh-keygen", "-q", "-Y", "sign", "-f", filepath.Join(keys, "carla"), "-n", "sluice-vote@portalba",
		text)
	harness.NoError(t, os.Rename(text+".sig", filepath.Join(keys, "carla.sig")))
	harness.Node(t, "studio.js", address, harness.Chromium(t), "/vote", "/vote/first", "/see", "/new")
	harness.Node(t, "vote.js", address, harness.Chromium(t), keys, sent, profile)

	ballots := filepath.Join(dir, "motions", "first", "ballots")
	for _, b := range []struct{ who, file, over, space string }{
		{"anna", "anna.sig", text, "sluice-vote@portalba"},
		{"anna", "anna.txt.sig", filepath.Join(ballots, "anna.txt"), "sluice-ballot@portalba"},
		{"bru", "bru.txt.sig", filepath.Join(ballots, "bru.txt"), "sluice-ballot@portalba"},
	} {
		got := harness.Read(t, filepath.Join(ballots, b.file))
		over := filepath.Join(t.TempDir(), "over")
		harness.Write(t, over, harness.Read(t, b.over))
		harness.Run(t, "ssh-keygen", "-q", "-Y", "sign", "-f", filepath.Join(keys, b.who), "-n", b.space, over)
		downloaded := harness.Read(t, filepath.Join(keys, b.who+".downloaded")) // the last of what they signed
		if want := harness.Read(t, over+".sig"); got != want || b.over != text && downloaded != want {
			t.Errorf("%s's ballot is\n%s\nand ssh-keygen's\n%s", b.who, got, want)
		}
		signers := filepath.Join(t.TempDir(), "signers")
		harness.Write(t, signers, b.who+" "+harness.Read(t, filepath.Join(keys, b.who+".pub")))
		verify := exec.Command("ssh-keygen", "-Y", "verify", "-f", signers, "-I", b.who, "-n", b.space, "-s",
			filepath.Join(ballots, b.file))
		verify.Stdin = strings.NewReader(harness.Read(t, b.over))
		if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), "Good") {
			t.Errorf("ssh-keygen says of %s's ballot: %v %s", b.who, err, out)
		}
	}
	harness.Want(t, harness.Read(t, filepath.Join(ballots, "bru.txt")), `(?m)^Reason: Massa poc: l'any que ve, així no\.$`)
	harness.Want(t, harness.Read(t, filepath.Join(ballots, "anna.txt")), `^Sluice reason, format 1\n`)
	harness.Want(t, harness.Read(t, filepath.Join(ballots, "anna.txt")), `(?m)^Reason: Ho va demanar l'escola\.$`)
	if code, out := harness.Verb(t, "motion", "show", "--dir", dir); code != 0 ||
		!strings.Contains(out, "signed by Anna and Carla") || !strings.Contains(out, "for it: Anna: Ho va demanar") ||
		!strings.Contains(out, "against: Bru: Massa poc") {
		t.Errorf("motion show ends with %d\n%s", code, out)
	}
	if !strings.Contains(harness.Read(t, sent), "BEGIN SSH SIGNATURE") {
		t.Error("the proxy has not seen the signatures, so that it says nothing")
	}
	if enacted, err := os.ReadFile(filepath.Join(inbox, "first.sluice")); err != nil ||
		string(enacted) != harness.Read(t, filepath.Join(dir, "motions", "first", "first.sluice")) {
		t.Errorf("what is enacted is not in the inbox: %v", err)
	}
	var all [][]byte
	for _, key := range []string{"anna", "bru", "stranger"} {
		all = append(all, secrets(t, filepath.Join(keys, key))...)
	}
	for _, place := range []string{dir, profile, filepath.Dir(sent)} {
		harness.NoError(t, filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			raw, err := os.ReadFile(path)
			for _, secret := range all {
				if bytes.Contains(raw, secret) {
					t.Errorf("%s has something of a private key", path)
				}
			}
			return err
		}))
	}
}
