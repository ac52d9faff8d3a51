package query

import (
	"slices"
	"testing"
	"time"

	"sluice/books"
)

// TestAllEpochs: what is read a month at a time is what is read at once, each epoch once,
// wherever the months meet.
func TestAllEpochs(t *testing.T) {
	st := footfall
	st.Stream = books.Stream{ID: "footfall", Timezone: "Europe/Madrid", ShareFrom: 100}
	s := &Source{Store: ended(200, 1000, 190, 10)}
	for _, hour := range []int{0, 1, 12, 22, 23} {
		from := time.Date(2026, 3, 5, hour, 0, 0, 0, time.UTC)
		for _, to := range []time.Time{from, from.Add(time.Hour), from.Add(30 * 24 * time.Hour),
			from.Add(31 * 24 * time.Hour), from.Add(170*24*time.Hour + 5*time.Hour)} {
			want, err := s.Epochs(t.Context(), st, from, to)
			if err != nil {
				t.Fatal(err)
			}
			if days := int(to.Sub(from).Hours() / 24); len(want) < days {
				t.Errorf("from %s to %s there are %d epochs", from, to, len(want))
			}
			var got []Epoch
			for e, err := range s.AllEpochs(t.Context(), st, from, to) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, *e)
			}
			if !slices.EqualFunc(got, want, func(a, b Epoch) bool {
				return a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.Known() && b.Known()
			}) {
				t.Errorf("from %s to %s: %d epochs in parts, %d at once", from, to, len(got), len(want))
			}
		}
	}
}
