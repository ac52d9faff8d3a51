package i18n

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/locales"
)

// calendar are the names of days and months, as they stand in a date.
type calendar struct {
	days, shortDays     [7]string // Sunday first
	months, shortMonths [12]string
	day                 string // weekday, day, month, year
}

func newCalendar(l *locales.Localizer) (a calendar) {
	word := func(key string) string { return l.Say("dates." + key) }
	for i := range a.days {
		n := strconv.Itoa(i)
		a.days[i], a.shortDays[i] = word("day."+n), word("short-day."+n)
	}
	for i := range a.months {
		n := strconv.Itoa(i + 1)
		a.months[i], a.shortMonths[i] = word("month."+n), word("short-month."+n)
	}
	a.day = word("form")
	return a
}

// Day is a local day: Monday, 2 March 2026.
func (l *Localizer) Day(t time.Time) string {
	a := l.calendar
	return fmt.Sprintf(a.day, a.days[t.Weekday()], t.Day(), a.months[t.Month()-1], t.Year())
}

// ShortDay is a local day where there is little room: Mon 2 Mar.
func (l *Localizer) ShortDay(t time.Time) string {
	a := l.calendar
	return fmt.Sprintf("%s %d %s", a.shortDays[t.Weekday()], t.Day(), a.shortMonths[t.Month()-1])
}

// Clock is a local time of day: 15:04.
func (l *Localizer) Clock(t time.Time) string { return t.Format("15:04") }

// Date is a day of the calendar, written 2026-03-02, in words; what is none stays.
func (l *Localizer) Date(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return l.Day(t)
}

// DayMonth is a local day without its year and weekday: 2 Mar.
func (l *Localizer) DayMonth(t time.Time) string {
	return fmt.Sprintf("%d %s", t.Day(), l.calendar.shortMonths[t.Month()-1])
}

// Month is a local month where there is little room: Mar, and with its year in January.
func (l *Localizer) Month(t time.Time) string {
	name := l.calendar.shortMonths[t.Month()-1]
	if t.Month() == time.January {
		name += " " + strconv.Itoa(t.Year())
	}
	return name
}

// Weekday is the day of the week, as it stands in a sentence.
func (l *Localizer) Weekday(t time.Time) string { return l.calendar.days[t.Weekday()] }

// Period is an ISO 8601 period in words, such as 5 years; what is none, as it is.
func (l *Localizer) Period(period string) string {
	p, err := civil.ParsePeriod(period)
	if err != nil || p.IsZero() {
		return period
	}
	var parts []string
	for _, x := range []struct {
		n    int
		unit string
	}{
		{p.Years, "year"}, {p.Months, "month"}, {p.Days, "day"}, {int(p.Clock / time.Hour), "hour"},
		{int(p.Clock % time.Hour / time.Minute), "minute"}, {int(p.Clock % time.Minute / time.Second), "second"},
	} {
		if x.n != 0 {
			parts = append(parts, l.Number(float64(x.n))+" "+l.local.Say(l.local.Form("explain.span."+x.unit, x.n)))
		}
	}
	return strings.Join(parts, ", ")
}
