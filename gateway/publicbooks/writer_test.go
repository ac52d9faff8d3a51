package publicbooks

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestBooksThatStandStill: public books that cannot be written, or hang, are said.
func TestBooksThatStandStill(t *testing.T) {
	w := &Writer{log: slog.New(slog.DiscardHandler)}
	w.wrote(context.DeadlineExceeded)
	if said := w.Problem(); !strings.Contains(said, "public books cannot be written") {
		t.Errorf("it says %q", said)
	}
	w.wrote(nil)
	if said := w.Problem(); said != "" {
		t.Errorf("they are written, and it says %q", said)
	}
	w.at = time.Now().Add(-slow - time.Second)
	if said := w.Problem(); !strings.Contains(said, "have not been written for") {
		t.Errorf("they stand still, and it says %q", said)
	}
}
