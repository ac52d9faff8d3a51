package ballot

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

const namespace = "sluice-vote@vila"

var text = []byte("Sluice motion\n\nwhat members sign\n")

// voter is somebody with a key, and what ssh-keygen knows of it.
type voter struct {
	key   Key
	files map[string][]byte // ballots that ssh-keygen, or a stick, would write
}

// oracle is stock OpenSSH with the voters' keys.
type oracle struct {
	dir, signers, text string
}

func newOracle(t testing.TB, voters []voter) *oracle {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ssh-keygen is missing")
		}
		t.Skip("ssh-keygen is not installed")
	}
	o := &oracle{dir: t.TempDir()}
	o.signers, o.text = filepath.Join(o.dir, "allowed_signers"), filepath.Join(o.dir, "motion.txt")
	var lines strings.Builder
	for i, v := range voters {
		fmt.Fprintf(&lines, "m%d namespaces=%q %s\n", i, namespace, v.key.Line())
	}
	for name, raw := range map[string][]byte{o.signers: []byte(lines.String()), o.text: text} {
		if err := os.WriteFile(name, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// takes asks ssh-keygen -Y verify.
func (o *oracle) takes(t testing.TB, member int, file []byte) bool {
	t.Helper()
	name := filepath.Join(o.dir, "ballot.sig")
	if err := os.WriteFile(name, file, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ssh-keygen", "-Y", "verify", "-f", o.signers, "-I", fmt.Sprintf("m%d", member), "-n",
		namespace, "-s", name)
	cmd.Stdin = bytes.NewReader(text)
	return cmd.Run() == nil
}

// takes is what a gateway does with what a member sent, once the clerk's tool has
// brought it into its one form.
func (v voter) takes(file []byte) (again []byte, ok bool) {
	sig, err := Parse(file)
	if err != nil || sig.Key != v.key || sig.Namespace != namespace {
		return nil, false
	}
	return sig.File(), sig.Verify(text, namespace) == nil
}

func electorate(t testing.TB) []voter {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	keys := []any{ed}
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		check(t, err)
		keys = append(keys, k)
	}
	k, err := rsa.GenerateKey(rand.Reader, 3072)
	check(t, err)
	keys = append(keys, k)
	var out []voter
	for _, k := range keys {
		s, err := ssh.NewSignerFromKey(k)
		check(t, err)
		v := voter{key: Key{string(s.PublicKey().Marshal())}, files: map[string][]byte{}}
		for _, h := range []sshsig.HashAlgorithm{sshsig.HashSHA512, sshsig.HashSHA256} {
			sig, err := sshsig.Sign(bytes.NewReader(text), s, h, namespace)
			check(t, err)
			v.files[string(h)] = sshsig.Armor(sig)
		}
		other, err := sshsig.Sign(bytes.NewReader(text), s, sshsig.HashSHA512, "file")
		check(t, err)
		v.files["another namespace"] = sshsig.Armor(other)
		out = append(out, v)
	}
	return append(out, stick(t, 1))
}

// stick is an sk-ed25519 key whose signatures say what a security key says: flags
// (1: touched) and a counter (PROTOCOL.u2f).
func stick(t testing.TB, flags byte) voter {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	wire := ssh.Marshal(struct {
		Type string
		Key  []byte
		App  string
	}{ssh.KeyAlgoSKED25519, public, "ssh:"})
	key, err := ssh.ParsePublicKey(wire)
	check(t, err)
	digest := sha256.Sum256(text)
	signed := append([]byte("SSHSIG"),
		ssh.Marshal(struct{ Namespace, Reserved, Hash, Digest string }{namespace, "", "sha256", string(digest[:])})...)
	app, message := sha256.Sum256([]byte("ssh:")), sha256.Sum256(signed)
	raw := slices.Concat(app[:], []byte{flags}, binary.BigEndian.AppendUint32(nil, 7), message[:])
	sig := &sshsig.Signature{Version: 1, PublicKey: key, Namespace: namespace, HashAlgorithm: sshsig.HashSHA256,
		Signature: &ssh.Signature{
			Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(private, raw),
			Rest: append([]byte{flags}, binary.BigEndian.AppendUint32(nil, 7)...),
		}}
	return voter{Key{string(wire)}, map[string][]byte{"touched": sshsig.Armor(sig)}}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// armor puts raw bytes between the two lines.
func armor(raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: sshsig.PEMType, Bytes: raw})
}

