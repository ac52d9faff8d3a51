package report

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/policy/ballot"
	"sluice/policy/ballot/signers"
)

func sample() *Report {
	r := &Report{Format: Format, Device: "Acme Ear 2, firmware 1.4", Kind: "noise-meter",
		Kinds: "sha256:" + strings.Repeat("0", 64), Program: "sluice " +
			"v1", Began: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
		Ended: time.Date(2026, 11, 23, 10, 14, 0, 0, time.UTC), Readings: 100}
	for _, name := range Checks {
		r.Checks = append(r.Checks, Check{Check: name, Result: Pass, Found: "all is well"})
	}
	r.Checks[5].Result = Fail
	r.Checks[5].Codes = []Code{{"E101", "/fields/laeq", 10, "send the type"}}
	r.Checks[8].Result = Untried
	r.Result = Fail
	return r
}

func file(t testing.TB, r *Report) []byte {
	t.Helper()
	raw, err := r.File()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestFile(t *testing.T) {
	raw := file(t, sample())
	r, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Acme Ear 2, firmware 1.4", "malformed       fail       all is well",
		"E101 at /fields/laeq, 10 or more: send the type", "Result    fail", "2026-11-23 10:00 UTC, 14m0s"} {
		if !strings.Contains(r.Text(), line) {
			t.Errorf("there is no %q in\n%s", line, r.Text())
		}
	}
	if got := r.Lacks(nil); !slices.Equal(got, []string{"malformed", "tls"}) {
		t.Errorf("%v lack", got)
	}
	if got := r.Lacks([]string{"tls", "malformed"}); !slices.Equal(got, []string{"malformed"}) {
		t.Errorf("%v lack where tls and malformed may be untried: what failed has failed", got)
	}
}

// TestParse: a report says only what it can say.
func TestParse(t *testing.T) {
	raw := string(file(t, sample()))
	for name, change := range map[string][2]string{
		"another format": {Format, "sluice-certificate/2"}, "a key more": {`"device"`, `"price": 1, "device"`},
		"another result": {`"result": "fail"` + "\n}", `"result": "pass"` + "\n}"}, "a check " +
			"less": {`"identity"`, `"reset"`},
		"an exact number": {`"count": 10`, `"count": 11`}, "a code that is none": {`"E101"`, `"X"`},
		"a control character": {"all is well", `all \u001b[2J`}, "blanks": {`"readings": 100`, `"readings":100`},
		"a word behind": {"\n}\n", "\n}\n{}"}, "nobody's device": {"Acme Ear 2, firmware 1.4", ""},
		"a long name": {"Acme Ear 2", strings.Repeat("x", 121)}, "time that runs back": {"10:14:00", "09:14:00"},
		"not of this world": {raw, "[]"}, "huge": {raw, strings.Repeat(" ", MaxFile+1)},
	} {
		changed := strings.Replace(raw, change[0], change[1], 1)
		if changed == raw {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := Parse([]byte(changed)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// TestDefined: docs/certificate.md defines each check, in this order, and no other.
func TestDefined(t *testing.T) {
	raw, err := os.ReadFile("../../docs/certificate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(raw), "| check | what is asked | how it is judged |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var defined []string
	for row := range strings.Lines(table) {
		if cells := strings.Split(row, "|"); len(cells) == 5 {
			defined = append(defined, strings.Trim(cells[1], " `"))
		}
	}
	if !slices.Equal(defined, Checks) {
		t.Errorf("%v are defined; want %v", defined, Checks)
	}
}

func TestMagnitude(t *testing.T) {
	for n, want := range map[int64]int64{-1: 0, 0: 0, 1: 1, 9: 1, 10: 10, 99: 10, 999: 100, 1000: 1000,
		123456: 100000} {
		if got := Magnitude(n); got != want {
			t.Errorf("%d is about %d, want %d", n, got, want)
		}
	}
}

func key(t testing.TB, name string) (private []byte, line string) {
	t.Helper()
	private, line, err := ballot.Generate(name)
	if err != nil {
		t.Fatal(err)
	}
	return private, strings.TrimSpace(line)
}

// TestSignature: who is listed for certificates and signed just this report is known; nobody else is.
func TestSignature(t *testing.T) {
	raw := file(t, sample())
	private, line := key(t, "lab")
	_, other := key(t, "other")
	signature, err := Sign(private, raw)
	if err != nil {
		t.Fatal(err)
	}
	vote, err := ballot.Sign(private, raw, "sluice-vote@vila")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, signers  string
		raw, signature []byte
		want           bool
	}{
		{"the lab", "lab " + line, raw, signature, true},
		{"among others", "# labs\n\nx " + other + "\nlab " + line + "\n", raw, signature, true},
		{"for certificates", `lab namespaces="file,sluice-certificate" ` + line, raw, signature, true},
		{"for other things", `lab namespaces="file" ` + line, raw, signature, false},
		{"for other things, and again for all", "lab namespaces=\"file\" " + line + "\nlab " +
			"" + line, raw, signature, true},
		{"somebody else", "x " + other, raw, signature, false},
		{"another report", "lab " + line, append(slices.Clone(raw), ' '), signature, false},
		{"another purpose", "lab " + line, raw, vote.File(), false},
		{"no signature", "lab " + line, raw, []byte("x"), false},
	} {
		list, err := signers.Parse("allowed_signers", []byte(c.signers))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		by, err := Verify(c.raw, c.signature, list)
		if (err == nil) != c.want || err == nil && by.Name != "lab" {
			t.Errorf("%s: %q, %v", c.name, by.Name, err)
		}
	}
}

// TestSSHKeygen: ssh-keygen verifies what we sign, and we what it signs.
func TestSSHKeygen(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("ssh-keygen is not installed")
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	run := func(stdin []byte, args ...string) {
		t.Helper()
		cmd := exec.Command("ssh-keygen", args...)
		cmd.Stdin = bytes.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %v: %v\n%s", args, err, out)
		}
	}
	write := func(name string, raw []byte) {
		t.Helper()
		if err := os.WriteFile(path(name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		raw, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	raw := file(t, sample())
	run(nil, "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", path("key"))
	write("allowed_signers", append([]byte("lab "), read("key.pub")...))
	signature, err := Sign(read("key"), raw)
	if err != nil {
		t.Fatal(err)
	}
	write("ours.sig", signature)
	run(raw, "-Y", "verify", "-f", path("allowed_signers"), "-I", "lab", "-n", Namespace, "-s", path("ours.sig"))
	write("report.json", raw)
	run(nil, "-Y", "sign", "-f", path("key"), "-n", Namespace, path("report.json"))
	list, err := signers.Parse("f", read("allowed_signers"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(raw, read("report.json.sig"), list); err != nil {
		t.Error(err)
	}
}

// FuzzParse: a report that is read is the same bytes again, and shows nothing that a terminal obeys.
func FuzzParse(f *testing.F) {
	f.Add(file(f, sample()))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse(raw)
		if err != nil {
			return
		}
		if again := file(t, r); !bytes.Equal(again, raw) {
			t.Error("it is written otherwise")
		}
		if strings.ContainsAny(r.Text(), "\x1b\r") {
			t.Error("its words are not harmless")
		}
	})
}
