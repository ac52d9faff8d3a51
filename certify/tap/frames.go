package tap

import (
	"bufio"
	"io"
)

// maxPacket is the longest packet that is passed on: the listener's bound of a publication, and a header.
const maxPacket = 2<<20 + 5

// frames cuts a stream into MQTT control packets (MQTT 3.1.1 section 2.2).
type frames struct {
	r      *bufio.Reader
	header byte
	packet []byte // all of it
	start  int    // where the body begins
}

// next reads the next packet whole; it reports whether there is one that is not too long.
func (f *frames) next() bool {
	f.packet, f.start = f.packet[:0], 0
	header, err := f.r.ReadByte()
	if err != nil {
		return false
	}
	f.header = header
	f.packet = append(f.packet, header)
	length, more := 0, true
	for shift := 0; more; shift += 7 {
		b, err := f.r.ReadByte()
		if err != nil || shift > 21 {
			return false
		}
		f.packet = append(f.packet, b)
		length |= int(b&0x7f) << shift
		more = b&0x80 != 0
	}
	f.start = len(f.packet)
	whole := f.start + length
	if whole > maxPacket {
		return false
	}
	for len(f.packet) < whole { // grown as it comes: a header alone must not take 2 MiB
		n := min(whole-len(f.packet), 64<<10)
		f.packet = append(f.packet, make([]byte, n)...)
		if _, err := io.ReadFull(f.r, f.packet[len(f.packet)-n:]); err != nil {
			return false
		}
	}
	return true
}

// kind is the packet's type, e.g. packets.Publish.
func (f *frames) kind() byte { return f.header >> 4 }

// body is the packet without its fixed header.
func (f *frames) body() []byte { return f.packet[f.start:] }

// wipe overwrites the buffer that readings were in.
func (f *frames) wipe() { clear(f.packet[:cap(f.packet)]) }
