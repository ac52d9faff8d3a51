package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStages: each fault has its line in the source, once, so that who changes that line is told at once.
func TestStages(t *testing.T) {
	for name, s := range Stages {
		raw, err := os.ReadFile(filepath.Join("../..", s.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(raw), "\t"+s.line+"\n"); n != 1 {
			t.Errorf("%s: %s has its line %d times: %s", name, s.file, n, s.line)
		}
	}
}
