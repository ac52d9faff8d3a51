package simulate

import (
	"encoding/json"
	"time"

	"sluice/store"
)

// Report compares both sides; InForce is nil if there is none.
type Report struct {
	Draft, InForce *Side
	Start          time.Time
	Days           int
	// Proposal is nil for a stream about nobody: there is nothing to choose.
	Proposal *Proposal
	// Notes are sentences on what is not simulated.
	Notes []string
}

// MarshalJSON writes draft, in_force, start, days, proposal and notes, and the
// first four under the names of earlier versions too.
func (r *Report) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Draft      *Side     `json:"draft"`
		InForce    *Side     `json:"in_force"`
		Start      time.Time `json:"start"`
		Days       int       `json:"days"`
		Proposal   *Proposal `json:"proposal"`
		Notes      []string  `json:"notes"`
		OldDraft   *Side     `json:"Draft"`
		OldInForce *Side     `json:"InForce"`
		OldStart   time.Time `json:"Start"`
		OldDays    int       `json:"Days"`
	}{r.Draft, r.InForce, r.Start, r.Days, r.Proposal, append([]string{}, r.Notes...), r.Draft, r.InForce, r.Start,
		r.Days})
}

// Side is the result of one policy.
type Side struct {
	// Inside is the share of the published numbers whose interval holds what passed:
	// all that the sensors sent and the decision asks for, however often the same
	// unit came. It is nil where nothing is published.
	Inside *float64 `json:"inside"`
	// BiasShare is the mean of (published - passed) / passed over the published
	// numbers with anything that passed; nil where there are none.
	BiasShare *float64 `json:"bias_share"`
	// Published and Withheld are how many numbers were, over all measures, zones and
	// windows.
	Published int `json:"published"`
	Withheld  int `json:"withheld"`

	Name     string // draft or in force; Title says it in words
	Decision string
	Measures []Measure
	Hours    [24]Hour // by local hour of the day
	Dropped  []Dropped
	Budget   Budget
	Series   []Point // the busiest cell's first measure
	Unit     string
	Cell     string
}

// Title names the side, the draft or what is in force; nil is English.
func (s *Side) Title(sp Speech) string {
	if s.Name == nameInForce {
		return orEnglish(sp).Say("in force")
	}
	return orEnglish(sp).Say("draft")
}

// Sentence tells how often the shown intervals contain what passed, and by how much shown numbers are
// off on average; nil is English.
func (s *Side) Sentence(sp Speech) string {
	sp = orEnglish(sp)
	if s.Inside == nil {
		return sp.Say("Nothing is published.")
	}
	text := sp.Say("%.0f of 100 shown intervals hold what passed", 100**s.Inside)
	if s.BiasShare == nil {
		return text + "."
	}
	switch b := 100 * *s.BiasShare; {
	case b <= -.05:
		return text + sp.Say("; shown numbers are %.1f %% too low on average.", -b)
	case b >= .05:
		return text + sp.Say("; shown numbers are %.1f %% too high on average.", b)
	}
	return text + sp.Say("; shown numbers are right on average.")
}

// Measure is the accuracy of one number, over all cells.
type Measure struct {
	Name                        string
	Published, Withheld, NoData int
	// MeanError and P95Error are of published values, against what passed.
	// Covered is the share of published intervals that hold what could be counted:
	// who has used up its contributions is missing from it. Inside is the share of
	// those that hold what passed.
	MeanError, P95Error, Covered, Inside float64
}

// Hour is what happened in one hour of the day, over all days and zones.
type Hour struct {
	Units    int // different units, per zone
	Silenced int // of them, not counted because they had used up their contributions
}

// Dropped is a field of a kind that is dropped, and how many readings had it.
type Dropped struct {
	Kind, Field string
	Readings    int
}

// Budget is what one unit spends a day.
type Budget struct {
	PerDay, AllDecisions, Cap float64
	// DaysUntilCap is after how many simulated days the charter's budget was exhausted; 0 for
	// never.
	DaysUntilCap int
	Days         int
}

// Point is one window of the series that is drawn. Truth is what passed, Counted what of it is within
// the contributions and the bounds.
type Point struct {
	Start            time.Time
	Truth, Counted   float64
	Status           store.Status
	Value, Low, High float64
}
