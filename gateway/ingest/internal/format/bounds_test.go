package format

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"sluice/register/preset"
)

// TestBounds: what is longer or more than it may be is refused, or nobody's, and nobody is asked
// about it.
func TestBounds(t *testing.T) {
	const all = "topics: [{pattern: \"all\", type: reading}]\n"
	const pairs = "pairs: {list: /l, name: id, value: value}\n"
	const number = "  n: {pointer: /result}\n"
	long, just := strings.Repeat("d", MaxText+1), strings.Repeat("d", MaxText)
	listed := func(n int) string {
		return `{"l":[{"id":"result","value":7}` + strings.Repeat(`,{"id":"x","value":0}`, n-1) + `]}`
	}
	for _, c := range []struct{ about, preset, topic, payload, want string }{
		{"a device", all + "device: /who\n", "all", `{"who":"` + just + `","result":7}`, "nobody"},
		{"a device that is too long", all + "device: /who\n", "all", `{"who":"` + long + `","result":7}`, "E108/-1"},
		{"a device of two parts", all + "format: senml\nsenml: {split: \"::\"}\n", "all",
			`[{"bn":"` + just + `","n":"::n","v":7}]`, "nobody"},
		{"a device of two parts that is too long", all + "format: senml\nsenml: {split: \"::\"}\n", "all",
			`[{"bn":"` + just + `","n":"d::n","v":7}]`, "E108/-1"},
		{"a column", tables, "a/one", `{"names":["` + just + `","result"],"rows":[[1,7]]}`, "10:00:00? n=7"},
		{"a column that is too long", tables, "a/one", `{"names":["` + long + `","result"],"rows":[[1,7]]}`, "E102/-1"},
		{"as many pairs as may be", pairs, "a/one", listed(maxPairs), "10:00:00? n=7"},
		{"one more", pairs, "a/one", listed(maxPairs + 1), "E105/-1"},
	} {
		if got := wrap(t, c.preset, number, nil).decode(c.topic, c.payload); got != c.want {
			t.Errorf("%s: %q; want %q", c.about, got, c.want)
		}
	}
}

// TestRowsAreBounded: no more rows are made objects of than a message may have readings.
func TestRowsAreBounded(t *testing.T) {
	w := wrap(t, tables, "  n: {pointer: /result}\n", nil)
	one := `{"names":["result"],"rows":[` + strings.TrimSuffix(strings.Repeat("[7],", MaxReadings/2+1), ",") + `]}`
	d, sink := NewDecoder(), &mute{}
	d.BeginWrapped([]byte("["+one+","+one+","+one+"]"), Wrapped{Envelope: w.envelope, Shape: w.shape}, received, sink)
	if d.rows != MaxReadings {
		t.Errorf("it has made %d rows", d.rows)
	}
}

// TestBytesAreBounded: a text that is longer than any layout is not decoded, and one that is as long
// as the longest is.
func TestBytesAreBounded(t *testing.T) {
	const most = preset.MaxBytes
	for as, encode := range map[string]func([]byte) string{
		"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString} {
		w := bytesIn(t, fmt.Sprintf("format: json\nbytes: {pointer: /d, as: %s, skip: %d}\n", as, most-1),
			fmt.Sprintf("bytes: {sizes: [%d]}\nfields: {n: {at: %d, as: u8}}\n", most, most-1))
		b := make([]byte, 2*most-1)
		b[len(b)-1] = 7
		if got := w.decode("a/one", `{"d":"`+encode(b)+`"}`); got != "10:00:00? n=7" {
			t.Errorf("%s: the longest is %s", as, got)
		}
		d := NewDecoder()
		d.BeginWrapped([]byte(`{"d":"`+encode(make([]byte, 256<<10))+`"}`), Wrapped{Envelope: w.envelope, Shape: w.shape},
			received, &mute{})
		for d.Next(1) {
		}
		if n := cap(d.opened); n > 8*most {
			t.Errorf("%s: %d bytes are held for one that is too long", as, n)
		}
	}
}
