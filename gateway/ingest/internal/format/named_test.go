package format

import (
	"strings"
	"testing"
)

// TestNamed: the names of records say whose they are and what they measure, and a reading is of one device.
func TestNamed(t *testing.T) {
	const by = "topics: [{pattern: \"all\", type: reading}]\nformat: senml\n"
	const base, split = by + "senml: {device: bn}\n", by + "senml: {split: \"::\"}\n"
	for _, c := range []struct{ about, preset, payload, want string }{
		{"a base name", base, `[{"bn":"one","n":"n","v":7},{"n":"f","v":0.5}]`, "10:00:00? n=7 f=0.5"},
		{"it stays", base, `[{"bn":"one"},{"n":"n","v":7},{"n":"n","v":8}]`, "10:00:00? n=7; 10:00:00? n=8"},
		{"another", base, `[{"bn":"one","n":"n","v":7},{"bn":"7","n":"f","v":0.5}]`, "10:00:00? n=7; 10:00:00? f=0.5"},
		{"and the first again", base, `[{"bn":"one","n":"n","v":7},{"bn":"7","n":"n","v":8},{"bn":"one","n":"f","v":1}]`,
			"10:00:00? n=7; 10:00:00? n=8; 10:00:00? f=1"},
		{"nobody's is nobody's once", base, `[{"bn":"two","n":"n","v":7},{"n":"f","v":7},{"bn":"one","n":"n","v":8}]`,
			"nobody; 10:00:00? n=8"},
		{"nobody's at the end", base, `[{"bn":"one","n":"n","v":8},{"bn":"two","n":"n","v":7}]`, "10:00:00? n=8; nobody"},
		{"no base name", base, `[{"n":"n","v":7}]`, "E108/-1"},
		{"none that is a text", base, `[{"bn":1,"n":"n","v":7}]`, "E108/-1"},
		{"a base name that is too long", split, `[{"bn":"` + strings.Repeat("b", MaxText+1) + `"},{"n":"one::n","v":7}]`,
			"E106/-1"},
		{"no field of its", base, `[{"bn":"one","n":"x","v":7},{"bn":"7","n":"n","v":8}]`,
			"-E103; E102/-1; 10:00:00? n=8"},
		{"names that are whole", split, `[{"n":"one::n","v":7},{"n":"one::f","v":1},{"n":"7::n","v":8}]`,
			"10:00:00? n=7 f=1; 10:00:00? n=8"},
		{"names in parts", split, `[{"bn":"on","n":"e::n","v":7},{"bn":"7:","n":":n","v":8},{"bn":"7::","n":"f","v":1}]`,
			"10:00:00? n=7; 10:00:00? n=8 f=1"},
		{"the last separator", split, `[{"n":"o::one::n","v":7}]`, "nobody"},
		{"no separator", split, `[{"n":"one:n","v":7}]`, "E108/-1"},
		{"nothing before it", split, `[{"n":"::n","v":7}]`, "E108/-1"},
	} {
		if got := wrap(t, c.preset, "", nil).decode("all", c.payload); got != c.want {
			t.Errorf("%s: %s\ngives %q\nwant  %q", c.about, c.payload, got, c.want)
		}
	}
}

// TestNamedAllocateNothing: whose a record is costs no allocation.
func TestNamedAllocateNothing(t *testing.T) {
	w := wrap(t, "topics: [{pattern: \"all\", type: reading}]\nformat: senml\nsenml: {split: /}\n", "", nil)
	sink := &finder{notes: &notes{shape: w.shape}, known: map[string]*Shape{"one": w.shape, "two": w.shape}}
	in := Wrapped{Envelope: w.envelope, Finder: sink}
	raw := []byte(`[{"n":"one/n","v":7},{"n":"two/n","v":8},{"n":"one/n","v":9}]`)
	d, to := NewDecoder(), &mute{}
	if n := testing.AllocsPerRun(100, func() {
		d.BeginWrapped(raw, in, received, to)
		for d.Next(10) {
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
