package books

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"sluice/gateway/cluster/engine"
)

// TestParts: whatever stands in the log, a transaction is whole only where all of its parts stand behind one another,
// and is these and nothing else.
func TestParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("%s-1 %d/%d", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "writer"),
				rapid.IntRange(0, 4).Draw(t, "i"), rapid.IntRange(0, 4).Draw(t, "k"))
		}), 0, 30).Draw(t, "ids")
		ids = append(ids, "a-1 1/3", "a-1 2/3", "a-1 3/3") // however they begin, these end a whole one
		var at assembly
		found := false
		for n, id := range ids {
			body, whole := at.add(engine.Entry{ID: id, Body: []byte{byte(n)}})
			found = whole
			var of string
			var last, k int
			if _, err := fmt.Sscanf(id, "%s %d/%d", &of, &last, &k); err != nil {
				t.Fatal(err)
			}
			if !whole {
				continue
			}
			if last != k || len(body) != k || k > n+1 {
				t.Fatalf("%q ends a transaction of %d parts", id, len(body))
			}
			want := []byte{}
			for j := range k {
				at := n - k + 1 + j
				if !bytes.HasPrefix([]byte(ids[at]), fmt.Appendf(nil, "%s %d/", of, j+1)) {
					t.Fatalf("%q is part %d of what %q ends", ids[at], j+1, id)
				}
				want = append(want, byte(at))
			}
			if !bytes.Equal(body, want) {
				t.Fatalf("it holds %v and not %v", body, want)
			}
		}
		if !found {
			t.Fatal("three parts are no transaction")
		}
	})
	for _, id := range []string{"", "a-1", "a-1 1", "a-1 1/", "a-1 x/1", "a-1 2/1", "a-1 1/65", "a-1 -1/-1",
		"a-1 99999999999999999999/1"} {
		if _, whole := (&assembly{}).add(engine.Entry{ID: id}); whole {
			t.Errorf("%q is a whole transaction", id)
		}
	}
}
