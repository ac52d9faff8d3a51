package format

import "testing"

// TestAnyPointer: every JSON pointer (RFC 6901) maps any field, and the field is
// found by its kind's name whatever the pointer is.
func TestAnyPointer(t *testing.T) {
	for pointer, payload := range map[string]string{
		"/n":                `{"n":7}`,
		"/object/LAeq":      `{"object":{"LAeq":7},"n":1}`,
		"/data/0/rssi@1m":   `{"data":[{"rssi@1m":7},{"rssi@1m":1}]}`,
		"/data/1/0":         `{"data":[0,[7]]}`,
		"/a~1b":             `{"a/b":7}`,
		"/a~0b/~01":         `{"a~b":{"~1":7}}`,
		"/":                 `{"":7}`,
		"/a/":               `{"a":{"":7}}`,
		"/fields/n":         `{"fields":{"n":7,"x":1}}`,
		"/fields/0/value":   `{"fields":[{"value":7}]}`,
		"/fields":           `{"fields":7}`,
		"/seq":              `{"seq":7}`,
		"/boot":             `{"boot":7}`,
		"/seq/n":            `{"seq":{"n":7}}`,
		"/deep/a/b/c/d/e/f": `{"deep":{"a":{"b":{"c":{"d":{"e":{"f":7}}}}}}}`,
	} {
		s := NewShape([]string{"n", "f"}, []string{"int", "float"}, nil,
			map[string]string{"n": pointer, "unknown": "/n"})
		if i, ok := s.Field("n"); !ok || i != 0 {
			t.Errorf("%s: the kind's field is not found", pointer)
		}
		last := NewShape([]string{"f", "n"}, []string{"float", "int"}, nil, map[string]string{"n": pointer})
		if i, ok := last.Field("n"); !ok || i != 1 {
			t.Errorf("%s: the kind's last field is not found", pointer)
		}
		want := "10:00:00? n=7"
		if got := decode(payload, s); got != want {
			t.Errorf("%s of %s gives %q; want %q", pointer, payload, got, want)
		}
	}
	// What the kind does not have maps nothing, and makes nothing else unknown.
	s := NewShape([]string{"n"}, []string{"int"}, nil, map[string]string{"unknown": "/x"})
	if got := decode(`{"fields":{"n":7,"m":1}}`, s); got != "-E103; 10:00:00? n=7" {
		t.Errorf("got %q", got)
	}
	// The other fields are where they always are.
	s = NewShape([]string{"n", "f"}, []string{"int", "float"}, nil, map[string]string{"n": "/o/n"})
	if got := decode(`{"o":{"n":7},"fields":{"f":0.5,"n":1}}`, s); got != "10:00:00? n=7 f=0.5" {
		t.Errorf("got %q", got)
	}
	if got := decode(`[{"n":"o","v":1},{"n":"n","v":7},{"n":"f","v":0.5}]`, s); got != "-E103; -E103; 10:00:00? f=0.5" {
		t.Errorf("a SenML pack gives %q", got)
	}
}
