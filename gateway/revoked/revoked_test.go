package revoked

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// authority is one that signs lists.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string, usage x509.KeyUsage) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: now,
		NotAfter: now.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: usage,
		SubjectKeyId: []byte(name)}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	return &authority{t, c, key}
}

// list is a list of this number in PEM, which revokes these serial numbers.
func (a *authority) list(number int64, next time.Time, extra []pkix.Extension, serials ...int64) []byte {
	a.t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now.AddDate(0, 0, -1), NextUpdate: next,
		ExtraExtensions: extra}
	for _, s := range serials {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: now})
	}
	signer := *a.cert
	signer.KeyUsage |= x509.KeyUsageCRLSign // whatever it may do
	raw, err := x509.CreateRevocationList(rand.Reader, l, &signer, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: raw})
}

func (a *authority) client(serial int64) *x509.Certificate {
	return &x509.Certificate{RawIssuer: a.cert.RawSubject, SerialNumber: big.NewInt(serial)}
}

// write writes a file as a careful program does, so that it is another file each time.
func write(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// TestRenew: a newer list is taken; whatever is broken, old or of somebody else changes nothing, and
// says what to do.
func TestRenew(t *testing.T) {
	signs := x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	town, other := newAuthority(t, "town", signs), newAuthority(t, "other", signs)
	stranger, mute := newAuthority(t, "town", signs), newAuthority(t, "mute", x509.KeyUsageCertSign)
	next := now.AddDate(0, 1, 0)
	path := filepath.Join(t.TempDir(), "crl.pem")
	both := func(n int64, serials ...int64) []byte {
		return append(town.list(n, next, nil, serials...), other.list(7, next, nil, 40)...)
	}
	write(t, path, both(5, 10))
	authorities := []*x509.Certificate{town.cert, other.cert, mute.cert}
	issuers := func() ([]*x509.Certificate, error) { return authorities, nil }
	l, err := Open(path, issuers, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if renewed, err := l.Renew(); renewed || err != nil {
		t.Errorf("the same file is a newer one: %v", err)
	}
	critical := []pkix.Extension{{Id: []int{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}}}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"empty":               {nil, "no list of revoked certificates in PEM"},
		"cut off":             {both(6)[:200], "no list of revoked certificates in PEM"},
		"a certificate":       {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: town.cert.Raw}), "no list"},
		"older":               {both(4), "the list is older than the one before"},
		"one is gone":         {town.list(6, next, nil), "the list of an authority is gone"},
		"a stranger's":        {stranger.list(6, next, nil), "signed by none of the authorities of client_ca"},
		"may sign no list":    {append(both(6), mute.list(1, next, nil)...), "signed by none of the authorities"},
		"expired":             {append(town.list(6, now, nil), other.list(7, next, nil)...), "passed its next update"},
		"partial":             {append(town.list(6, next, critical), other.list(7, next, nil)...), "a critical"},
		"twice one authority": {append(both(6), town.list(6, next, nil)...), "two lists are of one authority"},
	} {
		write(t, path, c.raw)
		renewed, err := l.Renew()
		if renewed || err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.HasSuffix(err.Error(), "; the list that was read before stays") {
			t.Errorf("%s: %v %v; want %s", name, renewed, err, c.want)
		}
		if !l.Has(town.client(10)) || !l.Has(other.client(40)) || l.Has(town.client(40)) {
			t.Errorf("%s: what is in force has changed", name)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Renew(); err == nil || !l.Has(town.client(10)) {
		t.Errorf("a list that is gone: %v", err)
	}
	write(t, path, both(6, 10, 11))
	if renewed, err := l.Renew(); !renewed || err != nil || !l.Has(town.client(11)) || l.Has(town.client(12)) {
		t.Errorf("a newer list is not taken: %v", err)
	}
	authorities = authorities[:1]
	write(t, path, town.list(7, next, nil))
	if renewed, err := l.Renew(); !renewed || err != nil || l.Has(town.client(10)) {
		t.Errorf("an authority that is one no more is missed: %v", err)
	}
}

// TestOpen: a list that has passed its next update holds, and is said; without a list nothing opens.
func TestOpen(t *testing.T) {
	town := newAuthority(t, "town", x509.KeyUsageCRLSign)
	path := filepath.Join(t.TempDir(), "crl.pem")
	issuers := func() ([]*x509.Certificate, error) { return []*x509.Certificate{town.cert}, nil }
	if _, err := Open(path, issuers, time.Now); err == nil {
		t.Error("there is a list where there is no file")
	}
	write(t, path, []byte("nothing"))
	if _, err := Open(path, issuers, time.Now); err == nil || !strings.Contains(err.Error(), "BEGIN X509 CRL") {
		t.Errorf("there is a list where there is none in the file: %v", err)
	}
	write(t, path, town.list(1, now, nil, 10))
	l, err := Open(path, issuers, func() time.Time { return now })
	if err != nil || !l.Has(town.client(10)) || l.Overdue() == nil {
		t.Fatalf("a list that has passed its next update: %v", err)
	}
	const want = "has passed its next update, 2026-12-01"
	if !strings.Contains(l.Problem(), want) {
		t.Errorf("it is not said at the start: %q", l.Problem())
	}
	if _, err := l.Renew(); err == nil || !strings.Contains(err.Error(), want) || l.Problem() != err.Error() {
		t.Errorf("it is not said: %v, %q", err, l.Problem())
	}
	write(t, path, town.list(2, now.AddDate(0, 1, 0), nil, 10))
	if _, err := l.Renew(); err != nil || l.Problem() != "" {
		t.Errorf("what is mended is a problem still: %v, %q", err, l.Problem())
	}
}

// FuzzList: no file panics.
func FuzzList(f *testing.F) {
	f.Add([]byte("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "crl.pem")
		write(t, path, raw)
		if _, err := Open(path, func() ([]*x509.Certificate, error) { return nil, nil }, time.Now); err == nil {
			t.Error("a list that nobody signed")
		}
	})
}