func unarmored(t testing.TB, file []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(file)
	if block == nil {
		t.Fatal("no ballot")
	}
	return block.Bytes
}

// twins are other ways to write the same signature, and what hides behind one.
func twins(t testing.TB, v voter, file []byte) map[string][]byte {
	t.Helper()
	sig, err := sshsig.Unarmor(file)
	check(t, err)
	s, out := sig.Signature, map[string][]byte{}
	add := func(name string, blob, rest []byte) {
		other := *sig
		other.Signature = &ssh.Signature{Format: s.Format, Blob: blob, Rest: rest}
		out[name] = sshsig.Armor(&other)
	}
	add("a byte behind", s.Blob, append(slices.Clone(s.Rest), 0))
	add("much behind", s.Blob, append(slices.Clone(s.Rest), make([]byte, 9000)...))
	add("longer", append(slices.Clone(s.Blob), 0), s.Rest)
	add("a zero before", append([]byte{0}, s.Blob...), s.Rest)
	if strings.Contains(v.key.Algorithm(), "ed25519") {
		le := slices.Clone(s.Blob[32:])
		slices.Reverse(le)
		be := new(big.Int).Add(new(big.Int).SetBytes(le), order).FillBytes(make([]byte, 32))
		slices.Reverse(be)
		add("s plus the order", slices.Concat(s.Blob[:32], be), s.Rest)
	}
	if curve := map[string]elliptic.Curve{ssh.KeyAlgoECDSA256: elliptic.P256(), ssh.KeyAlgoECDSA384: elliptic.P384(),
		ssh.KeyAlgoECDSA521: elliptic.P521()}[v.key.Algorithm()]; curve != nil {
		var pair struct{ R, S *big.Int }
		check(t, ssh.Unmarshal(s.Blob, &pair))
		twin := struct{ R, S *big.Int }{pair.R, new(big.Int).Sub(curve.Params().N, pair.S)}
		add("n minus s", ssh.Marshal(twin), s.Rest)
		plain := func(n *big.Int, zeros int) []byte { return append(make([]byte, zeros), n.Bytes()...) }
		add("zeros before r", ssh.Marshal(struct{ R, S []byte }{plain(pair.R, 2), plain(pair.S, 1)}), s.Rest)
		add("minus r", ssh.Marshal(struct{ R, S *big.Int }{new(big.Int).Neg(pair.R), pair.S}), s.Rest)
	}
	raw := string(unarmored(t, file))
	lines := strings.Split(strings.TrimSpace(string(file)), "\n")
	body := strings.Join(lines[1:len(lines)-1], "")
	out["one line"] = []byte(begin + body + end + "\n")
	out["CRLF"] = []byte(strings.ReplaceAll(string(file), "\n", "\r\n"))
	out["blanks in it"] = []byte(begin + " \t\v\f" + body[:9] + "\n\n " + body[9:] + " \r" + end)
	out["blanks behind the first line"] = []byte(begin[:len(begin)-1] + " \n" + body + end + "\n")
	out["text behind"] = append(slices.Clone(file), "\nand more"...)
	out["text before"] = append([]byte("x\n"), file...)
	out["a header"] = []byte(begin + "Comment: x\n\n" + body + end + "\n")
	out["no end"] = []byte(begin + body + "\n")
	out["a zero byte"] = []byte(begin + body[:9] + "\x00" + body[9:] + end + "\n")
	out["bits to spare"] = []byte(begin + base64.StdEncoding.EncodeToString([]byte(raw+"\x01")) + end + "\n")
	out["something reserved"] = armor(
		[]byte(strings.Replace(raw, namespace+"\x00\x00\x00\x00", namespace+"\x00\x00\x00\x01x", 1)))
	out["version 0"] = armor([]byte(strings.Replace(raw, "SSHSIG\x00\x00\x00\x01", "SSHSIG\x00\x00\x00\x00", 1)))
	out["version 2"] = armor([]byte(strings.Replace(raw, "SSHSIG\x00\x00\x00\x01", "SSHSIG\x00\x00\x00\x02", 1)))
	out["nothing"] = nil
	return out
}

