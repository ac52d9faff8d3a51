package publicbooks

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/plan"
	"sluice/policy/compile"
	"sluice/policy/explain"
	"sluice/policy/mechanism"
)

// licence under which released observations are published.
const licence = "CC0-1.0"

// streamsBook is streams.json and the plans that lines of the ledger name.
type streamsBook struct {
	files      *files
	journal    ledger.Journal
	simulation bool
	set        *compile.Set   // that described is of
	described  []books.Stream // all there are and were
	kept       []books.Stream // those of them that were kept last under set; nil for none yet
}

// keepPlans keeps what each decision meant, for ever: lines of the ledger name
// plans by their digests.
func (b *streamsBook) keepPlans(ctx context.Context, sets map[string]*compile.Set) error {
	todo := make(map[string][]byte)
	for _, set := range sets {
		for _, s := range set.Streams {
			if name := "plans/" + s.Digest + ".json"; b.files.kept[name] == "" {
				todo[name] = s.Canonical()
			}
		}
	}
	for name, raw := range todo {
		if err := b.files.keep(ctx, name, raw); err != nil {
			return err
		}
	}
	return nil
}

func (b *streamsBook) list(set *compile.Set) ([]books.Stream, error) {
	list := []books.Stream{}
	for _, s := range set.Streams {
		mech, err := mechanism.New(s)
		if err != nil {
			return nil, err
		}
		entry := books.Stream{
			ID: s.ID, Title: s.Title, Every: s.Every.String(), Timezone: s.Timezone, Unit: s.Unit.StandsFor,
			Decision: s.Decision, Plan: s.Digest, Licence: licence, Simulation: b.simulation,
			From: s.From.Format(time.RFC3339), Until: s.Until.Format(time.RFC3339),
			Floor: string(s.Protect.Floor), Membership: string(s.Protect.Membership),
			CategoryField: s.Category.Field, Of: s.Of,
		}
		if s.Of != "" {
			entry.Title = explain.DaysOf(s.Title)
		}
		own := set.Decision(s.Decision)
		if own != nil {
			entry.Purpose = own.Purpose
		}
		if entry.ShareFrom = mech.ShareFrom(); entry.ShareFrom > 0 {
			entry.MaxContributions, entry.Epoch = s.Protect.MaxContributions, s.Forget.String()
		}
		for _, m := range s.Measures {
			for _, part := range m.Parts() {
				measure := books.Measure{
					Name: part.Name, Unit: m.Unit, Of: m.Expression(), PublicFrom: mech.PublicFrom(),
					TypicalError: mech.TypicalError(m),
				}
				if m.Of == plan.Histogram {
					measure.Group, measure.Class = m.Name, []float64{part.Low, part.High}
				}
				if own != nil {
					documented(&measure, own.Document, m.Name, s.Every)
				}
				entry.Measures = append(entry.Measures, measure)
			}
		}
		for _, c := range s.Cells {
			entry.Cells = append(entry.Cells, books.Cell{ID: c.ID(), Zone: c.Zone, Category: c.Category})
		}
		list = append(list, entry)
	}
	return list, nil
}

// keepStreams keeps what the policy's streams are, and behind them those that were there
// before and are not run any more: what they have released is public, and only their
// description says what it is. While the policy stays, only a stopped stream that has come to
// have released something, or has nothing any more, changes what is kept.
func (b *streamsBook) keepStreams(ctx context.Context, set *compile.Set) error {
	if set != b.set {
		if err := b.describe(ctx, set); err != nil {
			return err
		}
	}
	through, err := b.journal.Resume(ctx)
	if err != nil {
		return err
	}
	list := withReleases(b.described, through)
	if b.kept != nil && slices.EqualFunc(list, b.kept, func(x, y books.Stream) bool { return x.ID == y.ID }) {
		return nil
	}
	raw, err := books.JSON(list)
	if err != nil {
		return err
	}
	if err := b.files.keep(ctx, streamsName, raw); err != nil {
		return err
	}
	b.kept = list
	return nil
}

// describe describes the streams of a policy and those of before.
func (b *streamsBook) describe(ctx context.Context, set *compile.Set) error {
	streams, err := b.list(set)
	if err != nil {
		return err
	}
	if b.described == nil {
		raw, err := b.files.ledger.Get(ctx, streamsName)
		if err != nil {
			return err
		}
		if raw != nil {
			if err := json.Unmarshal(raw, &b.described); err != nil {
				return err
			}
		}
	}
	b.set, b.described, b.kept = set, withPast(streams, b.described), nil
	return nil
}

// withReleases leaves out what is not run and has released nothing, such as what was
// taken out before its first day: nobody can have read of it.
func withReleases(streams []books.Stream, through map[string]time.Time) []books.Stream {
	return slices.DeleteFunc(slices.Clone(streams), func(s books.Stream) bool {
		_, released := through[s.ID]
		return s.Stopped && !released
	})
}

// withPast are streams, and of those before them whose ids they do not have.
func withPast(streams, before []books.Stream) []books.Stream {
	out := slices.Clone(streams)
	for _, old := range before {
		if !slices.ContainsFunc(streams, func(s books.Stream) bool { return s.ID == old.ID }) {
			old.Stopped = true
			out = append(out, old)
		}
	}
	return out
}
