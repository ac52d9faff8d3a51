package wipe

import (
	"encoding/binary"
	"io"
)

// recordHead is the length of a TLS record's header: type, version, length (RFC 8446
// section 5.1).
const recordHead = 5

// Records reads ahead of crypto/tls and hands it one record at a time. That decrypts
// records in place, in a buffer that is as large as the largest record was, and keeps it:
// behind a short record the end of a long one stays, and behind the last all of it, until
// something is written over them.
//
// Because nothing of the next record is in that buffer before it asks for one, all of it is
// done with then, and all of it is what it asks to be read into: bytes.Buffer begins anew
// where it is empty, and offers all its room. So that is overwritten before Records waits
// for the other side. It is used by one goroutine.
type Records struct {
	in   *Reader // which overwrites what was still sealed
	head [recordHead]byte
	have int // of head
	left int // bytes of the record behind it
}

// NewRecords makes a reader of TLS records.
func NewRecords(in io.Reader) *Records { return &Records{in: Growing(in, 512, 4<<10)} }

// Read hands out the rest of a record or of its header, at most.
func (r *Records) Read(p []byte) (int, error) {
	if r.left > 0 {
		n, err := r.in.Read(p[:min(len(p), r.left)])
		r.left -= n
		return n, err
	}
	if r.have == 0 {
		clear(p)
	}
	n, err := r.in.Read(p[:min(len(p), recordHead-r.have)])
	r.have += copy(r.head[r.have:], p[:n])
	if r.have == recordHead {
		r.have, r.left = 0, int(binary.BigEndian.Uint16(r.head[3:]))
	}
	return n, err
}
