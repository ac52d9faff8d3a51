package settings

import "testing"

// TestOlder: what comes before the first version that holds is older, and so is what is no version.
func TestOlder(t *testing.T) {
	for version, want := range map[string]bool{
		"2.15.2": false, "2.15.3": false, "2.16.0": false, "3.0.0": false, "2.15.10": false, "2.16.0-RC.1": false,
		"2.15.1": true, "2.14.10": true, "2.9.10": true, "1.99.99": true, "2.15.2-RC.1": true, "": true, "v2": true,
	} {
		if older(version) != want {
			t.Errorf("%q: %v", version, !want)
		}
	}
}
