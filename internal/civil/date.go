package civil

import (
	"errors"
	"fmt"
	"time"
)

// NoDay is the error for a text that is not a calendar day.
const NoDay = "not a date such as 2026-12-01"

// Date is a local day, YYYY-MM-DD.
type Date struct{ Year, Month, Day int }

// UnmarshalText reads YYYY-MM-DD.
func (d *Date) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return errors.New(NoDay)
	}
	d.Year, d.Month, d.Day = t.Year(), int(t.Month()), t.Day()
	return nil
}

// MarshalText writes YYYY-MM-DD, or nothing for no date.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Date) String() string {
	if d == (Date{}) {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// Start is the first instant of the day in loc.
func (d Date) Start(loc *time.Location) time.Time {
	return Midnight(d.Year, time.Month(d.Month), d.Day, loc)
}

// End is the first instant after the day in loc.
func (d Date) End(loc *time.Location) time.Time {
	return Midnight(d.Year, time.Month(d.Month), d.Day+1, loc)
}
