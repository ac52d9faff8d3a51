// Package activation says which policy is in force.
package activation

import (
	"slices"
	"time"

	"sluice/gateway/homes"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/rego"
	"sluice/register"
)

// View is which policy is in force at an instant, and what is known of those before. It
// does not change, nor does anything in it: what changes is another View.
type View struct {
	// Current is in force, nil for none; Latest was in force last, nil where none ever was.
	Current, Latest *compile.Set
	// Enacted is the motion in force, nil for none or in an unsigned directory; Coming is one
	// that has its quorum and waits for its time, nil for none.
	Enacted *council.Enacted
	Coming  *Announced
	// Sets are all policies that open windows may have run under, and of earlier ones the
	// words, by digest.
	Sets map[string]*compile.Set
	// Versions are how many policies were in force so far.
	Versions int
	// Homes are the kinds of sensor that have stood for somebody.
	Homes homes.Known
	// Register is the one that plans were made of last.
	Register *register.Register
	// Problem is what is wrong with the policy that should be in force; nil when nothing is.
	Problem error
	// Unread is why register, passwords or certificates cannot be used as they are now; nil
	// where they are in force.
	Unread error
	// Idle says by digest why a decision is not run; Withheld why release rules gave no
	// answer. Refused are policies that were refused since the start.
	Idle     map[string]string
	Withheld string
	Refused  map[rego.Code]int
}

// Announced is a motion that takes effect later.
type Announced struct {
	Motion *council.Enacted
	Set    *compile.Set
}

// Running reports whether a policy is in force.
func (v *View) Running() bool { return v.Current != nil }

// Told is the policy whose words residents are told: what was in force last, or, before any was, what
// is to come; nil for none.
func (v *View) Told() *compile.Set {
	if v.Latest == nil && v.Coming != nil {
		return v.Coming.Set
	}
	return v.Latest
}

// Location is the city's; nil before any policy.
func (v *View) Location() *time.Location {
	if v.Latest == nil {
		return nil
	}
	return v.Latest.Location
}

// Cells are those of this gateway's streams, by stream.
func (v *View) Cells() map[string]map[string]bool {
	out := make(map[string]map[string]bool)
	for _, set := range v.Sets {
		for _, s := range set.Streams {
			if out[s.ID] == nil {
				out[s.ID] = make(map[string]bool)
			}
			for _, c := range s.Cells {
				out[s.ID][c.ID()] = true
			}
		}
	}
	return out
}

// SomeCells are, by stream, up to limit cells of each policy: as many as it takes to find a
// window that was released under any of them, since each window has all cells of its own.
func (v *View) SomeCells(limit int) map[string][]string {
	out := make(map[string][]string)
	for _, set := range v.Sets {
		for _, s := range set.Streams {
			for _, c := range s.Cells[:min(len(s.Cells), limit)] {
				if id := c.ID(); !slices.Contains(out[s.ID], id) {
					out[s.ID] = append(out[s.ID], id)
				}
			}
		}
	}
	return out
}

// Words are the decisions with their words at another time, in whichever policy has
// them; nil where none has.
func (v *View) Words(id, yaml string) (*compile.Set, *bundle.Decision) {
	for _, set := range v.Sets {
		if d := set.Decision(id); d != nil && string(d.YAML) == yaml {
			return set, d
		}
	}
	return nil, nil
}
