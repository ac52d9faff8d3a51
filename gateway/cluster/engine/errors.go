package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"

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

// fail makes one of the three of an error of the library. What is passed on of it is a reason of a closed list, or its
// number: see the package comment.
func fail(doing string, err error) error {
	kind := ErrAway
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		return fmt.Errorf("%s: %w (their certificate is not one that the ca file has signed, or is not theirs)", doing,
			ErrRefused)
	}
	if code := codeOf(err); slices.Contains(definite, code) || isAny(err, nats.ErrAuthorization,
		nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrPermissionViolation, nats.ErrMaxPayload,
		nats.ErrBadSubject, jetstream.ErrInvalidSubject, nats.ErrConnectionClosed) {
		kind = ErrRefused
	}
	return fmt.Errorf("%s: %w (%s)", doing, kind, reason(err))
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
)

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
	if code := codeOf(err); code != 0 {
		return fmt.Sprintf("the server's code is %d", code)
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.why
		}
	}
	return "the connection failed"
}
