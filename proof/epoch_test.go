package proof

import (
	"slices"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/release"
	"sluice/store"
)

// withEpoch are right books with the last window of an epoch, which has the epoch's two
// numbers: the last two rows that are shown.
func withEpoch(t *testing.T) *fake {
	t.Helper()
	f := right(t)
	mech, err := release.NewMechanism(f.plan)
	if err != nil {
		t.Fatal(err)
	}
	rows := []store.Observation{f.shown[1]}
	rows[0].Start, rows[0].End = noon.Add(11*time.Hour), noon.Add(12*time.Hour)
	for _, m := range store.EpochMeasures {
		o, value := rows[0], 40.0
		o.Cell, o.Zone, o.Measure, o.Every, o.Threshold = store.EpochCell("a"), "", m, "PT12H", 0
		o.Value, o.Low, o.High = &value, &value, &value
		o.Epsilon, o.Scale = mech.EpochParameters()
		rows = append(rows, o)
	}
	f.shown = append(f.shown, rows...)
	f.releases = append(f.releases, books.Released{Gateway: "g", Stream: "s", Start: rows[0].Start, End: rows[0].End, Plan: f.plan.Digest, Ledger: 1})
	sealed(f)
	return f
}

// sealed makes the last window's line that of what is shown of it.
func sealed(f *fake) {
	last := &f.releases[len(f.releases)-1]
	rows := slices.DeleteFunc(slices.Clone(f.shown), func(o store.Observation) bool { return !o.Start.Equal(last.Start) })
	last.Rows, last.SHA256 = len(rows), store.Digest(rows)
}

// TestEpochsAreFound: books with the numbers of an epoch pass; what can be wrong with them
// is found.
func TestEpochsAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*fake)
		named string
	}{
		"nothing":               {func(*fake) {}, ""},
		"one that was changed":  {func(f *fake) { v := 41.0; f.shown[4].Value, f.shown[4].High = &v, &v }, "not what was released"},
		"one that is not shown": {func(f *fake) { f.shown = f.shown[:4] }, "not what was released"},
		"none at all":           {func(f *fake) { f.shown = f.shown[:3]; sealed(f) }, "its plan has 3"},
		"another's noise":       {func(f *fake) { f.shown[4].Scale /= 2; sealed(f) }, "other noise"},
		"another's share":       {func(f *fake) { f.shown[4].Epsilon *= 2; sealed(f) }, "other noise"},
		"another cell":          {func(f *fake) { f.shown[3].Cell, f.shown[4].Cell = "b/", "b/"; sealed(f) }, "not of its plan"},
		"in another window":     {func(f *fake) { moved(f) }, "its plan has 1"},
		"a method without them": {func(f *fake) { f.entries[0].Method = 2 }, "its plan has 1"},
		"withdrawn": {func(f *fake) {
			f.shown[3] = f.shown[3].Withdraw("x")
			f.hidden = []books.Withdrawal{{Stream: "s", Start: noon.Add(11 * time.Hour), Measure: store.EpochBounded}}
		}, ""},
		"withdrawn by nobody": {func(f *fake) { f.shown[3] = f.shown[3].Withdraw("x") }, "not what was released"},
		"a refused day, all the same": {func(f *fake) {
			f.entries[0].Kind, f.entries[0].Cap, f.entries[0].Left = "refuse", 0.9, 0.9
		}, "units_epoch of a/ is published although the budget was refused"},
	} {
		t.Run(name, func(t *testing.T) {
			f := withEpoch(t)
			c.spoil(f)
			finds(t, f, c.named)
		})
	}
}

// moved has the epoch's numbers in the window before its last.
func moved(f *fake) {
	last := &f.releases[2]
	last.Start, last.End = last.Start.Add(-time.Hour), last.End.Add(-time.Hour)
	for n := 2; n < len(f.shown); n++ {
		f.shown[n].Start, f.shown[n].End = last.Start, last.End
	}
	sealed(f)
}
