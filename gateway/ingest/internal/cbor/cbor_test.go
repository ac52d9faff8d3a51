package cbor

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"sluice/gateway/ingest/internal/fault"
)

// unhex is a message written down by its bytes, with blanks between them as one likes.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read is what becomes of a message, as JSON or as a code.
func read(d *Decoder, payload []byte, senml bool) string {
	v, f := d.Decode(payload, senml)
	if f.Code != fault.None {
		return f.Code.String()
	}
	return v.String()
}

// TestAppendixA has the examples of RFC 8949 appendix A, with what JSON has for them.
func TestAppendixA(t *testing.T) {
	d := New()
	for in, want := range map[string]string{
		"00": "0", "01": "1", "0a": "10", "17": "23", "1818": "24", "1819": "25", "1864": "100", "1903e8": "1000",
		"1a000f4240": "1000000", "1b000000e8d4a51000": "1000000000000",
		"1bffffffffffffffff": "18446744073709551615", "c249010000000000000000": "null",
		"3bffffffffffffffff": "-18446744073709551616", "c349010000000000000000": "null",
		"20": "-1", "29": "-10", "3863": "-100", "3903e7": "-1000",
		"f90000": "0", "f98000": "-0", "f93c00": "1", "fb3ff199999999999a": "1.1", "f93e00": "1.5",
		"f97bff": "65504", "fa47c35000": "100000", "fa7f7fffff": "3.4028234663852886e+38",
		"fb7e37e43c8800759c": "1e+300", "f90001": "5.960464477539063e-08", "f90400": "0.00006103515625",
		"f9c400": "-4", "fbc010666666666666": "-4.1",
		"f97c00": "inf", "f97e00": "nan", "f9fc00": "-inf", "fa7f800000": "inf", "fa7fc00000": "nan",
		"faff800000": "-inf", "fb7ff0000000000000": "inf", "fb7ff8000000000000": "nan", "fbfff0000000000000": "-inf",
		"f4": "false", "f5": "true", "f6": "null", "f7": "null", "f0": "null", "f8ff": "null",
		"c074323031332d30332d32315432303a30343a30305a": `"2013-03-21T20:04:00Z"`,
		"c11a514b67b0": "1363896240", "c1fb41d452d9ec200000": "1363896240.5",
		"d74401020304": "null", "d818456449455446": "null",
		"d82076687474703a2f2f7777772e6578616d706c652e636f6d": `"http://www.example.com"`,
		"40": "null", "4401020304": "null", "60": `""`, "6161": `"a"`, "6449455446": `"IETF"`, "62225c": `"\"\\"`,
		"62c3bc": `"ü"`, "63e6b0b4": `"水"`, "64f0908591": `"𐅑"`,
		"80": "[]", "83010203": "[1,2,3]", "8301820203820405": "[1,[2,3],[4,5]]",
		"98190102030405060708090a0b0c0d0e0f101112131415161718181819": "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16," +
			"17,18,19,20,21,22,23,24,25]",
		"a0": "{}", "a201020304": `{"1":2,"3":4}`, "a26161016162820203": `{"a":1,"b":[2,3]}`,
		"826161a161626163":                           `["a",{"b":"c"}]`,
		"a56161614161626142616361436164614461656145": `{"a":"A","b":"B","c":"C","d":"D","e":"E"}`,
		"5f42010243030405ff":                         "null", "7f657374726561646d696e67ff": `"streaming"`,
		"9fff": "[]", "9f018202039f0405ffff": "[1,[2,3],[4,5]]", "9f01820203820405ff": "[1,[2,3],[4,5]]",
		"83018202039f0405ff": "[1,[2,3],[4,5]]", "83019f0203ff820405": "[1,[2,3],[4,5]]",
		"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff": "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16," +
			"17,18,19,20,21,22,23,24,25]",
		"bf61610161629f0203ffff": `{"a":1,"b":[2,3]}`, "826161bf61626163ff": `["a",{"b":"c"}]`,
		"bf6346756ef563416d7421ff": `{"Fun":true,"Amt":-2}`,
	} {
		if got := read(d, unhex(t, in), false); got != want {
			t.Errorf("%s is %s; want %s", in, got, want)
		}
	}
}

