// Package handover is what a front hands to the owner of a partition: the entries of its readings since the last batch,
// sealed, and how far it is. A gateway in one process has none; nothing uses it there.
//
// A batch is
//
//	form uint8 = 1, epoch int64, partition uint16, life [16]byte, number uint64,
//	sealed(length uint32, content, zeros)
//
// in big-endian, sealed with AES-256-GCM. What is sealed is as long as a multiple of 4 KiB, so that its length says
// little of how many readings there were. Its key is derived (HKDF-SHA-256, RFC 5869) from the key of epoch and
// partition and from the life, which is random for each process of a front; its nonce is the number, which counts the
// life's batches for the partition from 1. So no nonce comes twice, and no batch opens as another one.
//
// The content says, each list after its length as a varint,
//
//	whether the life ends with it (uint8)
//	the name of the front, empty where partitions know it
//	lives that nobody waits for any more: 16 bytes each
//	streams' places: stream, and the start of the first window that the front still has readings for
//	gaps: stream, start, and why the window lacks readings
//	numbers of sensors that have sent a heartbeat for the first time: 8 bytes each
//	windows: stream, digest of its plan, start
//	entries: the number of its window, doubled, plus 1 if it is told from a repetition; then checkpoint.AppendEntry
//
// Texts have their length before them; instants are signed varints of nanoseconds since 1970.
package handover

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/window"
)

// Life is a process of a front: random, and no name.
type Life [16]byte

// Head is what a batch says of itself in clear.
type Head struct {
	Epoch     int64 // of its key
	Partition uint16
	Life      Life
	Number    uint64
}

// Place is how far a front is with a stream: what comes later is for windows from Next on.
type Place struct {
	Stream string
	Next   int64
}

// Gap is a window that lacks readings, and the public reason.
type Gap struct {
	Stream string
	Start  int64
	Reason string
}

// Window is what entries are for. Plan is the digest of the stream's description.
type Window struct {
	Stream, Plan string
	Start        int64
}

const (
	form     = 1
	headSize = 1 + 8 + 2 + 16 + 8
	padTo    = 4096
	purpose  = "sluice handover 1"
)

// Most bounds a batch in bytes.
const Most = 1_000_000

// Full is how many bytes of content are worth a batch of their own; more than the largest entry are left below Most.
const Full = 900_000

func (h *Head) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(append(b, form), uint64(h.Epoch))
	b = append(binary.BigEndian.AppendUint16(b, h.Partition), h.Life[:]...)
	return binary.BigEndian.AppendUint64(b, h.Number)
}

func (h *Head) nonce() []byte { return binary.BigEndian.AppendUint64(make([]byte, 4, 12), h.Number) }

// Seal makes what seals and opens the batches of one life for one partition in an epoch, of the partition's key of 32
// bytes.
func (h *Head) Seal(key []byte) (cipher.AEAD, error) {
	own := h.append(make([]byte, 0, headSize))[:headSize-8]
	derived, err := hkdf.Key(sha256.New, key, nil, purpose+string(own), 32)
	if err != nil {
		return nil, err
	}
	defer clear(derived)
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Builder gathers a batch. The zero value is empty, and it is empty again after Append.
type Builder struct {
	Ends   bool
	Name   string
	Lapsed []Life
	Places []Place
	Gaps   []Gap
	Heard  []uint64

	windows []Window
	entries []byte
	number  int // of entries
}

// Add adds an entry of a window. Told says that it is told from a repetition.
func (b *Builder) Add(w Window, told bool, e *window.Entry) {
	at := -1
	for n := len(b.windows) - 1; n >= 0; n-- { // they are few, and most come in a row
		if b.windows[n] == w {
			at = n
			break
		}
	}
	if at < 0 {
		at = len(b.windows)
		b.windows = append(b.windows, w)
	}
	mark := uint64(at) << 1
	if told {
		mark |= 1
	}
	b.entries = checkpoint.AppendEntry(binary.AppendUvarint(b.entries, mark), e)
	b.number++
}

// Size is how many bytes the entries take.
func (b *Builder) Size() int { return len(b.entries) }

// Empty reports whether there is nothing to say but that the front lives.
func (b *Builder) Empty() bool {
	return !b.Ends && b.number+len(b.Lapsed)+len(b.Places)+len(b.Gaps)+len(b.Heard) == 0
}

// Append seals what has been gathered, and begins anew. The memory that it was in is overwritten.
func (b *Builder) Append(to []byte, h Head, seal cipher.AEAD) []byte {
	content := b.content(make([]byte, 4, 4+len(b.entries)+padTo))
	binary.BigEndian.PutUint32(content, uint32(len(content)))
	content = append(content, make([]byte, (padTo-len(content)%padTo)%padTo)...)
	begin := len(to)
	to = h.append(to)
	to = seal.Seal(to, h.nonce(), content, to[begin:])
	clear(content)
	clear(b.entries)
	clear(b.windows)
	*b = Builder{entries: b.entries[:0], windows: b.windows[:0]}
	return to
}

func (b *Builder) content(out []byte) []byte {
	length := func(n int) { out = binary.AppendUvarint(out, uint64(n)) }
	text := func(s string) { length(len(s)); out = append(out, s...) }
	instant := func(t int64) { out = binary.AppendVarint(out, t) }
	ends := byte(0)
	if b.Ends {
		ends = 1
	}
	out = append(out, ends)
	text(b.Name)
	length(len(b.Lapsed))
	for _, l := range b.Lapsed {
		out = append(out, l[:]...)
	}
	length(len(b.Places))
	for _, p := range b.Places {
		text(p.Stream)
		instant(p.Next)
	}
	length(len(b.Gaps))
	for _, g := range b.Gaps {
		text(g.Stream)
		instant(g.Start)
		text(g.Reason)
	}
	length(len(b.Heard))
	for _, n := range b.Heard {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	length(len(b.windows))
	for _, w := range b.windows {
		text(w.Stream)
		text(w.Plan)
		instant(w.Start)
	}
	length(b.number)
	return append(out, b.entries...)
}