// TestAsStockOpenSSH: what a member sends is taken if and only if ssh-keygen -Y
// verify takes it; and what a gateway is given, its one form, both take.
func TestAsStockOpenSSH(t *testing.T) {
	voters := electorate(t)
	o := newOracle(t, voters)
	taken := 0
	compare := func(member int, what string, file []byte) {
		t.Helper()
		again, ours := voters[member].takes(file)
		if theirs := o.takes(t, member, file); ours != theirs {
			t.Errorf("%s, %s: we say %v, ssh-keygen says %v", voters[member].key.Algorithm(), what, ours, theirs)
		}
		if !ours {
			return
		}
		taken++
		twice, ok := voters[member].takes(again)
		if !ok || !bytes.Equal(twice, again) || !o.takes(t, member, again) {
			t.Errorf("%s, %s: the one form is not taken, or not the only one", voters[member].key.Algorithm(), what)
		}
	}
	for m, v := range voters {
		forms := map[string]bool{}
		for name, file := range v.files {
			compare(m, name, file)
			for twin, other := range twins(t, v, file) {
				compare(m, name+", "+twin, other)
				if again, ok := v.takes(other); ok {
					forms[name+string(again)] = true
				}
			}
		}
		if most := len(v.files); len(forms) > most {
			t.Errorf("%s: %d forms of %d signatures", v.key.Algorithm(), len(forms), most)
		}
	}
	seed := mrand.Uint64()
	t.Logf("seed %d", seed)
	r := mrand.New(mrand.NewPCG(seed, 1))
	for range 300 {
		m := r.IntN(len(voters))
		for _, file := range voters[m].files {
			raw := slices.Clone(unarmored(t, file))
			switch i := r.IntN(len(raw)); r.IntN(4) {
			case 0:
				raw[i] ^= 1 << r.IntN(8)
			case 1:
				raw = slices.Delete(raw, i, i+1)
			case 2:
				raw = slices.Insert(raw, i, byte(r.IntN(256)))
			case 3:
				raw[i] = byte(r.IntN(256))
			}
			compare(m, "mutated", armor(raw))
			break
		}
	}
	if taken < 20 {
		t.Errorf("only %d ballots were taken", taken)
	}
}

// TestShortRSA: a signature that begins with a zero may be written without it, and
// is brought to its full length.
func TestShortRSA(t *testing.T) {
	k, err := rsa.GenerateKey(rand.Reader, 3072)
	check(t, err)
	s, err := ssh.NewSignerFromKey(k)
	check(t, err)
	key := Key{string(s.PublicKey().Marshal())}
	for i := range 20_000 { // one in 256 begins with a zero
		text := fmt.Appendf(nil, "text %d", i)
		sig, err := sshsig.Sign(bytes.NewReader(text), s, sshsig.HashSHA512, namespace)
		check(t, err)
		if sig.Signature.Blob[0] != 0 {
			continue
		}
		full := sshsig.Armor(sig)
		sig.Signature.Blob = sig.Signature.Blob[1:]
		short, err := Parse(sshsig.Armor(sig))
		check(t, err)
		same, err := Parse(full)
		check(t, err)
		if short.Key != key || short.Verify(text, namespace) != nil || !bytes.Equal(short.File(), same.File()) {
			t.Error("the short form is another ballot, or none")
		}
		return
	}
	t.Fatal("no signature begins with a zero")
}

// TestUntouched: a security key that was not touched does not vote, although
// ssh-keygen only reports it.
func TestUntouched(t *testing.T) {
	v := stick(t, 0)
	if _, ok := v.takes(v.files["touched"]); ok {
		t.Error("a ballot of an untouched stick is taken")
	}
}

// FuzzBallot: whatever bytes are sent, this program and ssh-keygen agree.
func FuzzBallot(f *testing.F) {
	voters := electorate(f)
	o := newOracle(f, voters)
	for m, v := range voters {
		for _, file := range v.files {
			f.Add(m, file)
			f.Add(m, unarmored(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, m int, file []byte) {
		m = int(uint(m) % uint(len(voters)))
		for _, form := range [][]byte{file, armor(file)} {
			again, ours := voters[m].takes(form)
			if theirs := o.takes(t, m, form); ours != theirs {
				t.Errorf("we say %v, ssh-keygen says %v", ours, theirs)
			}
			if twice, ok := voters[m].takes(again); ours && (!ok || !bytes.Equal(twice, again)) {
				t.Error("the one form is not stable")
			}
		}
	})
}
