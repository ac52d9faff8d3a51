package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/perm"
	"sluice/register"
)

// ErrLongID is the error for an id that no certificate can hold.
var ErrLongID = fmt.Errorf("a certificate holds a name of %d characters at most; give the sensor a shorter id", MaxID)

// checkID refuses what is no id, or none that fits.
func checkID(id string) error {
	switch {
	case !register.IsName(id):
		return errors.New("an id has letters, digits and _ . : - only, as in the register")
	case len(id) > MaxID:
		return fmt.Errorf("%s: %w", id, ErrLongID)
	}
	return nil
}

// Certificate is what a sensor has.
type Certificate struct {
	ID    string
	Until time.Time
	// Revoked: it holds no more.
	Revoked bool
}

// Holds reports whether it is one that the sensor can use at an instant.
func (c *Certificate) Holds(now time.Time) bool { return c != nil && !c.Revoked && now.Before(c.Until) }

// Of is the certificate of a sensor; nil for none. One without its own key counts as none: it was
// half written when something ended.
func (a *Authority) Of(id string) (*Certificate, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(a.path(id, ".crt"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	cert, err := parseCert(raw)
	if err != nil || cert.CheckSignatureFrom(a.cert) != nil {
		return nil, fmt.Errorf("%s is not a certificate of this authority; take it away", a.path(id, ".crt"))
	}
	secret, err := os.ReadFile(a.path(id, ".key"))
	if errors.Is(err, fs.ErrNotExist) {
		// It was handed to the sensor and taken away here, as it may be.
		return &Certificate{id, cert.NotAfter, a.revoked(cert.SerialNumber)}, nil
	}
	if err != nil {
		return nil, err
	}
	if key, err := parseKey(secret); err != nil || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, nil
	}
	return &Certificate{id, cert.NotAfter, a.revoked(cert.SerialNumber)}, nil
}

// All are the certificates of all sensors, by id.
func (a *Authority) All() ([]Certificate, error) {
	entries, err := os.ReadDir(filepath.Join(a.dir, sensorsDir))
	if err != nil {
		return nil, err
	}
	var list []Certificate
	for _, e := range entries {
		id, ours := strings.CutSuffix(e.Name(), ".crt")
		if !ours || strings.HasPrefix(id, ".") {
			continue
		}
		c, err := a.Of(id)
		if err != nil {
			return nil, err
		}
		if c != nil {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(x, y Certificate) int { return strings.Compare(x.ID, y.ID) })
	return list, nil
}

// Issue gives each sensor a new key and a certificate for it, which holds until then, or until the
// authority ends. What a sensor had before holds on until its own end. Progress is told how many are
// done.
func (a *Authority) Issue(ids []string, until time.Time, progress func(done int)) error {
	if until.After(a.cert.NotAfter) {
		until = a.cert.NotAfter
	}
	until = until.Truncate(time.Second)
	records := make([]record, len(ids))
	for n, id := range ids {
		if err := checkID(id); err != nil {
			return err
		}
		serial, err := newSerial()
		if err != nil {
			return err
		}
		records[n] = record{serial, until, id}
	}
	// Before the certificates are there: what is issued can always be revoked.
	if err := a.writeIssued(records); err != nil {
		return err
	}
	for n, r := range records {
		if err := a.issue(r); err != nil {
			return err
		}
		progress(n + 1)
	}
	return nil
}

// issue writes one sensor's key and certificate.
func (a *Authority) issue(r record) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert := &x509.Certificate{
		SerialNumber: r.serial, Subject: pkix.Name{CommonName: r.id},
		NotBefore: a.now.Add(-early), NotAfter: r.until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, cert, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	secret, err := keyPEM(key)
	if err != nil {
		return err
	}
	if err := perm.Replace(a.path(r.id, ".key"), secret, 0o600); err != nil {
		return err
	}
	return perm.Replace(a.path(r.id, ".crt"), certPEM(raw), 0o644)
}

func (a *Authority) path(id, ending string) string {
	return filepath.Join(a.dir, sensorsDir, id+ending)
}
