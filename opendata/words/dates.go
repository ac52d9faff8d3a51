package words

import (
	"fmt"
	"time"
)

// almanac are the names of days and months, as they stand in a date.
type almanac struct {
	days, shortDays     [7]string // Sunday first
	months, shortMonths [12]string
	day                 string // weekday, day, month, year
}

var almanacs = map[string]almanac{
	"en": {
		[7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		[7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
		[12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		[12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		"%s, %d %s %d",
	},
	"ca": {
		[7]string{"diumenge", "dilluns", "dimarts", "dimecres", "dijous", "divendres", "dissabte"},
		[7]string{"dg.", "dl.", "dt.", "dc.", "dj.", "dv.", "ds."},
		[12]string{"de gener", "de febrer", "de març", "d’abril", "de maig", "de juny", "de juliol", "d’agost", "de setembre", "d’octubre", "de novembre", "de desembre"},
		[12]string{"gen.", "febr.", "març", "abr.", "maig", "juny", "jul.", "ag.", "set.", "oct.", "nov.", "des."},
		"%s, %d %s de %d",
	},
	"es": {
		[7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		[7]string{"dom", "lun", "mar", "mié", "jue", "vie", "sáb"},
		[12]string{"de enero", "de febrero", "de marzo", "de abril", "de mayo", "de junio", "de julio", "de agosto", "de septiembre", "de octubre", "de noviembre", "de diciembre"},
		[12]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"},
		"%s, %d %s de %d",
	},
}

// Day is a local day: Monday, 2 March 2026.
func (s *Speaker) Day(t time.Time) string {
	a := s.almanac
	return fmt.Sprintf(a.day, a.days[t.Weekday()], t.Day(), a.months[t.Month()-1], t.Year())
}

// ShortDay is a local day where there is little room: Mon 2 Mar.
func (s *Speaker) ShortDay(t time.Time) string {
	a := s.almanac
	return fmt.Sprintf("%s %d %s", a.shortDays[t.Weekday()], t.Day(), a.shortMonths[t.Month()-1])
}

// Clock is a local time of day: 15:04.
func (s *Speaker) Clock(t time.Time) string { return t.Format("15:04") }

// Date is a day of the calendar, written 2026-03-02, in words; what is none stays.
func (s *Speaker) Date(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return s.Day(t)
}
