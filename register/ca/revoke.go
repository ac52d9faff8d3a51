package ca

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/perm"
)

// record is a certificate that was issued.
type record struct {
	serial *big.Int
	until  time.Time
	id     string
}

// Holding is how many certificates hold that a sensor was ever given.
func (a *Authority) Holding(id string) (n int) {
	for _, r := range a.issued {
		if r.id == id && r.until.After(a.now) && !a.revoked(r.serial) {
			n++
		}
	}
	return n
}

// Revoke says of every certificate that these sensors were ever given that it holds no more, and
// returns how many held until now.
func (a *Authority) Revoke(ids []string) (int, error) {
	var more []x509.RevocationListEntry
	for _, r := range a.issued {
		if slices.Contains(ids, r.id) && r.until.After(a.now) && !a.revoked(r.serial) {
			more = append(more, x509.RevocationListEntry{SerialNumber: r.serial, RevocationTime: a.now})
		}
	}
	ended := make(map[string]bool) // an entry stays as long as its certificate would
	for _, r := range a.issued {
		ended[r.serial.Text(16)] = !r.until.After(a.now)
	}
	kept := slices.DeleteFunc(slices.Clone(a.list.RevokedCertificateEntries), func(e x509.RevocationListEntry) bool {
		return ended[e.SerialNumber.Text(16)]
	})
	return len(more), a.writeList(append(kept, more...), new(big.Int).Add(a.list.Number, big.NewInt(1)))
}

func (a *Authority) revoked(serial *big.Int) bool { return a.gone[serial.Text(16)] }

// take takes a list as the one that is in force.
func (a *Authority) take(list *x509.RevocationList) {
	a.list, a.gone = list, make(map[string]bool, len(list.RevokedCertificateEntries))
	for _, e := range list.RevokedCertificateEntries {
		a.gone[e.SerialNumber.Text(16)] = true
	}
}

// writeList signs a new list of this number.
func (a *Authority) writeList(entries []x509.RevocationListEntry, number *big.Int) error {
	raw, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: number, ThisUpdate: a.now.Add(-early), NextUpdate: a.cert.NotAfter, RevokedCertificateEntries: entries,
	}, a.cert, a.key)
	if err != nil {
		return err
	}
	list, err := x509.ParseRevocationList(raw)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: raw})
	if err := perm.Replace(a.List(), text, 0o644); err != nil {
		return err
	}
	a.take(list)
	return nil
}

// readList reads the list. Without it nobody would know who was turned out.
func (a *Authority) readList() error {
	raw, err := perm.Read(a.List(), perm.Ours)
	if err != nil {
		return fmt.Errorf("the list of revoked certificates: %w", err)
	}
	var list *x509.RevocationList
	der, err := block(raw, "X509 CRL")
	if err == nil {
		list, err = x509.ParseRevocationList(der)
	}
	if err != nil || list.CheckSignatureFrom(a.cert) != nil || list.Number == nil {
		return fmt.Errorf("%s: %w", a.List(), errPEM)
	}
	a.take(list)
	return nil
}

// readIssued reads what was issued.
func (a *Authority) readIssued() error {
	path := filepath.Join(a.dir, issuedFile)
	raw, err := perm.Read(path, perm.Ours)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		part := strings.Split(lines.Text(), " ")
		if len(part) != 3 {
			return fmt.Errorf("%s, line %d: %w", path, n, errPEM)
		}
		serial, ok := new(big.Int).SetString(part[0], 16)
		until, err := time.Parse(time.RFC3339, part[1])
		if !ok || err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, errPEM)
		}
		a.issued = append(a.issued, record{serial, until, part[2]})
	}
	return lines.Err()
}

// writeIssued adds to what was issued.
func (a *Authority) writeIssued(more []record) error {
	a.issued = append(a.issued, more...)
	var b bytes.Buffer
	for _, r := range a.issued {
		fmt.Fprintf(&b, "%032x %s %s\n", r.serial, r.until.UTC().Format(time.RFC3339), r.id)
	}
	return perm.Replace(filepath.Join(a.dir, issuedFile), b.Bytes(), 0o644)
}
