// Package docs tests with the real programs that documents, examples and flags are true, word for word.
package docs

import (
	"os"
	"testing"

	"sluice/test/fenced"
	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// built has a block build the programs by taking those that the tests run: a copy of the checkout is another
// directory, in which Go would compile everything anew.
func built(b *fenced.Taken) {
	b.StandIn("go", `test "$1 $2 $3" = "build -o bin/" && shift 3 && mkdir -p bin
for program in "$@"; do
  case $program in
    ./cmd/sluice) cp `+harness.Sluice+` bin/;;
    ./firmware-sim) cp `+harness.Firmware+` bin/;;
    *) exit 1;;
  esac
done`, "they are built already")
}
