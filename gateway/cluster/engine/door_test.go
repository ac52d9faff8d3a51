package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestErrorsSayNothing: whatever the library says, what is passed on is of a closed list.
func TestErrorsSayNothing(t *testing.T) {
	api := func(code jetstream.ErrorCode) error {
		return fmt.Errorf("nats: %w", &jetstream.APIError{ErrorCode: code, Description: "secret.subject"})
	}
	for _, c := range []struct {
		err  error
		kind error
		why  string
	}{
		{fmt.Errorf(`%w for publish to "secret.subject"`, nats.ErrPermissionViolation), ErrRefused, "may not do that"},
		{fmt.Errorf("secret.subject: %w", nats.ErrTimeout), ErrAway, "no answer in time"},
		{fmt.Errorf("secret.subject: %w", context.DeadlineExceeded), ErrAway, "no answer in time"},
		{errors.New("dial secret.subject"), ErrAway, "the connection failed"},
		{api(codeTooLarge), ErrRefused, "10054"},
		{api(codeNotEnabled), ErrCredentials, "no JetStream: they are not those for data: code 10039"},
		{api(codeStoreFailed), ErrAway, "a disk is full"},
		{api(codeNoJetStream), ErrAway, "switched off"},
		{nats.ErrAuthorization, ErrCredentials, "the credentials are not accepted"},
		{api(10008), ErrAway, "10008"},
		{jetstream.ErrJetStreamNotEnabledForAccount, ErrRefused, "10039"},
	} {
		err := fail("doing", c.err)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v becomes %v", c.err, err)
		}
	}
}

// TestUnproved: what is wrong with a server's certificate is told apart, and nothing of it is shown but when it holds.
func TestUnproved(t *testing.T) {
	past := &x509.Certificate{Subject: pkix.Name{CommonName: "secret"}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Unix(86400, 0)}
	for want, err := range map[string]error{
		"it holds from 1970-01-01 00:00 UTC to 1970-01-02 00:00 UTC, and here it is 2": x509.CertificateInvalidError{
			Cert: past, Reason: x509.Expired, Detail: "secret"},
		"it is for other names than the address":    x509.HostnameError{Certificate: past, Host: "secret"},
		"it is not one that the ca file has signed": x509.UnknownAuthorityError{Cert: past},
	} {
		got := fail("connecting", fmt.Errorf("secret: %w", &tls.CertificateVerificationError{Err: err}))
		if !errors.Is(got, ErrRefused) || !errors.Is(got, ErrCertificate) || !strings.Contains(got.Error(), want) ||
			strings.Contains(got.Error(), "secret") {
			t.Errorf("%v becomes %v; want %s", err, got, want)
		}
	}
}

// TestDiffers: each setting that loses or shows something is named.
func TestDiffers(t *testing.T) {
	s := Spec{Name: "BOOKS", Subjects: []string{"books"}, Replicas: 3, Forever: true}
	if wrong := s.differs(s.config()); wrong != nil {
		t.Fatal(wrong)
	}
	for why, change := range map[string]func(*jetstream.StreamConfig){
		"subjects":       func(c *jetstream.StreamConfig) { c.Subjects = []string{">"} },
		"storage":        func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"replicas":       func(c *jetstream.StreamConfig) { c.Replicas = 1 },
		"discard":        func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"retention":      func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
		"persist_mode":   func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode },
		"no_ack":         func(c *jetstream.StreamConfig) { c.NoAck = true },
		"by age":         func(c *jetstream.StreamConfig) { c.MaxAge = 1 },
		"number":         func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 },
		"max_msg_size":   func(c *jetstream.StreamConfig) { c.MaxMsgSize = 100 },
		"deny_delete":    func(c *jetstream.StreamConfig) { c.DenyDelete = false },
		"deny_purge":     func(c *jetstream.StreamConfig) { c.DenyPurge = false },
		"rollups":        func(c *jetstream.StreamConfig) { c.AllowRollup = true },
		"direct":         func(c *jetstream.StreamConfig) { c.AllowDirect = true },
		"another stream": func(c *jetstream.StreamConfig) { c.Mirror = &jetstream.StreamSource{Name: "X"} },
		"again":          func(c *jetstream.StreamConfig) { c.RePublish = &jetstream.RePublish{Destination: "x"} },
		"changes":        func(c *jetstream.StreamConfig) { c.SubjectTransform = &jetstream.SubjectTransformConfig{} },
		"batches":        func(c *jetstream.StreamConfig) { c.AllowBatchPublish = true },
		"sealed":         func(c *jetstream.StreamConfig) { c.Sealed = true },
	} {
		is := s.config()
		change(&is)
		if wrong := s.differs(is); len(wrong) != 1 || !strings.Contains(wrong[0], why) {
			t.Errorf("%s: %v", why, wrong)
		}
	}
}

// TestCheck: addresses that cannot be reached, or have a secret in them, are refused and not repeated.
func TestCheck(t *testing.T) {
	for _, urls := range [][]string{nil, {"nats-1:4222"}, {"https://nats-1:4222"}, {"nats://u:secret@nats-1:4222"},
		{"tls://nats-1:4222", "tls://"}, {"tls://nats-1:4222/secret"}} {
		if err := (&Config{URLs: urls}).Check(); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v", urls, err)
		}
	}
	if err := (&Config{URLs: []string{"tls://nats-1:4222", "nats://127.0.0.1:1"}}).Check(); err != nil {
		t.Error(err)
	}
}
