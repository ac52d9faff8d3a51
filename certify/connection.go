package certify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"sluice/certify/tap"
)

// enough is how many messages show what a device does.
const enough = 3

// connect waits until the device is there and sends. It reports whether it does.
func (r *run) connect(ctx context.Context, entry Entry) bool {
	if err := r.o.Hand.Connect(ctx, entry); err != nil {
		r.err = err
		return false
	}
	what := func() string {
		switch {
		case r.rec.security.insecure > 0 && r.rec.security.lowest == 0:
			return "TLS fails: does the device know the authority of this certificate?"
		case r.rec.stranger > 0:
			return "a connection was refused: the user is not the one above"
		case r.rec.refused > 0:
			return "a connection was refused: the password is not the one above"
		}
		return "waiting for the device to connect"
	}
	for r.rec.entries == 0 && r.err == nil { // until the deadline: the device has to be set up
		r.await(ctx, what(), time.Second, func() bool { return r.rec.entries > 0 })
	}
	if r.rec.entries == 0 {
		if r.rec.refused > 0 {
			r.fail("identity", "it never connected with the user and the password that it was given")
		}
		return false
	}
	r.await(ctx, "waiting for readings", r.o.Patience, func() bool { return r.rec.messages >= enough })
	if r.rec.messages == 0 {
		r.fail("identity", "it connected, and published nothing on its own topic")
		return false
	}
	return true
}

// identity judges by all that was seen.
func (r *run) identity() {
	switch {
	case r.rec.elsewhere > 0:
		r.fail("identity", "%s of its messages went to topics that are not its own; publish to "+
			"the topics that it was given", about(r.rec.elsewhere))
	case r.rec.mistakes > 0:
		r.fail("identity", "after it had connected, it came with another user or password; keep one")
	default:
		r.pass("identity", "it connected as itself and published on its own topics only")
	}
}

// again waits until the device is connected once more than so many times.
func (r *run) again(ctx context.Context, entries int) bool {
	return r.await(ctx, "waiting for the device to connect again", r.o.Patience,
		func() bool { return r.rec.entries > entries && r.rec.in })
}

// transport is the check of TLS: a certificate that nobody vouches for must not be trusted.
func (r *run) transport(ctx context.Context) {
	if r.o.TLS == nil {
		r.untried("tls", "it was tried without TLS; give a certificate with --tls")
		return
	}
	other, err := imposter(r.o.TLS)
	if err != nil {
		r.err = err
		return
	}
	entries := r.rec.entries
	r.tap.Imposter(other)
	seen := func() bool { return r.rec.security.trusted+r.rec.security.distrust > 0 }
	r.await(ctx, "showing a certificate that nobody vouches for", r.o.Patience, seen)
	r.tap.Imposter(nil)
	if r.err != nil {
		return
	}
	back := r.again(ctx, entries)
	switch s := r.rec.security; {
	case s.trusted > 0:
		r.fail("tls", "it went on with a certificate that nobody vouches for: whoever stands in between gets its "+
			"password; have it verify certificates")
	case s.distrust == 0:
		r.untried("tls", "it did not come while another certificate was shown")
	case !back && r.err == nil:
		r.fail("tls", "after it had met a wrong certificate, it did not come back to the right one")
	case r.err == nil:
		r.pass("tls", "it agreed on %s and refused a certificate that nobody vouches for",
			tls.VersionName(s.lowest))
	}
}

// imposter is a certificate for the same names as another, which no authority has signed.
func imposter(own *tls.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(own.Certificate[0])
	if err != nil {
		return nil, err
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: leaf.Subject.CommonName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: leaf.DNSNames, IPAddresses: leaf.IPAddresses, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, nil
}

// withheld has one acknowledgement of readings kept back; nil where none came.
func (r *run) withheld(ctx context.Context) (m *tap.Message) {
	r.tap.Withhold(true)
	r.watching(func(e tap.Event, _ []stamp) {
		if e.What == tap.Withheld {
			m = e.Message
		}
	}, func() {
		r.await(ctx, "keeping an acknowledgement back", r.o.Patience, func() bool { return m != nil })
	})
	r.tap.Withhold(false)
	return m
}