// TestAsJSON: what a sensor sends, and what it comes to.
func TestAsJSON(t *testing.T) {
	d := New()
	for _, c := range []struct{ what, in, want string }{
		{"a reading", "a2 63 736571 07 66 6669656c6473 a1 64 72737369 38 3c", `{"seq":7,"fields":{"rssi":-61}}`},
		{"describes itself", "d9d9f7 a1 6161 01", `{"a":1}`},
		{"tags of tags", "c1 c6 d9d9f7 18 2a", "42"},
		{"a tagged key", "a1 c0 6161 01", `{"a":1}`},
		{"negative keys", "a2 20 01 3bffffffffffffffff 02", `{"-1":1,"-18446744073709551616":2}`},
		{"a key in pieces", "a1 7f 6161 6162 ff 01", `{"ab":1}`},
		{"controls", "63 00 1f 0a", `"\u0000\u001f\u000a"`},
		{"keys that are escaped", "a2 62 220a 01 62 5c0a 02", `{"\"\u000a":1,"\\\u000a":2}`},
		{"same key of two maps", "82 a1 6161 01 a1 6161 a1 6161 02", `[{"a":1},{"a":{"a":2}}]`},
		{"a big number that is a text", "82 c2 6161 c3 6162", "[null,null]"},
		{"empty pieces", "7f 60 60 ff", `""`},
		{"a decimal fraction", "c4 82 21 19 6ab3", "[-2,27315]"},
	} {
		if got := read(d, unhex(t, c.in), false); got != c.want {
			t.Errorf("%s: %s is %s; want %s", c.what, c.in, got, c.want)
		}
	}
}

// TestSenML: a pack with labels is what it is in JSON, half floats and all (RFC 8428
// sections 5.1.2 and 6, with a sensor of our own).
func TestSenML(t *testing.T) {
	pack := "83" +
		"a7 21 78 1b 75726e3a6465763a6d61633a3032303035653030303030313a2f2f 22 fb 41da bdbe 1800 0000 23 61 41" +
		" 20 05 00 67 766f6c74616765 01 61 56 02 fb 405e066666666666" +
		"a3 00 67 63757272656e74 06 22 02 f9 3e00" +
		"a6 24 f9 3800 25 00 03 61 78 04 f5 07 01 08 42 0102"
	d := New()
	want := `[{"bn":"urn:dev:mac:02005e000001://","bt":1794570336,"bu":"A","bver":5,"n":"voltage","u":"V",` +
		`"v":120.1},{"n":"current","t":-3,"v":1.5},{"bv":0.5,"bs":0,"vs":"x","vb":true,"ut":1,"vd":null}]`
	if got := read(d, unhex(t, pack), true); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	want = strings.NewReplacer(`"bn"`, `"-2"`, `"bt"`, `"-3"`, `"bu"`, `"-4"`, `"bver"`, `"-1"`, `"bv"`, `"-5"`,
		`"bs"`, `"-6"`, `"n"`, `"0"`, `"u"`, `"1"`, `"v"`, `"2"`, `"vs"`, `"3"`, `"vb"`, `"4"`, `"t"`, `"6"`,
		`"ut"`, `"7"`, `"vd"`, `"8"`).Replace(want)
	if got := read(d, unhex(t, pack), false); got != want {
		t.Errorf("without labels: got %s\nwant %s", got, want)
	}
	for in, want := range map[string]string{
		"a1 05 01": `{"s":1}`, "a1 09 01": `{"9":1}`, "a1 26 01": `{"-7":1}`, "a2 6161 01 00 02": `{"a":1,"n":2}`,
		"a2 00 01 616e 02": "E104", // the label and its name
	} {
		if got := read(d, unhex(t, in), true); got != want {
			t.Errorf("%s is %s; want %s", in, got, want)
		}
	}
}

