package format

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/register/preset"
)

// bytesIn is a preset and a profile whose readings are bytes, as text or as the message itself.
func bytesIn(t testing.TB, where, profile string) wrapped {
	t.Helper()
	p, err := preset.ParsePreset("x.yaml", []byte("preset: x\n"+pattern+where))
	if err != nil {
		t.Fatal(err)
	}
	of, err := preset.ParseProfile("y.yaml", []byte("profile: y\n"+profile))
	if err != nil {
		t.Fatal(err)
	}
	w := wrapped{t: t, preset: p, envelope: NewEnvelope(p, time.UTC), shape: shape()}
	_, w.odd = w.shape.Wrap(w.envelope, of, nil, make([]string, 5))
	return w
}

const (
	inText = "format: json\nbytes: {pointer: /up/data, port: /up/port}\nseq: {pointer: /up/cnt, absent: 0}\n"
	counts = "bytes: {port: 1, sizes: [2, 4]}\nfields:\n  n: {at: 0, as: u16be}\n  f: {at: 2, as: u16be, scale: 0.5}\n"
)

// TestBytes: a field is what stands at its place, where the bytes are of the port and of the length that the layout
// says; nothing else of them is anything.
func TestBytes(t *testing.T) {
	const words = "bytes: {sizes: [1]}\nfields: {b: {at: 0, as: u8, words: {\"1\": true, \"0\": false}}}\n"
	const typed = "bytes: {sizes: [1]}\nfields: {b: {at: 0, as: u8}}\n"
	for _, c := range []struct{ about, preset, profile, payload, want string }{
		{"both", inText, counts, `{"up":{"port":1,"data":"ABIABw=="}}`, "10:00:00? #0 n=18 f=3.5"},
		{"the first alone", inText, counts, `{"up":{"port":1,"data":"ABI="}}`, "10:00:00? #0 n=18"},
		{"another port", inText, counts, `{"up":{"port":4,"data":"ABIABw=="}}`, "ignored"},
		{"no port is 0", inText, counts, `{"up":{"data":"ABIABw=="}}`, "ignored"},
		{"a port as text", inText, counts, `{"up":{"port":"1","data":"ABI="}}`, "10:00:00? #0 n=18"},
		{"a port that is none", inText, counts, `{"up":{"port":{},"data":"ABI="}}`, "ignored"},
		{"another length", inText, counts, `{"up":{"port":1,"data":"ABIA"}}`, "E100/-1"},
		{"no bytes", inText, counts, `{"up":{"port":1,"data":""}}`, "E100/-1"},
		{"none there", inText, counts, `{"up":{"port":1}}`, "E102/-1"},
		{"null", inText, counts, `{"up":{"port":1,"data":null}}`, "E102/-1"},
		{"no base64", inText, counts, `{"up":{"port":1,"data":"0012"}}`, "E100/-1"},
		{"no text", inText, counts, `{"up":{"port":1,"data":18}}`, "E100/-1"},
		{"far too long", inText, counts, `{"up":{"port":1,"data":"` + strings.Repeat("AAAA", 1000) + `"}}`, "E100/-1"},
		{"hexadecimal", strings.Replace(inText, "bytes: {", "bytes: {as: hex, ", 1), counts,
			`{"up":{"port":1,"data":"0012FFff"}}`, "10:00:00? #0 n=18 f=32767.5"},
		{"what stands before", strings.Replace(inText, "bytes: {", "bytes: {skip: 1, ", 1), counts,
			`{"up":{"port":1,"data":"/wAS"}}`, "10:00:00? #0 n=18"},
		{"less than stands before", strings.Replace(inText, "bytes: {", "bytes: {skip: 9, ", 1), counts,
			`{"up":{"port":1,"data":"/wAS"}}`, "E100/-1"},
		{"a message", "format: bytes\nbytes: {port: /0, skip: 2}\n", counts, "\x01/\x00\x12", "10:00:00? n=18"},
		{"of another port", "format: bytes\nbytes: {port: /0, skip: 2}\n", counts, "{/\x00\x12", "ignored"},
		{"of one byte", "format: bytes\nbytes: {port: /0, skip: 2}\n", counts, "\x01", "E100/-1"},
		{"of none", "format: bytes\nbytes: {port: /0, skip: 2}\n", counts, "", "ignored"},
		{"a word", "format: bytes\nbytes: {}\n", words, "\x01", "10:00:00? b=true"},
		{"a word that is none", "format: bytes\nbytes: {}\n", words, "\x02", "E202/3"},
		{"a number for a truth", "format: bytes\nbytes: {}\n", typed, "\x01", "E101/3"},
	} {
		if got := bytesIn(t, c.preset, c.profile).decode("a/one", c.payload); got != c.want {
			t.Errorf("%s: %q gives %q; want %q", c.about, c.payload, got, c.want)
		}
	}
}

