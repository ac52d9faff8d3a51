package harness

import (
	"path/filepath"
	"strings"
	"testing"
)

// ExactVariable names the file that a program of Exact writes to.
const ExactVariable = "SLUICE_TEST_EXACT"

// Exact builds the product with a leak in it, in a test's overlay only: before it draws noise for a window it appends a
// line to a file, the stream, the window's start, and after a tab everything that is to be released, as it is.
func Exact(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	NoError(t, err)
	const file, line = "gateway/release/publisher.go", "\tmech, err := p.mechanism(b.stream, paid.Method)\n"
	o := overlay{root, map[string]string{}}
	NoError(t, o.edit(file, line, strings.NewReplacer("VARIABLE", ExactVariable, "LINE", line).Replace(
		`	zzfile, err := zzos.OpenFile(zzos.Getenv("VARIABLE"), zzos.O_CREATE|zzos.O_APPEND|zzos.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(zzfile, "%s %s\t%s %s gap %q cells %+v epoch %+v\n", b.stream.ID, b.start.UTC().Format(time.RFC3339),
		b.policy, b.end.UTC().Format(time.RFC3339), b.gap, b.cells, b.epoch)
	zzfile.Close()
LINE`)))
	NoError(t, o.edit(file, "import (\n", "import (\n\tzzos \"os\"\n"))
	program, err := o.build(t.TempDir(), "sluice-exact")
	NoError(t, err)
	return program
}
