package format

import (
	"bytes"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ form, text, want string }{
		{"mac48", "02:00:5E:aB:00:01", "02005eab0001"},
		{"mac48", "02-00-5e-ab-00-01", "02005eab0001"},
		{"mac48", "0200.5eab.0001", "02005eab0001"},
		{"mac48", "02005eab0001", "02005eab0001"},
		{"mac48", "02:00:5e:ab:00", ""},
		{"mac48", "02:00:5e:ab:00:01:02", ""},
		{"mac48", "02:00-5e:ab:00:01", ""},
		{"mac48", "020:05e:ab:00:01", ""},
		{"mac48", "02:00:5e:ab:00:01:", ""},
		{"mac48", ":02:00:5e:ab:00:01", ""},
		{"mac48", "02:00:5e:ab:00:0g", ""},
		{"mac48", "", ""},
		{"mac48", "02005e:ab00:01", ""},
		{"eui64", "02-00-5E-FF-FE-AB-00-01", "02005efffeab0001"},
		{"eui64", "02005efffeab0001", "02005efffeab0001"},
		{"eui64", "02005eab0001", ""},
		{"uuid", "F81D4FAE-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae7dec11d0a76500a0c91e6bf6"},
		{"uuid", "f81d4fae7dec11d0a76500a0c91e6bf6", "f81d4fae7dec11d0a76500a0c91e6bf6"},
		{"uuid", "f81d4fae-7dec11d0-a765-00a0-c91e6bf6", ""},
		{"uuid", "f81d4fae", ""},
		{"plate", "b-ab 1234", "BAB1234"},
		{"plate", "B AB·1234", "BAB1234"},
		{"plate", "öö 12", "ÖÖ12"},
		{"plate", "1234_BCD", ""},
		{"plate", " ", ""},
		{"plate", "12345678901234567", ""},
		{"plate", "a\xff", ""},
		{"text", "As It Is", "As It Is"},
		{"", " ", " "},
	} {
		got, ok := canonical(c.form, []byte(c.text))
		if string(got) != c.want && ok || ok != (c.want != "") {
			t.Errorf("%s %q is %q, %v; want %q", c.form, c.text, got, ok, c.want)
		}
	}
}

// TestSpellings: two spellings are one text, and what does not parse is refused with its
// field.
func TestSpellings(t *testing.T) {
	s := NewShape([]string{"d", "n"}, []string{"string", "int"}, []string{"mac48", ""}, nil)
	for payload, want := range map[string]string{
		`{"fields":{"d":"02:00:5E:00:00:01"}}`:                 "10:00:00? n=02005e000001",
		`[{"n":"d","vs":"02-00-5e-00-00-01"},{"n":"n","v":1}]`: "10:00:00? n=02005e000001 f=1",
		`{"fields":{"d":"my phone"}}`:                          "E203/0",
		`{"fields":{"d":"02\u003a00:5e:00:00:01"}}`:            "10:00:00? n=02005e000001",
	} {
		if got := decode(payload, s); got != want {
			t.Errorf("%s\n gives %s\n  want %s", payload, got, want)
		}
	}
}

// FuzzCanonical: a form is its own form, and never longer than what was sent.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"02:00:5e:00:00:01", "b-ab 12", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		"\u0131\u00df\u01c5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, form := range []string{"mac48", "eui64", "uuid", "plate", "text"} {
			once, ok := canonical(form, []byte(text))
			if !ok {
				continue
			}
			first := bytes.Clone(once)
			twice, ok := canonical(form, bytes.Clone(once))
			if !ok || !bytes.Equal(first, twice) || len(first) > len(text) {
				t.Fatalf("%s: %q is %q and then %q (%v)", form, text, first, twice, ok)
			}
		}
	})
}
