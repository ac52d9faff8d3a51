package httpcache

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// segments compress an answer part by part into one gzip member (RFC 1952). Each part is a
// run of whole deflate blocks that looks back at no other part (RFC 1951), so between two
// parts nothing is kept but a sum and a length: a compressor needs most of a megabyte, and
// a slow reader must not have one to himself.
type segments struct {
	begun bool
	sum   uint32 // CRC-32 of what came so far
	size  uint32 // its length in bytes, modulo 2^32
}

// compressors is the pool of idle compressors.
var compressors = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed+2)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// gzipHead says: deflate, no name, no time, unknown system.
var gzipHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// part compresses the next part.
func (s *segments) part(p []byte) []byte {
	var b bytes.Buffer
	if !s.begun {
		b.Write(gzipHead)
		s.begun = true
	}
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p)
	s.size += uint32(len(p)) //nolint:gosec // modulo 2^32, as RFC 1952 has it
	z, _ := compressors.Get().(*flate.Writer)
	z.Reset(&b)
	_, _ = z.Write(p) // a buffer does not fail
	_ = z.Flush()     // ends at a whole byte
	compressors.Put(z)
	return b.Bytes()
}

// end returns what follows the last part: an empty last block, the checksum and the length.
func (s *segments) end() []byte {
	var b []byte
	if !s.begun {
		b = append(b, gzipHead...)
	}
	b = append(b, 3, 0)
	b = binary.LittleEndian.AppendUint32(b, s.sum)
	return binary.LittleEndian.AppendUint32(b, s.size)
}