// TestRefused: what is not well-formed, has a key twice, or is too much.
func TestRefused(t *testing.T) {
	many := func(n int, keys func(i int) string) string {
		out := fmt.Sprintf("ba%08x", n)
		for i := range n {
			out += keys(i) + "00"
		}
		return out
	}
	key := func(i int) string { return fmt.Sprintf("64%x", fmt.Sprintf("%04d", i)) }
	d := New()
	for _, c := range []struct{ what, in, want string }{
		{"nothing", "", "E100"},
		{"a second item", "a000", "E100"},
		{"cut short", "a16161", "E100"},
		{"half a head", "19 01", "E100"},
		{"a reserved head", "1c", "E100"},
		{"a simple value in a byte too many", "f8 14", "E100"},
		{"a break of nothing", "ff", "E100"},
		{"a break in a list of one", "81 ff", "E100"},
		{"a map with half a pair", "bf 6161 ff", "E100"},
		{"a number in a text", "7f 01 ff", "E100"},
		{"bytes in a text", "7f 4161 ff", "E100"},
		{"a text of no end in another", "7f 7f 6161 ff ff", "E100"},
		{"a length of 2^64-1", "7b ffffffffffffffff 61", "E100"},
		{"a length of 2^63", "5b 8000000000000000 61", "E100"},
		{"an array of 2^64-1", "9b ffffffffffffffff 00", "E100"},
		{"a map of 2^62", "bb 4000000000000000 00", "E100"},
		{"an array of 2^31", "9a 80000000 00", "E100"},
		{"a text that lies by one", "62 61", "E100"},
		{"no UTF-8", "61 ff", "E100"},
		{"a character in two pieces", "7f 61c3 61bc ff", "E100"},
		{"a key that is no UTF-8", "a1 61 80 01", "E100"},
		{"a key of bytes", "a1 4161 01", "E100"},
		{"a key with a point", "a1 f93c00 01", "E100"},
		{"a key that is true", "a1 f5 01", "E100"},
		{"a key that is a list", "a1 80 01", "E100"},
		{"a key twice", "a2 6161 01 6161 02", "E104"},
		{"a key twice, once as a number", "a2 01 01 6131 02", "E104"},
		{"a key twice, once in pieces", "a2 626162 01 7f 6161 6162 ff 02", "E104"},
		{"a key twice, once in a longer head", "a2 01 01 1801 02", "E104"},
		{"a key twice in a map within", "81 a1 6161 a2 6162 01 6162 02", "E104"},
		{"a key twice of many", many(41, func(i int) string { return key(i % 40) }), "E104"},
		{"tags one in another", strings.Repeat("c6", MaxDepth+2) + "01", "E100"},
		{"lists one in another", strings.Repeat("81", MaxDepth+1) + "01", "E100"},
		{"endless lists one in another", strings.Repeat("9f", 1000), "E100"},
		{"maps one in another", strings.Repeat("a100", MaxDepth+1) + "01", "E100"},
		{"a million tags", strings.Repeat("d8ff", 500_000), "E100"},
	} {
		if got := read(d, unhex(t, c.in), false); got != c.want {
			t.Errorf("%s: %.40s is %s; want %s", c.what, c.in, got, c.want)
		}
		if got := read(d, unhex(t, "a1616101"), false); got != `{"a":1}` {
			t.Fatalf("after %s, a message is %s", c.what, got)
		}
	}
	if got := read(d, unhex(t, many(1000, key)), false); strings.Count(got, ":") != 1000 {
		t.Errorf("a map of 1000 keys is %.40s", got)
	}
	if got := read(d, unhex(t, strings.Repeat("81", MaxDepth)+"01"), false); len(got) != 2*MaxDepth+1 {
		t.Errorf("%d lists one in another are %s", MaxDepth, got)
	}
}

// TestTooLarge: bytes and items are counted, and what is just within is read.
func TestTooLarge(t *testing.T) {
	list := func(n int) []byte {
		return append([]byte{0x9a, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, n)...)
	}
	d := New()
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"bytes":    {make([]byte, MaxMessage+1), "E105"},
		"items":    {list(MaxItems), "E105"},
		"all":      {list(MaxItems - 1), "[0,0"},
		"keys":     {append(list(MaxItems - 3)[:5+MaxItems-4], 0xa2, 0, 0, 1, 0), "E105"},
		"endless":  {append(bytes.Repeat([]byte{0x9f}, 1), bytes.Repeat([]byte{0}, MaxItems)...), "E100"},
		"no break": {append(append([]byte{0x9f}, make([]byte, MaxItems)...), 0xff), "E105"},
	} {
		if got := read(d, c.in, false); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %.20s; want %s", name, got, c.want)
		}
	}
}

// TestBegins: what is not JSON on a topic where either may come.
func TestBegins(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, "{}": false, "[]": false, " {}": false, "\xef\xbb\xbf{}": false, "\x80": true, "\xa1\x61a\x01": true,
		"\xd9\xd9\xf7\xa0": true, "\x9f\xff": true, "\xbf\xff": true, "7": false,
	} {
		if Begins([]byte(in)) != want {
			t.Errorf("%x: %v", in, !want)
		}
	}
}

// TestNothingStays: of a message that was read or refused, the buffer holds nothing.
func TestNothingStays(t *testing.T) {
	for name, in := range map[string]string{
		"read":    "a2 6161 66 7a5137636e72 6162 66 7a5137636e72",
		"refused": "a2 6161 66 7a5137636e72 6161 66 7a5137636e72",
		"no text": "82 66 7a5137636e72 a1 4100 66 7a5137636e72",
		"number":  "82 c2 6e 7878787878787878 7a5137636e72 01",
	} {
		d := New()
		_, _ = d.Decode(unhex(t, in), false)
		if bytes.Contains(d.out[:cap(d.out)], []byte("zQ7c")) || d.in != nil {
			t.Errorf("%s: the message stays", name)
		}
	}
}
