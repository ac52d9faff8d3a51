package names

import (
	"strings"
	"testing"
)

func TestValid(t *testing.T) {
	for text, want := range map[string]bool{
		"2026-14": true, "Camera_1.b": true, "a": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, ".a": false, "a b": false, "a/b": false, "a+": false, "à": false,
		strings.Repeat("a", 64): false,
	} {
		if Valid(text) != want {
			t.Errorf("%q is a name: %v", text, !want)
		}
	}
}

// TestVisible: what a terminal obeys, hides or turns round is not visible, letters of all scripts are.
func TestVisible(t *testing.T) {
	for text, want := range map[string]bool{
		"Plaça Major, 2°": true, "العربية": true, "": true,
		"a\x1b[2J": false, "a\u202eb": false, "a\u200bb": false, "a\nb": false, "\xff": false, "a\u2028": false,
	} {
		if Visible(text) != want {
			t.Errorf("%q is visible: %v", text, !want)
		}
	}
}
