package wipe

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// TestReader: what comes out is what went in, and nothing of it stays.
func TestReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 200).Draw(t, "bytes")
		r := NewReader(bytes.NewReader(want), 16)
		if rapid.Bool().Draw(t, "growing") {
			r = Growing(bytes.NewReader(want), 4, 32)
		}
		var got []byte
		for {
			var err error
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				p := make([]byte, rapid.IntRange(1, 40).Draw(t, "size"))
				var n int
				n, err = r.Read(p)
				got = append(got, p[:n]...)
			case 1:
				var b byte
				if b, err = r.ReadByte(); err == nil {
					got = append(got, b)
				}
			default:
				var n int
				n, err = r.Discard(rapid.IntRange(1, 40).Draw(t, "drop"))
				if len(got)+n > len(want) {
					t.Fatal("more was dropped than there is")
				}
				got = append(got, want[len(got):len(got)+n]...)
			}
			if !bytes.Equal(got, want[:len(got)]) {
				t.Fatalf("got %v", got)
			}
			for i, b := range r.buf {
				if b != 0 && (i < r.from || i >= r.upTo) {
					t.Fatalf("byte %d stays in the buffer", i)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d bytes of %d came out", len(got), len(want))
		}
	})
}
