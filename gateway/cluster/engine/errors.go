package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The kinds of error.
var (
	// ErrFenced: somebody else has written since. Who gets it owns nothing any more: it stops, reads, and begins again.
	ErrFenced = errors.New("somebody else has written since")
	// ErrAway: no majority of the servers answered in time. What was to be written may have been, or may still be;
	// who goes on reads the log first. Appending the same entry again, at the same place, is always right.
	ErrAway = errors.New("no majority of the servers answers")
	// ErrRefused: the servers will not do it, now or later, and nothing was written.
	ErrRefused = errors.New("the servers refuse")
)

// What some of ErrRefused are as well, where an operator mends different things.
var (
	// ErrCertificate: a server does not show that it is one of ours.
	ErrCertificate = errors.New("their certificate is not accepted")
	// ErrCredentials: the servers do not know who this is, or not for this.
	ErrCredentials = errors.New("they do not accept the credentials")
)

// fail makes one of the three of an error of the library. What is passed on of it is a reason of a closed list, or its
// number: see the package comment.
func fail(doing string, err error) error {
	kind := ErrAway
	if why := unproved(err); why != "" {
		return fmt.Errorf("%s: %w: %w (%s)", doing, ErrRefused, ErrCertificate, why)
	}
	if code := codeOf(err); slices.Contains(definite, code) || isAny(err, nats.ErrAuthorization,
		nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrPermissionViolation, nats.ErrMaxPayload,
		nats.ErrBadSubject, jetstream.ErrInvalidSubject, nats.ErrConnectionClosed) {
		kind = ErrRefused
	}
	if isAny(err, nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked) || codeOf(err) == codeNotEnabled {
		return fmt.Errorf("%s: %w: %w (%s)", doing, kind, ErrCredentials, reason(err))
	}
	return fmt.Errorf("%s: %w (%s)", doing, kind, reason(err))
}

// unproved says why a server's certificate does not show that it is one of ours; empty where it is another error.
func unproved(err error) string {
	var invalid x509.CertificateInvalidError
	switch {
	case !errors.As(err, new(*tls.CertificateVerificationError)):
		return ""
	case errors.As(err, new(x509.HostnameError)):
		return "it is for other names than the address by which the server is reached"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		const form = "2006-01-02 15:04 MST"
		return fmt.Sprintf("it holds from %s to %s, and here it is %s", invalid.Cert.NotBefore.UTC().Format(form),
			invalid.Cert.NotAfter.UTC().Format(form), time.Now().UTC().Format(form))
	}
	return "it is not one that the ca file has signed"
}

// Codes of the servers (nats-server, server/errors.json).
const (
	codeNoEntry     = 10037
	codeTooLarge    = 10054
	codeNoLog       = 10059
	codeOtherLog    = 10060
	codeWrongLast   = 10071
	codeStoreFailed = 10077 // a full log, or a disk that is
	codeSealed      = 10109
	codeWrongLast2  = 10164 // the same on replicas, as long as another entry of the subject is being written
	codeNotEnabled  = 10039 // of this account
	codeNoJetStream = 10076 // on the server that is asked
	codeNoMajority  = 10008
	codeNoRoom      = 10023
	codeNoStorage   = 10047
)

// meanings are what an operator is told of them.
var meanings = map[jetstream.ErrorCode]string{
	codeStoreFailed: "nothing more can be stored: a disk is full, or max_file_store is reached",
	codeNotEnabled:  "the account of these credentials has no JetStream: they are not those for data",
	codeNoJetStream: "JetStream is switched off on the server, as by a full disk",
	codeNoMajority:  "JetStream has no majority of the servers",
	codeNoRoom:      "the servers have no room: a disk is full, or max_file_store is reached",
	codeNoStorage:   "the servers have no room: a disk is full, or max_file_store is reached",
}

// definite are the answers that no waiting changes.
var definite = []jetstream.ErrorCode{codeTooLarge, codeNoLog, codeOtherLog, codeSealed, codeNotEnabled}

// codeOf is the number of a server's answer; 0 where it is none.
func codeOf(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	var js jetstream.JetStreamError
	if errors.As(err, &js) && js.APIError() != nil {
		return js.APIError().ErrorCode
	}
	return 0
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// reasons are what errors of the library mean.
var reasons = []struct {
	err error
	why string
}{
	{context.DeadlineExceeded, "no answer in time"},
	{context.Canceled, "stopped"},
	{nats.ErrTimeout, "no answer in time"},
	{nats.ErrNoResponders, "nobody answers"},
	{jetstream.ErrNoStreamResponse, "nobody answers"},
	{nats.ErrNoServers, "no server can be reached"},
	{nats.ErrReconnectBufExceeded, "not connected"},
	{nats.ErrDisconnected, "not connected"},
	{nats.ErrConnectionReconnecting, "not connected"},
	{nats.ErrConnectionClosed, "the connection is closed"},
	{nats.ErrStaleConnection, "the server has stopped answering"},
	{nats.ErrAuthorization, "the credentials are not accepted"},
	{nats.ErrAuthExpired, "the credentials have expired"},
	{nats.ErrAuthRevoked, "the credentials have been revoked"},
	{nats.ErrPermissionViolation, "these credentials may not do that"},
	{nats.ErrMaxPayload, "longer than the servers take"},
	{nats.ErrBadSubject, "no subject"},
	{jetstream.ErrInvalidSubject, "no subject"},
	{nats.ErrSlowConsumer, "answers come faster than they are read"},
	{jetstream.ErrNoHeartbeat, "the server has stopped answering"},
	{jetstream.ErrAsyncPublishTimeout, "no answer in time"},
}

// reason says in words of a closed list why something failed.
func reason(err error) string {
	if why := unproved(err); why != "" {
		return ErrCertificate.Error() + ": " + why
	}
	code := codeOf(err)
	if why := meanings[code]; why != "" {
		return fmt.Sprintf("%s: code %d", why, code)
	}
	if code != 0 {
		return fmt.Sprintf("the server's code is %d", code)
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.why
		}
	}
	return "the connection failed"
}
