package books

import "time"

// States of a decision, and of the series that it makes.
const (
	InForce   = "in_force"
	Past      = "past"
	Coming    = "coming"
	Suspended = "suspended"
)

// What happens to a decision besides that it is suspended.
const (
	Decided   = "decided"
	Announced = "announced" // a change was voted and takes effect later
	Amended   = "changed"
	Lifted    = "lifted" // it is suspended no more
	Ended     = "ended"
)

// Happening is something that has happened to a decision: a line of its history, which stays
// as it was written.
type Happening struct {
	Kind string    `json:"kind"` // of the above, or suspended
	At   time.Time `json:"at"`   // when the books said it for the first time; of an end, when it came
	// Motion is the one that brought it; empty where none did, as in a simulation of an unsigned policy.
	Motion string `json:"motion,omitempty"`
	// Title, From and Until are the decision's, as it was then.
	Title map[string]string `json:"title"`
	From  string            `json:"from"`
	Until string            `json:"until"`
	// Begins is when an announced change takes effect; Changes what is or will be different, by
	// language, at most ten lines.
	Begins  time.Time           `json:"begins,omitzero"`
	Changes map[string][]string `json:"changes,omitempty"`
	// Since, By and Reason are as in Decision, of what was suspended or has ended.
	Since  string            `json:"since,omitempty"`
	By     string            `json:"by,omitempty"`
	Reason map[string]string `json:"reason,omitempty"`
}

// Unsaid is the language of a text of which the council has not said it (BCP 47).
const Unsaid = "und"

// What a suspended decision is stopped by.
const (
	ByCouncil = "council" // it has suspended it
	ByCharter = "charter" // it goes below the charter, so it is not run
	ByPolicy  = "policy"  // no policy is in force
)

// Standing is in which state a decision is, and so the series that it makes. It is empty
// where the books do not say it.
type Standing struct {
	State string
	// first day; of a coming one the first day on which it will be in force; empty where it is not
	// known
	Since  string
	By     string            // what a suspended one is stopped by
	Reason map[string]string // why the council has suspended it, by language
	Until  string            // the decision's last day
}

// Standing is the decision's.
func (d Decision) Standing() Standing {
	return Standing{State: d.State, Since: d.Since, By: d.By, Reason: d.Reason, Until: d.Until}
}

// Idle reports whether it is known that there will be no numbers today.
func (s Standing) Idle() bool { return s.State != "" && s.State != InForce }

// Early reports whether it ended before its last day.
func (s Standing) Early() bool { return s.State == Past && s.Since != "" && s.Since <= s.Until }

// LastDay is the last day of what has ended; empty where it is not known.
func (s Standing) LastDay() string {
	switch {
	case s.State != Past || s.Since == "":
		return ""
	case s.Early():
		return s.Since
	}
	return s.Until
}
