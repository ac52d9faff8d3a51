package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"sluice/books"
	"sluice/internal/retention"
	"sluice/store/influx"
)

// kept examines how long the bucket keeps numbers, beside what the decisions say: a bucket has
// one time for all, and Sluice deletes nothing there.
func (d *machine) kept(ctx context.Context, s *influx.Store) {
	longest, shortest, err := terms(books.Reader{Source: books.Dir(filepath.Join(d.cfg.Dir, "public"))})
	if errors.Is(err, fs.ErrNotExist) || err == nil && shortest.IsZero() {
		return // nothing is to be removed, or there are no books yet
	}
	if err != nil {
		d.say("retention", Warn, "the public books do not say for how long numbers are kept", "see the check books")
		return
	}
	bucket, err := s.Kept(ctx)
	if err != nil {
		d.say("retention", Warn, err.Error(), "let the token read the bucket, so that its retention can be compared")
		return
	}
	d.compare(bucket, longest, shortest)
}

// compare holds a bucket's retention, 0 for ever, against the longest and the shortest time that
// decisions name.
func (d *machine) compare(bucket time.Duration, longest, shortest retention.Term) {
	want := fmt.Sprintf("%dh", longest.Most()/time.Hour)
	switch {
	case bucket > 0 && !longest.Ends():
		d.say("retention", Fail, "the bucket loses numbers after "+bucket.String()+", and decisions keep some for ever",
			"give the bucket no end: influx bucket update --retention 0, or DURATION INF with InfluxDB 1.8")
	case bucket > 0 && bucket < longest.Most():
		d.say("retention", Fail, "the bucket loses numbers after "+bucket.String()+", and a decision keeps them for "+
			longest.String(), "set its retention to "+want)
	case !longest.Ends() || longest.Longer(shortest):
		d.say("retention", Warn, "a bucket has one time for all: numbers that a decision keeps for "+shortest.String()+
			" are shown to nobody after that, and stay in InfluxDB",
			"delete them there by hand, or keep the store in SQLite, where they are removed (docs/operations.md)")
	case bucket == 0 || bucket > longest.Most()+31*24*time.Hour:
		d.say("retention", Warn, "the bucket keeps numbers for longer than "+longest.String()+
			"; they are shown to nobody after that, and stay in InfluxDB", "set its retention to "+want)
	default:
		d.say("retention", Fine, "the bucket keeps numbers as the decisions do", "")
	}
}

// terms are the longest and the shortest time for which the decisions of the books keep what
// they publish; the shortest is zero where nothing is ever to be removed.
func terms(r books.Reader) (longest, shortest retention.Term, err error) {
	decisions, err := r.Decisions()
	if err != nil {
		return longest, shortest, err
	}
	for _, decision := range decisions {
		of := retention.FromYAML(decision.YAML)
		for _, term := range []retention.Term{of.Hours, of.Days} {
			switch {
			case term.IsZero() && !of.IsZero():
				continue // it says it of the others only, and has no more
			case !term.Ends():
				term = retention.Term{Forever: true}
			case shortest.IsZero() || shortest.Longer(term):
				shortest = term
			}
			if longest.IsZero() || term.Longer(longest) {
				longest = term
			}
		}
	}
	return longest, shortest, nil
}
