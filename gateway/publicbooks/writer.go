// Package publicbooks writes the public books: what residents may read of the city, its
// decisions, its sensors and its ledger. They are made from the policy in force and from
// what the ledger keeps; what somebody else has done to them is undone and said.
package publicbooks

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sluice/books"
	"sluice/gateway/activation"
	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/council"
)

const (
	// slow is how long the books may stay as they are before that is said.
	slow = 30 * time.Second
	// lastTry is how long the last writing may take, when the gateway ends.
	lastTry = 1500 * time.Millisecond
)

// Sources are what the books are made from.
type Sources struct {
	Config *config.Config
	Ledger *ledger.Ledger
	Public books.Dir
	Housed *homes.Record
	// Fresh says that no ledger was here before; Trusted that this state directory is the
	// latest. A copy that has come further says that it is not, so that growing books are
	// left alone until it is known.
	Fresh   bool
	Trusted func() bool
	// View is which policy is in force; Report is of ingest.
	View   func() *activation.View
	Report func() ingest.Report
}

// Writer writes the public books. Its parts are of the one goroutine that runs it.
type Writer struct {
	src       Sources
	log       *slog.Logger
	wake      chan struct{} // there is something new
	files     *files
	lines     lines
	streams   streamsBook
	decisions decisionsBook
	register  registerBook

	mu    sync.Mutex
	wrong string    // why the books cannot be written; guarded by mu
	at    time.Time // when they were written last; guarded by mu
}

// New makes a Writer.
func New(src Sources, log *slog.Logger) *Writer {
	f := newFiles(src.Ledger.Files, src.Public, log)
	return &Writer{
		src: src, log: log, wake: make(chan struct{}, 1), files: f,
		lines: lines{
			files: f, ledger: src.Ledger, growing: make(map[string]*books.Growing), witness: src.Config.Witness,
			fresh:   src.Fresh,
			trusted: src.Trusted,
		},
		streams:   streamsBook{files: f, journal: src.Ledger.Journal, simulation: src.Config.Simulation},
		decisions: decisionsBook{files: f, texts: make(map[string]map[string]string)},
		register:  registerBook{files: f, housed: src.Housed},
	}
}

// Changed says that the books have something new, which Run writes soon.
func (w *Writer) Changed() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run writes the books whenever something has changed, at least every few seconds, and
// once more at the end.
func (w *Writer) Run(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		if err := w.Write(ctx); err == nil || ctx.Err() == nil {
			w.wrote(err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTry)
			defer cancel()
			if err := w.Write(last); err != nil {
				w.log.Warn("the public books could not be written at the end; the next start does it", "error", err)
			}
			return nil
		case <-w.wake:
			time.Sleep(20 * time.Millisecond) // several releases come together
		case <-tick.C:
		}
	}
}

// wrote notes how writing the books went, and says what is new about it.
func (w *Writer) wrote(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.wrong
	if err == nil {
		w.wrong, w.at = "", time.Now()
		return
	}
	if w.wrong = err.Error(); w.wrong != was {
		w.log.Warn("the public books cannot be written; they are tried again", "error", err)
	}
}

// Problem says why the books are not up to date; empty while they are.
func (w *Writer) Problem() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong != "" {
		return "the public books cannot be written: " + w.wrong
	}
	if d := time.Since(w.at); !w.at.IsZero() && d > slow {
		return fmt.Sprintf("the public books have not been written for %s; see whether the disk of the state "+
			"directory answers", d.Truncate(time.Second))
	}
	return ""
}

// Write writes the books once.
func (w *Writer) Write(ctx context.Context) error {
	defer w.files.logRestored()
	v, report := w.src.View(), w.src.Report()
	now := report.Now
	if now.IsZero() {
		now = time.Now() // before the first tick
	}
	if err := w.files.readKept(ctx); err != nil {
		return err
	}
	if err := w.files.putJSON("city.json", w.city(v, now)); err != nil {
		return err
	}
	var err error
	switch {
	case v.Latest != nil: // a policy has been in force
		err = w.writePolicy(ctx, v, report, now)
	case v.Coming != nil:
		err = w.writeFirst(ctx, v, report, now)
	}
	if err != nil {
		return err
	}
	if err := w.files.putKept(ctx); err != nil {
		return err
	}
	return w.lines.write(ctx)
}

// city says whose books these are, and why nothing flows.
func (w *Writer) city(v *activation.View, now time.Time) books.City {
	cfg := w.src.Config
	city := books.City{
		Gateway: cfg.Gateway, Name: "This city", Timezone: "UTC", Languages: []string{"en"}, Simulation: cfg.Simulation,
		Silence: activation.Silence(v.Latest, v.Running(), now),
	}
	if v.Latest != nil {
		city.Charter, city.Policy = council.Sum(v.Latest.Files["charter.yaml"]), v.Latest.Digest
	}
	if set := v.Told(); set != nil {
		c := set.Charter.City
		city.ID, city.Name, city.Timezone, city.Languages = c.ID, c.Name, c.Timezone, c.Languages
		named(&city, set.Policy)
	}
	return city
}

// writeFirst writes what the first motion will bring when its time has come.
func (w *Writer) writeFirst(ctx context.Context, v *activation.View, report ingest.Report, now time.Time) error {
	if err := w.files.put("zones.geojson", v.Coming.Set.Zones.GeoJSON()); err != nil {
		return err
	}
	return w.decisions.write(ctx, v, now, !report.Now.IsZero())
}

// writePolicy writes what the policy in force, or that was in force last, says.
func (w *Writer) writePolicy(ctx context.Context, v *activation.View, report ingest.Report, now time.Time) error {
	set := v.Latest
	if err := w.files.put("zones.geojson", set.Zones.GeoJSON()); err != nil {
		return err
	}
	if err := w.streams.keepPlans(ctx, v.Sets); err != nil {
		return err
	}
	if err := w.files.putKept(ctx); err != nil { // before anything names them
		return err
	}
	if err := w.streams.keepStreams(ctx, set); err != nil {
		return err
	}
	if err := w.decisions.write(ctx, v, now, !report.Now.IsZero()); err != nil {
		return err
	}
	return w.register.write(ctx, v, w.decisions.stood, report.Lives)
}
