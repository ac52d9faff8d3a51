// Package ca is a certificate authority for the sensors of a town that has none. It is a directory:
//
//	ca.crt          the authority's certificate: client_ca of gateway.yaml, cafile of mosquitto
//	ca.key          its key (PKCS #8); whoever has it can be any sensor
//	crl.pem         the certificates that hold no more (RFC 5280, section 5): crl of gateway.yaml,
//	                crlfile of mosquitto
//	issued          one line for each certificate ever issued: SERIAL LAST-SECOND ID
//	sensors/ID.crt  a sensor's certificate, whose common name is its id
//	sensors/ID.key  its key
//
// Keys are ECDSA P-256, which small devices can do. The authority holds for ten years, signs
// certificates of clients only (its extended key usage says so) and no further authorities. Serial
// numbers are 127 random bits (RFC 5280, section 4.1.2.2).
//
// The list of revoked certificates names no update before the authority's end: a broker turns all
// sensors away when that day has passed, and nobody is there to write the list each month.
package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"time"

	"sluice/perm"
)

// MaxID is how long an id may be, in bytes: a common name has 64 characters (RFC 5280, appendix A,
// ub-common-name).
const MaxID = 64

// life of the authority, in years.
const life = 10

// early is how long before it is issued a certificate holds, for clocks that are slow.
const early = time.Hour

// Paths below the directory.
const (
	certFile   = "ca.crt"
	keyFile    = "ca.key"
	listFile   = "crl.pem"
	issuedFile = "issued"
	sensorsDir = "sensors"
)

// Authority is an authority that is open; one at a time may be.
type Authority struct {
	dir    string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	issued []record
	list   *x509.RevocationList
	gone   map[string]bool // serial numbers of the list
	now    time.Time
}

// Init makes an authority. The directory is made where it is not there; a file of an authority that
// is there is left alone, and an error. The error of an authority that is there is fs.ErrExist.
func Init(dir, name string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	cert := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-early), NotAfter: now.AddDate(life, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: 0, MaxPathLenZero: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return err
	}
	if cert, err = x509.ParseCertificate(raw); err != nil {
		return err
	}
	if err := perm.Dir(dir, 0o755); err != nil {
		return err
	}
	if err := perm.Dir(filepath.Join(dir, sensorsDir), 0o700); err != nil {
		return err
	}
	secret, err := keyPEM(key)
	if err != nil {
		return err
	}
	// The key first: whoever meets an authority that is half made finds it, and nothing is lost.
	if err := perm.Create(filepath.Join(dir, keyFile), secret, 0o600); err != nil {
		return err
	}
	a := &Authority{dir: dir, cert: cert, key: key, now: now}
	if err := a.writeList(nil, big.NewInt(1)); err != nil {
		return err
	}
	if err := perm.Create(filepath.Join(dir, issuedFile), nil, 0o644); err != nil {
		return err
	}
	return perm.Create(filepath.Join(dir, certFile), certPEM(raw), 0o644)
}

// Open opens the authority of a directory. Its clock stands still.
func Open(dir string, now time.Time) (*Authority, error) {
	a := &Authority{dir: dir, now: now}
	raw, err := perm.Read(filepath.Join(dir, certFile), perm.Ours)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is no certificate authority; make one with sluice sensor cert init %[1]s", dir)
	}
	if err != nil {
		return nil, err
	}
	if a.cert, err = parseCert(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, certFile), err)
	}
	if raw, err = perm.Read(filepath.Join(dir, keyFile), perm.Private); err != nil {
		return nil, err
	}
	if a.key, err = parseKey(raw); err != nil || !a.key.PublicKey.Equal(a.cert.PublicKey) {
		return nil, fmt.Errorf("%s is not the key of %s; put the right one back from a backup",
			filepath.Join(dir, keyFile), certFile)
	}
	if !now.Before(a.cert.NotAfter) {
		return nil, fmt.Errorf("the authority of %s has ended on %s; make another in another directory, and issue "+
			"certificates anew", dir, a.cert.NotAfter.Format(time.DateOnly))
	}
	if err := a.readList(); err != nil {
		return nil, err
	}
	return a, a.readIssued()
}

// Until is when the authority ends, and every certificate with it.
func (a *Authority) Until() time.Time { return a.cert.NotAfter }

// List is the file of the certificates that hold no more.
func (a *Authority) List() string { return filepath.Join(a.dir, listFile) }

// newSerial is a random serial number of 127 bits.
func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return n.Add(n, big.NewInt(1)), nil // positive
}

func certPEM(raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), nil
}

var errPEM = errors.New("not as it was written; put it back from a backup")

// block is the content of a file of one PEM block.
func block(raw []byte, kind string) ([]byte, error) {
	b, rest := pem.Decode(raw)
	if b == nil || b.Type != kind || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errPEM
	}
	return b.Bytes, nil
}

func parseCert(raw []byte) (*x509.Certificate, error) {
	der, err := block(raw, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func parseKey(raw []byte) (*ecdsa.PrivateKey, error) {
	der, err := block(raw, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := any.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, errPEM
	}
	return key, nil
}
