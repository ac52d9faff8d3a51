package ledger

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoad: what is carried at a time is bounded by bytes, and one large parcel travels
// alone.
func TestLoad(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), 1<<30)
	for _, size := range []int{maxLoad * 2, maxLoad / 2, maxLoad / 4, maxLoad / 2, 10} {
		raw := "[" + strings.Repeat(" ", size) + "]"
		_, err := l.db.ExecContext(ctx, "INSERT INTO outbox (stream, start, rows) VALUES ('s', 0, ?)", raw)
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{1, 2, 2, 0} {
		list, err := l.Outbox.Next(ctx, 64)
		if err != nil || len(list) != want {
			t.Fatalf("%d parcels (%v); want %d", len(list), err, want)
		}
		if want == 0 {
			return
		}
		if err := l.Outbox.Delivered(ctx, list[len(list)-1].Seq); err != nil {
			t.Fatal(err)
		}
	}
}
