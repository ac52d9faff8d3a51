package ballot

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
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
	for _, good := range []string{a, a + " anna@laptop", a + " " + b, a + " Núria Pla (2026)", a + " ",
		a + "  two blanks"} {
		key, err := ParseKey(good)
		if err != nil || key.Line() != a || key.Algorithm() != "ssh-ed25519" {
			t.Errorf("%q is %q (%v)", good, key.Line(), err)
		}
	}
	for _, bad := range []string{
		"", "ssh-ed25519", "ssh-ed25519 ", blob, "ssh-rsa " + blob, "ssh-ed25519\t" + blob, "ssh-ed25519  " + blob,
		" " + a,
		"ssh-ed25519\v" + blob + " " + b, "\r" + a + "\n" + b, a + "\n" + b, a + "\n", a + "\r", "# x\n" + a,
		`from="x" ` + a, "restrict " + a, "ssh-ed25519=\" x \" " + a,
		"cert-authority " + a, a + " x\x1b[2K", a + " x\u202ey", a + " x\u2028y", a + " \xff",
		"ssh-ed25519 " + blob[:20] + "\n" + blob[20:],
		"ssh-ed25519 " + strings.TrimRight(blob, "=")[:66],
		"ssh-ed25519 " + base64.StdEncoding.EncodeToString(append(wire, 0)), "ssh-ed25519 " + strings.ToLower(blob),
		"ssh-ed25519 AAAA", a + " " + strings.Repeat("x", maxLine), "ssh-ed25519-cert-v01@openssh.com " + blob,
		"ssh-ed25519\u00a0" + blob, "ssh-ed25519 " + blob + "\u00a0x",
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
	if _, err := ParseKey(strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))); err == nil ||
		!strings.Contains(err.Error(), "3072") {
		t.Errorf("a weak key: %v", err)
	}
}

// TestOneWireForm: what the library would read in more than one form is read in one.
func TestOneWireForm(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 3072)
	check(t, err)
	public, err := ssh.NewPublicKey(&rsaKey.PublicKey)
	check(t, err)
	padded := ssh.Marshal(struct {
		Type string
		E, N []byte
	}{ssh.KeyAlgoRSA, append([]byte{0}, big.NewInt(int64(rsaKey.E)).Bytes()...),
		append([]byte{0, 0}, rsaKey.N.Bytes()...)})
	line := func(wire []byte) string { return "ssh-rsa " + base64.StdEncoding.EncodeToString(wire) }
	if _, err := ParseKey(line(public.Marshal())); err != nil {
		t.Error(err)
	}
	if _, err := ParseKey(line(padded)); err == nil {
		t.Error("a key with zeros before its numbers is read")
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	public, err = ssh.NewPublicKey(&curve.PublicKey)
	check(t, err)
	text := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	if _, err := ParseKey(text); err != nil || !strings.HasSuffix(text, "=") {
		t.Fatal(text, err)
	}
	i := strings.IndexByte(text, '=') - 1
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	// a bit that stands for nothing
	spare := text[:i] + string(digits[strings.IndexByte(digits, text[i])+1]) + text[i+1:]
	if _, err := ParseKey(spare); err == nil {
		t.Errorf("%q is read", spare)
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
