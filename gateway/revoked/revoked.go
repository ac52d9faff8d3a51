// Package revoked is the list of certificates that hold no more, as authorities sign it (a CRL, RFC
// 5280 section 5), read anew when its file changes. The file has one list in PEM for each authority,
// one after the other, each signed by one of the authorities that clients' certificates are of:
//
//	-----BEGIN X509 CRL-----
//
// A file that is broken, has passed its next update, or is older than what is in force changes
// nothing: whoever could make a gateway forget a list could bring a stolen key back. At the start a
// list that has passed its next update counts, since what it revokes stays revoked; a broken one is
// an error.
package revoked

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/perm"
)

// List is the list in force. Several goroutines may use it.
type List struct {
	path    string
	issuers func() ([]*x509.Certificate, error)
	now     func() time.Time
	held    atomic.Pointer[held]

	mu   sync.Mutex // of Renew
	seen os.FileInfo

	problem atomic.Pointer[string] // of the last look at the file; nil for none
}

// held is what a file said. It does not change.
type held struct {
	certificates map[certificate]bool
	issuers      []*x509.Certificate // the authorities, as they were then
	numbers      map[string]*big.Int // of each authority's list, by its name
	next         time.Time           // the earliest update that was announced; zero for none
}

// certificate is a certificate by its authority's name and its serial number.
type certificate struct{ issuer, serial string }

// Open reads the list of a file. The issuers are the authorities that may sign one, which are asked
// for each time that it is read.
func Open(path string, issuers func() ([]*x509.Certificate, error), now func() time.Time) (*List, error) {
	l := &List{path: path, issuers: issuers, now: now}
	l.seen, _ = os.Stat(path) // Read says what is wrong
	h, err := l.read()
	if err != nil {
		return nil, err
	}
	l.held.Store(h)
	l.note(l.Overdue())
	return l, nil
}

// Has reports whether a certificate holds no more.
func (l *List) Has(c *x509.Certificate) bool {
	return l.held.Load().certificates[certificate{string(c.RawIssuer), string(c.SerialNumber.Bytes())}]
}

// Renew reads the file if it has changed, and reports whether there is another list now. An error
// says why the one that was there stays, each time until that is mended.
func (l *List) Renew() (renewed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.note(err) }()
	info, err := os.Stat(l.path)
	if err != nil {
		return false, fmt.Errorf("%w; the list that was read stays", err)
	}
	if same(info, l.seen) {
		return false, l.Overdue()
	}
	h, err := l.read()
	if err == nil {
		err = l.newer(h)
	}
	if err != nil {
		return false, fmt.Errorf("%w; the list that was read before stays", err)
	}
	l.seen = info
	l.held.Store(h)
	return true, nil
}

// note keeps what is wrong, for Problem, which may be asked at any time.
func (l *List) note(err error) {
	if err == nil {
		l.problem.Store(nil)
		return
	}
	text := err.Error()
	l.problem.Store(&text)
}

// Problem is why no newer list is taken, as Open or the last Renew found; empty where all is well, and where
// there is no list.
func (l *List) Problem() string {
	if l == nil {
		return ""
	}
	if p := l.problem.Load(); p != nil {
		return *p
	}
	return ""
}

// same reports whether a file is as it was when it was read.
func same(a, b os.FileInfo) bool {
	return b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// Overdue is an error when the list in force has passed its next update.
func (l *List) Overdue() error { return l.overdue(l.held.Load()) }

// overdue is an error when the next update should be there.
func (l *List) overdue(h *held) error {
	if h.next.IsZero() || l.now().Before(h.next) {
		return nil
	}
	return fmt.Errorf("%s: the list has passed its next update, %s; have the authority write another", l.path,
		h.next.UTC().Format(time.RFC3339))
}

// newer refuses a file that says less than the one that is in force.
func (l *List) newer(h *held) error {
	if err := l.overdue(h); err != nil {
		return err
	}
	for issuer, was := range l.held.Load().numbers {
		switch is := h.numbers[issuer]; {
		case is == nil && !h.of(issuer):
			// It is no authority any more.
		case is == nil:
			return fmt.Errorf("%s: the list of an authority is gone; put it back", l.path)
		case is.Cmp(was) < 0:
			return fmt.Errorf("%s: the list is older than the one before; take the latest", l.path)
		}
	}
	return nil
}

var errForm = errors.New("no list of revoked certificates in PEM, which begins with -----BEGIN X509 CRL-----; sluice " +
	"sensor cert revoke writes one, and openssl crl -inform DER makes one of another form")

// read reads the file.
func (l *List) read() (*held, error) {
	raw, err := perm.Read(l.path, perm.Trusted)
	if err != nil {
		return nil, err
	}
	issuers, err := l.issuers()
	if err != nil {
		return nil, err
	}
	h := &held{issuers: issuers, certificates: make(map[certificate]bool), numbers: make(map[string]*big.Int)}
	for len(raw) > 0 {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("%s: %w", l.path, errForm)
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.path, errForm)
		}
		if err := h.take(list); err != nil {
			return nil, fmt.Errorf("%s: %w", l.path, err)
		}
	}
	if len(h.numbers) == 0 {
		return nil, fmt.Errorf("%s: %w", l.path, errForm)
	}
	return h, nil
}

// take takes one authority's list.
func (h *held) take(list *x509.RevocationList) error {
	if !h.signed(list) {
		return errors.New("the list is signed by none of the authorities of client_ca that may sign one")
	}
	for _, e := range list.Extensions {
		// RFC 5280, section 5.2: such a list is of a part of the certificates, or in parts.
		if e.Critical {
			return errors.New("the list has a critical extension, as partial lists have; have the authority write a " +
				"whole one")
		}
	}
	issuer := string(list.RawIssuer)
	if _, twice := h.numbers[issuer]; twice {
		return errors.New("two lists are of one authority; keep the latest")
	}
	if h.numbers[issuer] = list.Number; list.Number == nil {
		h.numbers[issuer] = new(big.Int) // of version 1
	}
	if !list.NextUpdate.IsZero() && (h.next.IsZero() || list.NextUpdate.Before(h.next)) {
		h.next = list.NextUpdate
	}
	for _, e := range list.RevokedCertificateEntries {
		h.certificates[certificate{issuer, string(e.SerialNumber.Bytes())}] = true
	}
	return nil
}

// of reports whether a name is one of the authorities'.
func (h *held) of(issuer string) bool {
	return slices.ContainsFunc(h.issuers, func(c *x509.Certificate) bool { return string(c.RawSubject) == issuer })
}

func (h *held) signed(list *x509.RevocationList) bool {
	for _, c := range h.issuers {
		if string(c.RawSubject) == string(list.RawIssuer) && list.CheckSignatureFrom(c) == nil {
			return true
		}
	}
	return false
}
