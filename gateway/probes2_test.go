package gateway

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/plan"
)

// TestBooksThatStandStill: public books that cannot be written, or hang, are said.
func TestBooksThatStandStill(t *testing.T) {
	g := &Gateway{log: slog.New(slog.DiscardHandler)}
	g.wrote(context.DeadlineExceeded)
	if said := g.booksCheck(); !strings.Contains(said, "public books cannot be written") {
		t.Errorf("it says %q", said)
	}
	g.wrote(nil)
	if said := g.booksCheck(); said != "" {
		t.Errorf("they are written, and it says %q", said)
	}
	g.booksAt = time.Now().Add(-slowBooks - time.Second)
	if said := g.booksCheck(); !strings.Contains(said, "have not been written for") {
		t.Errorf("they stand still, and it says %q", said)
	}
}

// TestNothingInForce: a policy whose decisions are all over, or all to come, is said.
func TestNothingInForce(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		from, until int // months from now
		want        string
	}{"in force": {-1, 1, ""}, "over": {-2, -1, "past its last day"}, "to come": {1, 2, "in force yet"}} {
		set := &compile.Set{Policy: &bundle.Policy{}, Streams: []*plan.Stream{{From: now.AddDate(0, c.from, 0), Until: now.AddDate(0, c.until, 0)}}}
		if said := outOfTime(set, now); (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: it says %q", name, said)
		}
	}
}
