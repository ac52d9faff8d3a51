package ca

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var now = time.Now().Truncate(time.Second)

func quiet(int) {}

func found(t *testing.T) (string, *Authority) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ca")
	if err := Init(dir, "Town", now); err != nil {
		t.Fatal(err)
	}
	return dir, open(t, dir, now)
}

func open(t *testing.T, dir string, at time.Time) *Authority {
	t.Helper()
	a, err := Open(dir, at)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func certificate(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCert(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestIssue: a certificate is one of a client with the sensor's id, and of nothing else.
func TestIssue(t *testing.T) {
	dir, a := found(t)
	if err := a.Issue([]string{"n-1", "Z:2"}, now.AddDate(2, 0, 0), quiet); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	c := certificate(t, filepath.Join(dir, "sensors/n-1.crt"))
	if c.Subject.CommonName != "n-1" || !c.NotAfter.Equal(now.AddDate(2, 0, 0).UTC()) || c.SerialNumber.BitLen() < 64 ||
		c.SerialNumber.Cmp(certificate(t, filepath.Join(dir, "sensors/Z:2.crt")).SerialNumber) == 0 {
		t.Errorf("it is %v, until %v", c.Subject, c.NotAfter)
	}
	verify := func(c *x509.Certificate, use x509.ExtKeyUsage) error {
		_, err := c.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{use}})
		return err
	}
	if err := verify(c, x509.ExtKeyUsageClientAuth); err != nil {
		t.Error(err)
	}
	if verify(c, x509.ExtKeyUsageServerAuth) == nil {
		t.Error("a sensor can be a server")
	}
	for path, mode := range map[string]fs.FileMode{"ca.key": 0o600, "sensors/n-1.key": 0o600, "ca.crt": 0o644,
		"crl.pem": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	if err := a.Issue([]string{"late"}, now.AddDate(99, 0, 0), quiet); err != nil {
		t.Fatal(err)
	}
	if c, err := a.Of("late"); err != nil || !c.Until.Equal(a.Until()) {
		t.Errorf("one holds longer than the authority: %+v %v", c, err)
	}
	for _, id := range []string{"", "../x", "a/b", ".a", "a b", strings.Repeat("a", 65)} {
		if err := a.Issue([]string{id}, now.AddDate(1, 0, 0), quiet); err == nil {
			t.Errorf("%q has a certificate", id)
		}
	}
	if err := Init(dir, "Town", now); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an authority is made over another: %v", err)
	}
}

// TestRevoke: every certificate that a sensor was given holds no more, and nobody else's; what is
// issued afterwards does. A later list has a greater number, and keeps what still would hold.
func TestRevoke(t *testing.T) {
	dir, a := found(t)
	year := now.AddDate(1, 0, 0)
	for range 2 {
		if err := a.Issue([]string{"a", "b"}, year, quiet); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := a.Revoke([]string{"a"}); err != nil || n != 2 {
		t.Fatalf("%d are revoked: %v", n, err)
	}
	a = open(t, dir, now)
	if c, _ := a.Of("a"); c.Holds(now) {
		t.Error("a's holds")
	}
	if c, _ := a.Of("b"); !c.Holds(now) || c.Holds(year) {
		t.Error("b's does not hold, or for ever")
	}
	if a.Holding("a") != 0 || a.Holding("b") != 2 || a.Holding("c") != 0 || a.list.Number.Int64() != 2 {
		t.Errorf("a has %d, b %d; the list is number %v", a.Holding("a"), a.Holding("b"), a.list.Number)
	}
	if err := a.Issue([]string{"a"}, now.AddDate(3, 0, 0), quiet); err != nil {
		t.Fatal(err)
	}
	if c, _ := a.Of("a"); !c.Holds(now) {
		t.Error("a's new one does not hold")
	}
	if _, err := a.Revoke([]string{"b"}); err != nil || len(a.list.RevokedCertificateEntries) != 4 {
		t.Errorf("%d are on the list: %v", len(a.list.RevokedCertificateEntries), err)
	}
	a = open(t, dir, year.Add(time.Hour))
	if _, err := a.Revoke([]string{"a"}); err != nil || len(a.list.RevokedCertificateEntries) != 1 {
		t.Errorf("%d are on the list when four have ended: %v", len(a.list.RevokedCertificateEntries), err)
	}
	all, err := a.All()
	if err != nil || len(all) != 2 || !all[0].Revoked || all[1].ID != "b" {
		t.Errorf("all are %+v %v", all, err)
	}
}

// TestBroken: what is not as it was written is refused, with what to do; half of a pair is no pair.
func TestBroken(t *testing.T) {
	for name, want := range map[string]string{"ca.crt": "put it back from a backup",
		"ca.key": "is not the key of ca.crt", "crl.pem": "put it back from a backup", "issued": "line 1"} {
		dir, _ := found(t)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", name, err, want)
		}
	}
	dir, a := found(t)
	if err := a.Issue([]string{"a", "b"}, now.AddDate(1, 0, 0), quiet); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "sensors/b.key"), filepath.Join(dir, "sensors/a.key")); err != nil {
		t.Fatal(err)
	}
	if c, err := a.Of("a"); c != nil || err != nil {
		t.Errorf("a certificate with another's key: %+v %v", c, err)
	}
	if c, err := a.Of("b"); !c.Holds(now) || err != nil {
		t.Errorf("a certificate whose key was taken away: %+v %v", c, err)
	}
	if _, err := Open(dir, a.Until()); err == nil || !strings.Contains(err.Error(), "has ended on") {
		t.Errorf("an authority that has ended: %v", err)
	}
	if _, err := Open(t.TempDir(), now); err == nil || !strings.Contains(err.Error(), "make one with sluice") {
		t.Errorf("no authority: %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "ca.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, now); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read: %v", err)
	}
}
