package ledger

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestSentIsBounded: the latest of what was delivered is kept, and no more than there
// is room for.
func TestSentIsBounded(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), 1<<40)
	big := strings.Repeat("x", 1<<20)
	for n := range 80 {
		if _, err := l.db.ExecContext(t.Context(), "INSERT INTO outbox (stream, start, rows) VALUES ('b', ?, ?)", n,
			big); err != nil {
			t.Fatal(err)
		}
	}
	for _, seq := range []int64{10, 80} {
		if err := l.Outbox.Delivered(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	var parcels, bytes, kept, first int64
	if err := l.db.QueryRowContext(t.Context(),
		"SELECT count(*), sum(octet_length(rows)), (SELECT bytes FROM sent_size), min(start) FROM sent").Scan(&parcels,
		&bytes, &kept, &first); err != nil {
		t.Fatal(err)
	}
	if bytes > maxSent || bytes < maxSent/2 || kept != bytes || first != 80-parcels {
		t.Errorf("%d parcels of %d bytes (said: %d) are kept, from %d on", parcels, bytes, kept, first)
	}
	if n, size, err := l.Outbox.Waiting(t.Context()); n != 0 || size != 0 || err != nil {
		t.Errorf("%d parcels of %d bytes wait, %v", n, size, err)
	}
}