// TestNumbersInBytes reads each kind of number, with its sign and its first byte where it says.
func TestNumbersInBytes(t *testing.T) {
	for as, want := range map[string]string{ // of 129, 2, 3, 4
		"u8": "129", "i8": "-127", "u16be": "33026", "u16le": "641", "i16be": "-32510", "i16le": "641",
		"u24be": "8.454659e+06", "u24le": "197249", "u32be": "2.164392708e+09",
		"u32le": "6.7306113e+07",
		"i32be": "-2.130574588e+09", "i32le": "6.7306113e+07",
		"f32be": "-2.387939260590663e-38", "f32le": "1.5400125733135976e-36",
	} {
		w := bytesIn(t, "format: bytes\nbytes: {}\n", "bytes: {sizes: [4]}\nfields: {f: {at: 0, as: "+as+"}}\n")
		if got := w.decode("a/one", "\x81\x02\x03\x04"); got != "10:00:00? f="+want {
			t.Errorf("%s reads %s; want %s", as, got, want)
		}
	}
	w := bytesIn(t, "format: bytes\nbytes: {}\n", "bytes: {sizes: [4]}\nfields: {f: {at: 0, as: f32be}}\n")
	if got := w.decode("a/one", "\x7f\xc0\x00\x00"); got != "E200/1" {
		t.Errorf("a number that is none reads %s", got)
	}
}

// TestUnnamedBytesDie: whatever a byte is that no field is in, nothing is otherwise.
func TestUnnamedBytesDie(t *testing.T) {
	w := bytesIn(t, "format: bytes\nbytes: {port: /0, skip: 2}\n",
		"bytes: {port: 1, sizes: [6]}\nfields: {n: {at: 2, as: u8}, f: {at: 4, as: u8}}\n")
	was := []byte{1, '/', 10, 11, 12, 13, 14, 15}
	for i := range was {
		is := bytes.Clone(was)
		is[i] ^= 0x55
		same := w.decode("a/one", string(is)) == w.decode("a/one", string(was))
		if named := i == 0 || i == 4 || i == 6; same == named {
			t.Errorf("byte %d is named: %v, and what becomes of the message is the same: %v", i, named, same)
		}
	}
}

// TestBytesAllocateNothing: numbers and words in bytes cost no allocation.
func TestBytesAllocateNothing(t *testing.T) {
	w := bytesIn(t, inText, counts+"  b: {at: 0, as: u8, words: {\"0\": true}}\n")
	in := Wrapped{Envelope: w.envelope, Shape: w.shape}
	raw := []byte(`{"up":{"port":1,"data":"ABIABw=="}}`)
	d, sink := NewDecoder(), &mute{}
	if n := testing.AllocsPerRun(100, func() {
		d.BeginWrapped(raw, in, received, sink)
		d.Next(1)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzBytes: any bytes are read, refused or known, the same as text and as a message, and those of the layout's
// length are read.
func FuzzBytes(f *testing.F) {
	const profile = "bytes: {port: 1, sizes: [2, 4, 7]}\nfields: {n: {at: 0, as: i16le}, f: {at: 2, as: u16be}, " +
		"b: {at: 5, as: u8, words: {\"1\": true}}}\n"
	text := bytesIn(f, inText, profile)
	digits := bytesIn(f, strings.Replace(inText, "bytes: {", "bytes: {as: hex, ", 1), profile)
	whole := bytesIn(f, "format: bytes\nbytes: {port: /0, skip: 2}\n", profile)
	f.Add(byte(1), []byte{0, 18, 0, 7})
	f.Add(byte(4), []byte("canary"))
	f.Fuzz(func(t *testing.T, port byte, raw []byte) {
		text.t, digits.t, whole.t = t, t, t
		as := func(w wrapped, data string) string {
			got := w.decode("a/one", fmt.Sprintf(`{"up":{"port":%d,"data":%q}}`, port, data))
			return strings.Replace(got, " #0", "", 1)
		}
		first := as(text, base64.StdEncoding.EncodeToString(raw))
		if second := as(digits, hex.EncodeToString(raw)); second != first {
			t.Errorf("in base64 %s, in hexadecimal %s", first, second)
		}
		if third := whole.decode("a/one", string(port)+"/"+string(raw)); port < 0x80 && third != first {
			t.Errorf("as text %s, as a message %s", first, third)
		}
		laid := len(raw) == 2 || len(raw) == 4 || len(raw) == 7
		if port == 1 && (first == "E100/-1") == laid || port != 1 && first != "ignored" {
			t.Errorf("%d bytes of port %d: %s", len(raw), port, first)
		}
	})
}
