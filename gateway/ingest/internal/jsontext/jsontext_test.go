package jsontext

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"

	"github.com/valyala/fastjson"
	"pgregory.net/rapid"
)

// TestText: a text comes back as it was, to fastjson and to encoding/json; what is no UTF-8
// is found.
func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		inner, ok := AppendText(nil, []byte(want))
		if !ok {
			t.Fatalf("%q is UTF-8", want)
		}
		out := `"` + string(inner) + `"`
		v, err := fastjson.Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		var other string
		if err := json.Unmarshal([]byte(out), &other); err != nil || other != want {
			t.Fatalf("%q is %q: %v", want, other, err)
		}
		if got, err := v.StringBytes(); err != nil || string(got) != want {
			t.Fatalf("%q is %q: %v", want, got, err)
		}
	})
	for _, bad := range []string{"\xff", "a\xc3", "\"\x80", "\xed\xa0\x80"} {
		if _, ok := AppendText(nil, []byte(bad)); ok {
			t.Errorf("%q is UTF-8", bad)
		}
	}
}

// TestFloat: the text is the number, and fastjson takes it for one.
func TestFloat(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "-0", 1: "1", -4.1: "-4.1", 1e-7: "1e-07", 1e-5: "0.00001",
		1363896240.5: "1363896240.5",
		1e15 + 0.5:   "1.0000000000000005e+15", 1 << 53: "9.007199254740992e+15", 1<<53 - 1: "9007199254740991",
		math.Inf(1): "inf", math.Inf(-1): "-inf",
	} {
		if got := string(AppendFloat(nil, f)); got != want {
			t.Errorf("%v is %s; want %s", f, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		text := string(AppendFloat([]byte("x"), f))[1:]
		v, err := fastjson.Parse(text)
		if err != nil || v.Type() != fastjson.TypeNumber {
			t.Fatalf("%s is not read: %v", text, err)
		}
		if got, err := strconv.ParseFloat(text, 64); err != nil || got != f && !math.IsNaN(f) {
			t.Fatalf("%v is %s", f, text)
		}
	})
}
