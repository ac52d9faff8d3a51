package roster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/policy/ballot"
	"sluice/policy/ballot/signers"
)

func pair(t testing.TB, name string) (private []byte, line string) {
	t.Helper()
	private, line, err := New(name)
	if err != nil {
		t.Fatal(err)
	}
	return private, strings.TrimSpace(line)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sample(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("version: 1\nmembers:\n")
	for _, m := range []struct{ name, roles string }{
		{"street-1", "[front]"}, {"count-1", "[worker]"}, {"city-hall", "[releaser]"}, {"count-0", "[]"},
	} {
		_, line := pair(t, m.name)
		fmt.Fprintf(&b, "  - {name: %s, key: %s, roles: %s}\n", m.name, line, m.roles)
	}
	return b.String()
}

// TestParse: who may do what, and who has left.
func TestParse(t *testing.T) {
	r, err := Parse("roster.yaml", []byte(sample(t)))
	if err != nil {
		t.Fatal(err)
	}
	m, ok := r.Member("count-1")
	if !ok || !m.May(Worker) || m.May(Front) || m.May(Releaser) || m.Left() {
		t.Errorf("count-1 is %v", m.Roles)
	}
	if gone, ok := r.Member("count-0"); !ok || !gone.Left() {
		t.Errorf("count-0 is %v", gone.Roles)
	}
	if _, ok := r.Member("count-2"); ok || len(r.Lacks()) != 0 || len(r.See()) != 0 {
		t.Error("somebody is there who is not, or missing, or sees and speaks")
	}
	alone, err := Parse("r", []byte(strings.Replace(sample(t), "[releaser]", "[worker, releaser]", 1)))
	if err != nil || !slices.Equal(alone.See(), []string{"city-hall"}) {
		t.Error("a member that publishes and sees is not named", err)
	}
	without, err := Parse("r", []byte(strings.Replace(sample(t), "[front]", "[]", 1)))
	if err != nil || !slices.Equal(without.Lacks(), []Role{Front}) {
		t.Error("nobody is a front, and it is not said", err)
	}
}

// TestRefused: what is wrong is shown with its line and what to do.
func TestRefused(t *testing.T) {
	good := sample(t)
	_, line := pair(t, "x")
	lines := strings.Split(good, "\n")
	first := lines[2]
	for name, c := range map[string]struct{ text, want string }{
		"no version":     {strings.Replace(good, "version: 1\n", "", 1), "version: 1"},
		"version 0":      {strings.Replace(good, "version: 1", "version: 0", 1), "1:10"},
		"nobody":         {"version: 1\nmembers: []\n", "nobody is in it"},
		"another key":    {good + "x: 1\n", "x"},
		"a name":         {strings.Replace(good, "street-1,", "Street_1,", 1), "3:12"},
		"a name twice":   {good + "  - {name: street-1, key: " + line + ", roles: []}\n", "7:12"},
		"no key":         {good + "  - {name: x, roles: []}\n", "7"},
		"a key twice":    {good + strings.Replace(first, "street-1,", "street-2,", 1) + "\n", "there twice"},
		"no roles":       {good + "  - {name: x, key: " + line + "}\n", "or [] for one that has left"},
		"another role":   {strings.Replace(good, "[worker]", "[boss]", 1), "one of front, worker and releaser"},
		"a role twice":   {strings.Replace(good, "[worker]", "[worker, worker]", 1), "a role twice"},
		"a front's end":  {strings.Replace(good, "[front]", "[front], front_until: 2026-11-27", 1), "no front_until"},
		"no day":         {strings.Replace(good, "[]", "[], front_until: soon", 1), "6:"},
		"a key's tail":   {strings.Replace(good, "AAAA", "AAA", 1), "3:"},
		"no YAML":        {"]", "1:1"},
		"a sort of key":  {good + "  - {name: x, key: " + curve(t) + ", roles: []}\n", "ssh-keygen -t ed25519"},
		"a list of keys": {strings.Replace(good, "key: ssh", "key: [ssh", 1), ""},
	} {
		if _, err := Parse("roster.yaml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.HasPrefix(err.Error(), "roster.yaml") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	many := "version: 1\nmembers:\n" + strings.Repeat(first+"\n", MostMembers+1)
	if _, err := Parse("roster.yaml", []byte(many)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("too many: %v", err)
	}
}

// curve is the line of a key of another sort (RFC 5656 section 3.1).
func curve(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var wire []byte
	for _, part := range [][]byte{[]byte("ecdsa-sha2-nistp256"), []byte("nistp256"), point} {
		wire = append(binary.BigEndian.AppendUint32(wire, uint32(len(part))), part...)
	}
	return "ecdsa-sha2-nistp256 " + base64.StdEncoding.EncodeToString(wire)
}

// TestSigned: a roster counts when one of the signers has signed just these bytes for this, and files are guarded;
// OpenSSH signs and verifies the same.
func TestSigned(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("ssh-keygen is not installed")
	}
	dir := t.TempDir()
	file, key, allowed := filepath.Join(dir, "roster.yaml"), filepath.Join(dir, "key"), filepath.Join(dir, "signers")
	private, line := pair(t, "operator")
	write(t, key, string(private))
	write(t, allowed, "operator "+line+"\n")
	text := sample(t)
	write(t, file, text)
	if _, _, err := Read(file, allowed); err == nil || !strings.Contains(err.Error(), "sluice cluster roster sign") {
		t.Errorf("one that is not signed: %v", err)
	}
	sign := func(namespace string) {
		t.Helper()
		_ = os.Remove(file + ".sig")
		if out, err := exec.Command("ssh-keygen", "-Y", "sign", "-f", key, "-n", namespace, file).
			CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	sign(Namespace)
	if r, by, err := Read(file, allowed); err != nil || by != "operator" || len(r.Members) != 4 {
		t.Fatalf("signed by %q: %v", by, err)
	}
	write(t, file, strings.Replace(text, "[worker]", "[releaser]", 1))
	if _, _, err := Read(file, allowed); err == nil {
		t.Error("what was changed after it was signed is read")
	}
	write(t, file, text)
	sign("sluice-vote@vila")
	if _, _, err := Read(file, allowed); err == nil {
		t.Error("a signature for something else counts")
	}
	sign(Namespace)
	_, other := pair(t, "other")
	write(t, allowed, "other "+other+"\n")
	if _, _, err := Read(file, allowed); err == nil || !strings.Contains(err.Error(), "none of the signers") {
		t.Errorf("signed by somebody else: %v", err)
	}
	write(t, allowed, "operator "+line+"\n")
	if err := os.Chmod(allowed, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Read(file, allowed); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("others can write who may sign: %v", err)
	}
}

// TestMe: what a member has signed for a purpose is known as its own, and nothing else is; ssh-keygen agrees.
func TestMe(t *testing.T) {
	dir := t.TempDir()
	private, line := pair(t, "count-1")
	write(t, filepath.Join(dir, "key"), string(private))
	r, err := Parse("r", []byte(sample(t)+"  - {name: me, key: "+line+", roles: [worker]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	me, err := r.Identify("me", filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"street-1", "nobody"} {
		if _, err := r.Identify(name, filepath.Join(dir, "key")); err == nil {
			t.Errorf("another's key is %s's", name)
		}
	}
	signed, err := me.Sign("a", []byte(`{"x":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if m, got, err := r.Open("a", signed); err != nil || m.Name != "me" || string(got) != `{"x":1}` {
		t.Errorf("%s says %s: %v", m.Name, got, err)
	}
	stranger, _ := pair(t, "stranger")
	other, err := NewMe("me", stranger)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.Sign("a", []byte(`{"x":1}`))
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string][]byte{
		"another line": slices.Replace(slices.Clone(signed), 5, 6, '2'), "something behind it": append(signed, '\n'),
		"a stranger": forged, "nothing": nil, "no signature": []byte("{}\n"),
	} {
		if _, _, err := r.Open("a", text); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if _, _, err := r.Open("b", signed); err == nil {
		t.Error("it is taken for another purpose")
	}
	if _, err := me.Sign("a", []byte("x\ny")); err == nil {
		t.Error("two lines are signed as one")
	}
	if list, err := signers.Parse("f", r.Signers("a", "b")); err != nil || len(list) != 5 {
		t.Errorf("its members are no signers: %v", err)
	}
}

// FuzzRoster: whatever the file, reading it ends; what is read has names that are words, and keys of their own.
func FuzzRoster(f *testing.F) {
	good := sample(f)
	f.Add([]byte(good))
	f.Add([]byte("version: 1\nmembers: [{}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse("r", raw)
		if err != nil {
			return
		}
		seen := map[ballot.Key]bool{}
		for _, m := range r.Members {
			if seen[m.Key] || !namePattern.MatchString(m.Name) || m.Roles == nil {
				t.Errorf("a member that is none: %q", m.Name)
			}
			seen[m.Key] = true
		}
	})
}

// FuzzSigned: nothing that no member has signed is taken.
func FuzzSigned(f *testing.F) {
	private, line := pair(f, "me")
	r, err := Parse("r", []byte("version: 1\nmembers: [{name: me, key: "+line+", roles: [front]}]\n"))
	if err != nil {
		f.Fatal(err)
	}
	me, err := NewMe("me", private)
	if err != nil {
		f.Fatal(err)
	}
	good, err := me.Sign("a", []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("x\n-----BEGIN SSH SIGNATURE-----\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, _, err := r.Open("a", raw); err == nil && string(raw) != string(good) {
			t.Errorf("%q is taken", raw)
		}
	})
}
