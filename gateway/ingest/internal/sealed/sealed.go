// Package sealed is a connection below TLS: what comes in is read ahead, handed to
// crypto/tls a record at a time, and overwritten behind it (package wipe).
package sealed

import (
	"net"

	"sluice/gateway/ingest/internal/wipe"
)

// Below wraps a connection for tls.Client or tls.Server.
func Below(c net.Conn) net.Conn { return conn{c, wipe.NewRecords(c)} }

type conn struct {
	net.Conn
	in *wipe.Records
}

func (c conn) Read(p []byte) (int, error) { return c.in.Read(p) }
