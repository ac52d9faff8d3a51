package ballot

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func generate(t testing.TB) string {
	t.Helper()
	_, line, err := Generate("")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestOneLineOneKey: whatever two readers of a line could take for two keys is
// refused.
func TestOneLineOneKey(t *testing.T) {
	a, b := generate(t), generate(t)
	blob := strings.Fields(a)[1]
	wire, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		t.Fatal(err)
	}
	for _, good := range []string{a, a + " anna@laptop", a + " " + b, a + " Núria Pla (2026)", a + " ", a + "  two blanks"} {
		key, err := ParseKey(good)
		if err != nil || key.Line() != a || key.Algorithm() != "ssh-ed25519" {
			t.Errorf("%q is %q (%v)", good, key.Line(), err)
		}
	}
	for _, bad := range []string{
		"", "ssh-ed25519", "ssh-ed25519 ", blob, "ssh-rsa " + blob, "ssh-ed25519\t" + blob, "ssh-ed25519  " + blob, " " + a,
		"ssh-ed25519\v" + blob + " " + b, "\r" + a + "\n" + b, a + "\n" + b, a + "\n", a + "\r", "# x\n" + a, `from="x" ` + a, "restrict " + a, "ssh-ed25519=\" x \" " + a,
		"cert-authority " + a, a + " x\x1b[2K", a + " x\u202ey", a + " x\u2028y", a + " \xff", "ssh-ed25519 " + blob[:20] + "\n" + blob[20:],
		"ssh-ed25519 " + strings.TrimRight(blob, "=")[:66], "ssh-ed25519 " + base64.StdEncoding.EncodeToString(append(wire, 0)), "ssh-ed25519 " + strings.ToLower(blob),
		"ssh-ed25519 AAAA", a + " " + strings.Repeat("x", maxLine), "ssh-ed25519-cert-v01@openssh.com " + blob, "ssh-ed25519\u00a0" + blob, "ssh-ed25519 " + blob + "\u00a0x",
	} {
		if key, err := ParseKey(bad); err == nil {
			t.Errorf("%q is read as %s", bad, key.Line())
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&weak.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseKey(strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))); err == nil || !strings.Contains(err.Error(), "3072") {
		t.Errorf("a weak key: %v", err)
	}
}

// FuzzKey: a line that is read gives the same key again from its one form, and
// the line begins with that.
func FuzzKey(f *testing.F) {
	a := generate(f)
	f.Add(a)
	f.Add("ssh-ed25519\v" + a)
	f.Add(a + " \n" + a)
	f.Add("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDSK5oGIvVs")
	f.Fuzz(func(t *testing.T, line string) {
		key, err := ParseKey(line)
		if err != nil {
			return
		}
		again, err := ParseKey(key.Line())
		if err != nil || again != key || !strings.HasPrefix(line, key.Line()) || strings.ContainsAny(line, "\r\n\v\t") {
			t.Errorf("%q is %q, which is %q (%v)", line, key.Line(), again.Line(), err)
		}
	})
}
