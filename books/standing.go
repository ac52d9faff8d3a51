package books

// States of a decision, and of the series that it makes.
const (
	InForce   = "in_force"
	Past      = "past"
	Coming    = "coming"
	Suspended = "suspended"
)

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
