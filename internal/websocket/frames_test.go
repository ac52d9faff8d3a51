package websocket

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

// frame is a client's, masked.
func frame(first byte, body string) []byte {
	out := Append(nil, first&0xf, []byte(body))
	out[0] = first
	header := len(out) - len(body)
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	out[1] |= masked
	masked := append(bytes.Clone(out[:header]), mask[:]...)
	for n := range len(body) {
		masked = append(masked, body[n]^mask[n&3])
	}
	return masked
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestFrames: what comes through, what is answered, and how it ends, whatever pieces the bytes
// come in.
func TestFrames(t *testing.T) {
	long, longer := strings.Repeat("l", 70_000), strings.Repeat("m", 300)
	bare := frame(0x82, "secret")
	bare[1] &^= masked
	huge := append([]byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, 1, 2, 3, 4)
	for name, x := range map[string]struct {
		in    []byte
		out   string
		pongs string
		err   error
	}{
		"one": {frame(0x82, "abc"), "abc", "", io.EOF},
		"several": {join(frame(0x82, "abc"), frame(0x82, longer), frame(0x82, long)),
			"abc" + longer + long, "", io.EOF},
		"none in it": {join(frame(0x82, ""), frame(0x82, "a")), "a", "", io.EOF},
		"in parts": {join(frame(0x02, "ab"), frame(0x00, "cd"), frame(0x80, "e"), frame(0x82, "f")),
			"abcdef", "", io.EOF},
		"a ping":                    {join(frame(0x89, "p"), frame(0x82, "a")), "a", "p", io.EOF},
		"a ping between two parts":  {join(frame(0x02, "a"), frame(0x89, "p"), frame(0x80, "b")), "ab", "p", io.EOF},
		"a large ping":              {frame(0x89, strings.Repeat("p", 125)), "", strings.Repeat("p", 125), io.EOF},
		"a pong that nobody wanted": {join(frame(0x8a, "p"), frame(0x82, "a")), "a", "", io.EOF},
		"closed": {join(frame(0x82, "a"), frame(0x88, "\x03\xe8bye"), frame(0x82, "b")), "a", "",
			io.EOF},
		"text":                     {join(frame(0x82, "a"), frame(0x81, "b")), "a", "", Violation(unsupported)},
		"an extension's bit":       {frame(0xc2, "a"), "", "", Violation(broken)},
		"another's bit, in a ping": {frame(0xa9, "a"), "", "", Violation(broken)},
		"another's bit":            {frame(0x92, "a"), "", "", Violation(broken)},
		"not masked":               {bare, "", "", Violation(broken)},
		"an unknown kind":          {frame(0x83, "a"), "", "", Violation(broken)},
		"an unknown control frame": {frame(0x8b, "a"), "", "", Violation(broken)},
		"a part of nothing":        {frame(0x80, "a"), "", "", Violation(broken)},
		"a part twice begun":       {join(frame(0x02, "a"), frame(0x82, "b")), "a", "", Violation(broken)},
		"a ping in parts":          {frame(0x09, "a"), "", "", Violation(broken)},
		"a ping that is too large": {frame(0x89, strings.Repeat("p", 126)), "", "", Violation(broken)},
		"a length below nothing":   {huge, "", "", Violation(broken)},
		"cut in a header":          {[]byte{0x82}, "", "", io.ErrUnexpectedEOF},
		"cut in a length":          {[]byte{0x82, 0xfe, 1}, "", "", io.ErrUnexpectedEOF},
		"cut in a mask":            {[]byte{0x82, 0x81, 1}, "", "", io.ErrUnexpectedEOF},
		"cut in a ping":            {frame(0x89, "abc")[:8], "", "", io.ErrUnexpectedEOF},
	} {
		for how, in := range map[string]io.Reader{"at once": bytes.NewReader(x.in),
			"byte by byte": iotest.OneByteReader(bytes.NewReader(x.in))} {
			pongs := ""
			r := NewReader(in, func(body []byte) { pongs += string(body) })
			var out bytes.Buffer
			var err error
			for p := make([]byte, 1000); err == nil; {
				var n int
				n, err = r.Read(p)
				out.Write(p[:n])
			}
			if out.String() != x.out || pongs != x.pongs || !errors.Is(err, x.err) {
				t.Errorf("%s, %s: %.40q, pongs %q, %v; want %.40q, %q, %v", name, how, out.String(), pongs, err, x.out,
					x.pongs, x.err)
			}
		}
	}
}

// TestNothingIsAllocatedByALength: a frame that says it is of exabytes is read as it comes.
func TestNothingIsAllocatedByALength(t *testing.T) {
	head := append([]byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0, 0, 0, 0)
	p := make([]byte, 1000)
	allocated := testing.AllocsPerRun(100, func() {
		r := Reader{in: io.MultiReader(bytes.NewReader(head), endless{})}
		for range 10 {
			if n, err := r.Read(p); n != 1000 || err != nil {
				t.Fatal(n, err)
			}
		}
	})
	if allocated > 10 { // the readers of this test
		t.Errorf("%v allocations", allocated)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestAppend: the server's frames, of each length that there is a form for.
func TestAppend(t *testing.T) {
	for n, want := range map[int]string{0: "\x82\x00", 1: "\x82\x01", 125: "\x82\x7d", 126: "\x82\x7e\x00\x7e",
		math.MaxUint16: "\x82\x7e\xff\xff", math.MaxUint16 + 1: "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"} {
		got := Append([]byte("x"), Binary, make([]byte, n))
		if head := string(got[1 : len(got)-n]); head != want || got[0] != 'x' {
			t.Errorf("of %d bytes the header is %q; want %q", n, head, want)
		}
	}
	if got := string(AppendClose(nil, Done)); got != "\x88\x02\x03\xe8" {
		t.Errorf("a close frame is %q", got)
	}
}

// FuzzFrames reads a stranger's frames: it ends, hands out no more than came in, and what it
// takes for bytes of a message comes out again where they are framed anew.
func FuzzFrames(f *testing.F) {
	f.Add(join(frame(0x02, "ab"), frame(0x89, "p"), frame(0x80, "c"), frame(0x88, "")), 3)
	f.Add([]byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1}, 1)
	f.Add(frame(0x81, "text"), 1)
	f.Fuzz(func(t *testing.T, raw []byte, size int) {
		read := func(raw []byte, p []byte) []byte {
			pongs := 0
			r := NewReader(bytes.NewReader(raw), func(body []byte) { pongs += len(body) })
			var out []byte
			for {
				n, err := r.Read(p)
				if out = append(out, p[:n]...); err != nil {
					break
				}
			}
			if len(out)+pongs > len(raw) {
				t.Fatalf("%d bytes come out of %d", len(out)+pongs, len(raw))
			}
			return out
		}
		out := read(raw, make([]byte, 1+min(max(size, 0), 100)))
		if again := read(frame(0x82, string(out)), make([]byte, 512)); !bytes.Equal(again, out) {
			t.Errorf("%x becomes %x", out, again)
		}
	})
}
