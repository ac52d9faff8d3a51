package civil

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Period is an ISO 8601 duration as people write it in decisions: P5Y, P1D,
// PT15M. Years, months and days are calendar units; Clock is exact.
type Period struct {
	Years, Months, Days int
	Clock               time.Duration
}

var errPeriod = errors.New("not an ISO 8601 duration such as PT1H, P1D or P1Y")

// ParsePeriod reads the subset PnYnMnDTnHnMnS of ISO 8601-1:2019 section 5.5.2,
// whole numbers only, at least one component, components in order.
func ParsePeriod(s string) (Period, error) {
	var p Period
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || rest == "" {
		return p, errPeriod
	}
	date, clock, timed := strings.Cut(rest, "T")
	if timed && clock == "" {
		return p, errPeriod
	}
	if err := components(date, "YMWD", func(unit byte, n int) {
		switch unit {
		case 'Y':
			p.Years = n
		case 'M':
			p.Months = n
		case 'W':
			p.Days += 7 * n
		case 'D':
			p.Days += n
		}
	}); err != nil {
		return Period{}, err
	}
	if err := components(clock, "HMS", func(unit byte, n int) {
		p.Clock += time.Duration(n) * map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second}[unit]
	}); err != nil {
		return Period{}, err
	}
	return p, nil
}

func components(s, order string, set func(unit byte, n int)) error {
	for s != "" {
		end := strings.IndexAny(s, order)
		if end < 1 || end > 5 {
			return errPeriod
		}
		n, err := strconv.Atoi(s[:end])
		if err != nil || n < 0 || s[0] == '+' {
			return errPeriod
		}
		set(s[end], n)
		order = order[strings.IndexByte(order, s[end])+1:]
		s = s[end+1:]
	}
	return nil
}

// MustPeriod parses a constant.
func MustPeriod(s string) Period {
	p, err := ParsePeriod(s)
	if err != nil {
		panic("plan: bad period constant")
	}
	return p
}

// Nominal is the period's length with days of 24 hours, months of 30 days and
// years of 365 days. Windows and epochs use it only for periods of at most a
// day, where the Grid handles days of 23 and 25 hours.
func (p Period) Nominal() time.Duration {
	days := 365*p.Years + 30*p.Months + p.Days
	return time.Duration(days)*24*time.Hour + p.Clock
}

// AddTo adds the period to t by the calendar of t's location.
func (p Period) AddTo(t time.Time) time.Time {
	return t.AddDate(p.Years, p.Months, p.Days).Add(p.Clock)
}

// IsZero reports an absent or empty period.
func (p Period) IsZero() bool { return p == Period{} }

// String is the period in ISO 8601.
func (p Period) String() string {
	var b strings.Builder
	b.WriteByte('P')
	part := func(n int, unit string) {
		if n != 0 {
			fmt.Fprintf(&b, "%d%s", n, unit)
		}
	}
	part(p.Years, "Y")
	part(p.Months, "M")
	part(p.Days, "D")
	if p.Clock != 0 {
		b.WriteByte('T')
		part(int(p.Clock/time.Hour), "H")
		part(int(p.Clock%time.Hour/time.Minute), "M")
		part(int(p.Clock%time.Minute/time.Second), "S")
	}
	if b.Len() == 1 {
		return "PT0S"
	}
	return b.String()
}

// MarshalText writes ISO 8601.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads ISO 8601.
func (p *Period) UnmarshalText(b []byte) error {
	q, err := ParsePeriod(string(b))
	*p = q
	return err
}
