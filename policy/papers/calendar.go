package papers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/internal/civil"
	"sluice/policy/council"
	"sluice/policy/explain"
)

// event is a day of the calendar.
type event struct {
	what   string // with the motion, its identifier: the same day is one event however often it is sent
	day    civil.Date
	title  string
	remind int // days before; 0 for no reminder
}

// How many days before they are reminders of days that ask for work: as sluice motion show does.
const (
	remindReview = 30
	remindSunset = 60
)

// Calendar is an iCalendar file (RFC 5545) of the days that follow from the motion: the end of its
// notice, the last day to enact it, and of each of its decisions the review and the last day.
func (p *Papers) Calendar(l explain.Lang) []byte {
	var b strings.Builder
	line := func(name, value string) { fold(&b, name+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Sluice//motion//"+strings.ToUpper(l.String()))
	line("CALSCALE", "GREGORIAN")
	for _, e := range p.events(l) {
		sum := sha256.Sum256([]byte(p.City + "\n" + e.what))
		line("BEGIN", "VEVENT")
		line("UID", hex.EncodeToString(sum[:16])+"@sluice")
		line("DTSTAMP", p.Created.UTC().Format("20060102T150405Z"))
		line("DTSTART;VALUE=DATE", fmt.Sprintf("%04d%02d%02d", e.day.Year, e.day.Month, e.day.Day))
		line("SUMMARY", escaped(e.title))
		line("DESCRIPTION", escaped(say(l, "calendar.by", p.ID, p.Version, "sha256:"+council.Sum(p.Text))))
		line("TRANSP", "TRANSPARENT")
		if e.remind > 0 {
			line("BEGIN", "VALARM")
			line("ACTION", "DISPLAY")
			line("DESCRIPTION", escaped(e.title))
			line("TRIGGER", fmt.Sprintf("-P%dD", e.remind))
			line("END", "VALARM")
		}
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	return []byte(b.String())
}

func (p *Papers) events(l explain.Lang) (list []event) {
	city := explain.Plain(p.Policy.Charter.City.Name)
	add := func(what string, day civil.Date, remind int, title string) {
		list = append(list, event{what, day, title, remind})
	}
	if p.Standing.From.After(p.Created) {
		add("effect "+p.ID, dayOf(p.Standing.From, p.location()), 0, say(l, "calendar.effect", p.ID, city))
	}
	if p.Enacted == nil {
		// Expires is the instant from which it is void; what is left of the day before counts whole.
		add("expires "+p.ID, dayOf(p.Expires.Add(-time.Second), p.location()), 0,
			say(l, "calendar.expires", p.ID, city))
	}
	for i := range p.Policy.Decisions {
		d := &p.Policy.Decisions[i]
		title := explain.Plain(l.Title(d.Title))
		if d.Review != (civil.Date{}) {
			add("review "+d.Decision, d.Review, remindReview, say(l, "calendar.review", d.Decision, title, city))
		}
		add("sunset "+d.Decision, d.Until, remindSunset, say(l, "calendar.sunset", d.Decision, title, city))
	}
	return list
}

// escaped is text of RFC 5545, section 3.3.11.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r", "", "\n", `\n`).Replace(text)
}

// maxOctets is the length of a line without its end (RFC 5545, section 3.1).
const maxOctets = 75

// fold writes a line in pieces of at most 75 octets, none of which ends within a character.
func fold(b *strings.Builder, line string) {
	room := maxOctets
	for len(line) > room {
		n := room
		for n > 0 && !utf8.RuneStart(line[n]) {
			n--
		}
		b.WriteString(line[:n] + "\r\n ")
		line, room = line[n:], maxOctets-1
	}
	b.WriteString(line + "\r\n")
}
