package verify

import (
	"testing"

	"sluice/books"
	"sluice/policy/mechanism"
)

// described puts a stream's description into the books, as a gateway of a method writes it.
func described(t *testing.T, f *fake, method int) *books.Stream {
	t.Helper()
	m, err := mechanism.By(f.plan, method)
	if err != nil {
		t.Fatal(err)
	}
	b := books.Stream{
		ID: "s", Decision: "1", Unit: "device", Plan: f.plan.Digest, Cells: make([]books.Cell, len(f.plan.Cells)),
		Measures: []books.Measure{{Name: "n", PublicFrom: m.PublicFrom(),
			TypicalError: m.TypicalError(f.plan.Measures[0])}},
	}
	if b.ShareFrom = m.ShareFrom(); b.ShareFrom > 0 {
		b.MaxContributions, b.Epoch = f.plan.Protect.MaxContributions, f.plan.Forget.String()
	}
	f.streams = []books.Stream{b}
	return &f.streams[0]
}

// TestDescriptionsAreFound: what the books say of a stream is what some method makes of its
// plan; what is not is named by what the present one would say.
func TestDescriptionsAreFound(t *testing.T) {
	for method := 1; method <= mechanism.Method; method++ {
		f := right(t)
		described(t, f, method)
		finds(t, f, "")
	}
	for _, c := range []struct {
		spoil func(*books.Stream)
		named string
	}{
		{func(b *books.Stream) { b.Unit = "card" }, "is not that of its plan"},
		{func(b *books.Stream) { b.Measures = append(b.Measures, b.Measures[0]) }, "has 2 measures; its plan has 1"},
		{func(b *books.Stream) { b.Measures[0].PublicFrom++ }, "measure n is not what its plan"},
		{func(b *books.Stream) { b.MaxContributions++ }, "what it says of its epochs"},
		{func(b *books.Stream) { b.Floor = "noisy" }, "whether a number is shown"},
		{func(b *books.Stream) { b.Membership = "public" }, "whether a number is shown"},
	} {
		f := right(t)
		c.spoil(described(t, f, mechanism.Method))
		finds(t, f, c.named)
	}
}
