package books

import (
	"fmt"
	"time"
)

// Archived is one line of archive.jsonl: what a gateway has released of a stream in a
// calendar month of its time zone, once that is final. SHA256 is that of the month's text
// (store/table): of its CSV file before compression, with this gateway's rows alone.
//
// A month has a line again when something in it was withdrawn since, or came late: it then
// names the line that it Replaces.
type Archived struct {
	N       int64     `json:"n"`
	At      time.Time `json:"at"` // in the gateway's time
	Gateway string    `json:"gateway"`
	// Names are those that the rows have where the gateway was renamed; else absent.
	Names    []string  `json:"names,omitempty"`
	Stream   string    `json:"stream"`
	Month    string    `json:"month"` // 2026-07
	Timezone string    `json:"timezone"`
	From     time.Time `json:"from"` // the month's first instant
	To       time.Time `json:"to"`   // the next month's
	// Windows is how many were released that start in it, and Lost how many of those the
	// store has lost for good. Withdrawals is how many lines withdrawals.jsonl had.
	Windows     int64  `json:"windows"`
	Lost        int64  `json:"lost,omitempty"`
	Withdrawals int64  `json:"withdrawals"`
	Rows        int64  `json:"rows"`
	SHA256      string `json:"sha256"`
	Replaces    int64  `json:"replaces,omitempty"`
	PrevSHA256  string `json:"prev_sha256"`
}

// ArchiveName is the file of these lines.
const ArchiveName = "archive.jsonl"

// Archived reads archive.jsonl.
func (r Reader) Archived() ([]Archived, error) { return lines[Archived](r, ArchiveName) }

// Has reports whether rows of a gateway are this line's.
func (a *Archived) Has(gateway string) bool {
	if gateway == a.Gateway {
		return true
	}
	for _, name := range a.Names {
		if name == gateway {
			return true
		}
	}
	return false
}

// MonthOf is the calendar month that an instant is in, and its first instant and that of
// the next.
func MonthOf(t time.Time, loc *time.Location) (name string, from, to time.Time) {
	t = t.In(loc)
	from = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, loc)
	to = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, loc)
	return t.Format("2006-01"), from.UTC(), to.UTC()
}

// Check reports what a line says that cannot be: of its month, its counts and its digest.
func (a *Archived) Check() error {
	loc, err := time.LoadLocation(a.Timezone)
	if err != nil || a.Timezone == "" || a.Timezone == "Local" {
		return fmt.Errorf("its time zone is unknown")
	}
	month, from, to := MonthOf(a.From, loc)
	switch {
	case month != a.Month || !from.Equal(a.From) || !to.Equal(a.To):
		return fmt.Errorf("from and to are not its month's in its time zone")
	case a.Windows < 1 || a.Lost < 0 || a.Lost > a.Windows || a.Rows < 0 || a.Withdrawals < 0:
		return fmt.Errorf("its counts cannot be")
	case len(a.SHA256) != 64:
		return fmt.Errorf("its digest is none")
	case a.Replaces < 0 || a.Replaces >= a.N:
		return fmt.Errorf("it replaces a line that is not before it")
	}
	return nil
}
