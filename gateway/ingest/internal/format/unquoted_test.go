package format

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestQuote: an object without quotes is the same object with them, or none.
func TestQuote(t *testing.T) {
	d := NewDecoder()
	for in, want := range map[string]string{
		`{t:2026-03-02T10:04:00Z,53:50}`: `{"t":"2026-03-02T10:04:00Z","53":50}`,
		` { a b : -0.50 , c : x y } `:    `{"a b":-0.50,"c":"x y"}`,
		`{}`:                             `{}`, `{ }`: `{}`, `{a:}`: `{"a":""}`, "{a:5\xf0\x9f,b:1}": `{"a":5,"b":1}`,
		`{a:05}`: `{"a":"05"}`, `{a:+5}`: `{"a":"+5"}`, `{a:5.}`: `{"a":"5."}`, `{a:.5}`: `{"a":".5"}`, `{a:1e5}`: `{"a":"1e5"}`,
		`{a:0}`: `{"a":0}`, `{a:-}`: `{"a":"-"}`, `{a:1.2.3}`: `{"a":"1.2.3"}`, `{a:nan}`: `{"a":"nan"}`,
		`{a:1`: "", `a:1}`: "", ``: "", `{a}`: "", `{:1}`: "", `{a:1,}`: "", `{,a:1}`: "", `{"a":1}`: "", `{a:{b:1}}`: "",
		`{a:[1]}`: "", `{a:\u0041}`: "", "{a:\x01}": "", "{\xf0:1}": "",
	} {
		got, ok := d.quote([]byte(in))
		if ok != (want != "") || ok && string(got) != want {
			t.Errorf("%q is %q, %v; want %q", in, got, ok, want)
		}
	}
}

// FuzzQuote: what is taken for an object is one in JSON, with no other inside.
func FuzzQuote(f *testing.F) {
	f.Add([]byte(`{t:2026-03-02T10:04:00Z, 53 : 50}`))
	f.Add([]byte("{a:5\xf0,\"b\":1e3}"))
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, ok := d.quote(payload)
		var m map[string]any
		if !ok {
			return
		}
		if err := json.Unmarshal(got, &m); err != nil {
			t.Fatalf("%q: %v", payload, err)
		}
		for _, v := range m {
			switch v.(type) {
			case string, float64:
			default:
				t.Fatalf("%q has %T", payload, v)
			}
		}
		if strings.ContainsFunc(string(got), func(r rune) bool { return r >= 0x80 }) {
			t.Fatalf("%q", payload)
		}
	})
}
