// Package retention says for how long published numbers are kept, as a decision does, by the
// length of the windows that they are of:
//
//	retain: P5Y                           # all of them
//	retain: {hours: P2Y, days: forever}   # windows shorter than a day, and days
//
// A term is a period (ISO 8601) or the word forever. It begins when the window ends, and is
// counted in years, months and days of UTC, so that everybody comes to the same instant.
package retention

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"sluice/internal/civil"
)

// Forever is the word for a term that does not end.
const Forever = "forever"

// day is the length from which on a window is a day's.
const day = 24 * time.Hour

// ErrTerm says what a term is.
var ErrTerm = errors.New("a time to keep numbers is a period such as P2Y, or forever")

// errForm says what retain is.
var errForm = errors.New("retain is a period such as P5Y, or {hours: P2Y, days: forever}: how long numbers of " +
	"windows shorter than a day are kept, and how long those of days")

// Term is for how long numbers are kept. The zero Term says nothing: they are kept.
type Term struct {
	Period  civil.Period
	Forever bool
}

// ParseTerm reads a period, or forever.
func ParseTerm(s string) (Term, error) {
	if s == Forever {
		return Term{Forever: true}, nil
	}
	p, err := civil.ParsePeriod(s)
	if err != nil || p.IsZero() {
		return Term{}, ErrTerm
	}
	return Term{Period: p}, nil
}

// IsZero reports whether nothing is said.
func (t Term) IsZero() bool { return t == Term{} }

// Ends reports whether numbers are removed some day.
func (t Term) Ends() bool { return !t.Period.IsZero() }

// Of is when the time of a window that ended at an instant is over. It is asked of a Term
// that Ends.
func (t Term) Of(end time.Time) time.Time { return t.Period.AddTo(end.UTC()) }

// Most is no shorter than the Term and the day until the midnight behind it: years have 366
// days, and months 31.
func (t Term) Most() time.Duration {
	p := t.Period
	return time.Duration(366*p.Years+31*p.Months+p.Days+1)*day + p.Clock
}

// Over is the latest midnight of a place with which the time of all that ended by then is
// over; zero where there is none, or the Term does not end.
func (t Term) Over(now time.Time, loc *time.Location) time.Time {
	if !t.Ends() || now.IsZero() {
		return time.Time{}
	}
	p := t.Period
	y, m, d := now.UTC().AddDate(-p.Years, -p.Months, -p.Days).Add(-p.Clock).In(loc).Date()
	// Months are of different lengths, so that there and back is not the same day.
	for back := -3; back < 6; back++ {
		if at := civil.Midnight(y, m, d-back, loc); !t.Of(at).After(now) {
			return at
		}
	}
	return time.Time{}
}

// Longer reports whether a term is longer than another one; what is not said is kept.
func (t Term) Longer(than Term) bool {
	if !than.Ends() || !t.Ends() {
		return than.Ends()
	}
	return t.Period.Nominal() > than.Period.Nominal()
}

// String is the term as it is written; empty for none.
func (t Term) String() string {
	switch {
	case t.Forever:
		return Forever
	case t.IsZero():
		return ""
	}
	return t.Period.String()
}

// MarshalText writes the term.
func (t Term) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a term.
func (t *Term) UnmarshalText(b []byte) (err error) {
	*t, err = ParseTerm(string(b))
	return err
}

// Retention are the terms of one decision.
type Retention struct {
	Hours Term // of windows shorter than a day
	Days  Term // of a day's windows
	// Apart: they were written each for itself.
	Apart bool
}

// IsDay reports whether windows of a length are days.
func IsDay(every civil.Period) bool { return every.Nominal() >= day }

// For is the term of windows of a length.
func (r Retention) For(every civil.Period) Term {
	if IsDay(every) {
		return r.Days
	}
	return r.Hours
}

// IsZero reports whether nothing is said.
func (r Retention) IsZero() bool { return r == Retention{} }

// apart is the second form.
type apart struct {
	Hours Term `yaml:"hours" json:"hours,omitzero"`
	Days  Term `yaml:"days" json:"days,omitzero"`
}

// UnmarshalYAML reads either form.
func (r *Retention) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil {
		t, err := ParseTerm(word)
		*r = Retention{Hours: t, Days: t}
		return err
	}
	var two apart
	if err := unmarshal(&two); err != nil {
		return err
	}
	if two.Hours.IsZero() && two.Days.IsZero() {
		return errForm
	}
	*r = Retention{two.Hours, two.Days, true}
	return nil
}

// MarshalJSON writes the form that was read; a decision that says nothing writes PT0S, as
// rules have always seen it.
func (r Retention) MarshalJSON() ([]byte, error) {
	switch {
	case r.Apart:
		return json.Marshal(apart{r.Hours, r.Days})
	case r.IsZero():
		return json.Marshal(civil.Period{})
	}
	return json.Marshal(r.Hours.String())
}

// FromYAML finds the terms in a decision's text: a key at the beginning of a line is at the
// top level of the document.
func FromYAML(text string) Retention {
	value, found := "", false
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " #")
		key, rest, is := strings.Cut(line, ":")
		is = is && !strings.HasPrefix(line, " ") && strings.Trim(key, " \"'") == "retain"
		switch {
		case is:
			value, found = rest, true
		case found && strings.Trim(line, " \t\r\n") == "", strings.HasPrefix(line, "#"):
		case found && !strings.HasPrefix(line, " "):
			return fromText(value)
		case found:
			value += " " + line
		}
	}
	return fromText(value)
}

// fromText reads what stands behind retain, in either form and any style.
func fromText(value string) Retention {
	words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\r\n{},:\"'", r) })
	if len(words) == 1 {
		t, _ := ParseTerm(words[0])
		return Retention{Hours: t, Days: t}
	}
	r := Retention{Apart: true}
	for i := 0; i+1 < len(words); i += 2 {
		t, _ := ParseTerm(words[i+1])
		switch words[i] {
		case "hours":
			r.Hours = t
		case "days":
			r.Days = t
		}
	}
	if r.Hours.IsZero() && r.Days.IsZero() {
		return Retention{}
	}
	return r
}
