package web

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// reached says of each gateway that has some of a series' zones, beside which zones these
// are, what is to be said of its last epoch.
func (w *Web) reached(s *i18n.Localizer, st query.Stream, list []query.Epoch) (string, error) {
	if len(list) == 0 {
		return reached(s, st, nil), nil
	}
	zoneMap, err := w.zoneMap(s.Code)
	if err != nil {
		return "", err
	}
	var said []string
	for n := range list {
		text := sentence(reached(s, st, &list[n]))
		var names []string
		for _, zone := range list[n].Zones {
			names = append(names, zoneName(zoneMap, zone))
		}
		if len(names) > 0 && text != "" {
			text = strings.Join(names, ", ") + " – " + text
		}
		said = append(said, text)
	}
	return strings.Join(said, " "), nil
}

// reached says beside an interval, which is about what was counted, how much was not: which
// share of the units of an epoch reached their bound. Before anything is known it says that.
func reached(s *i18n.Localizer, st query.Stream, e *query.Epoch) string {
	if st.ShareFrom == 0 {
		return ""
	}
	units, most := s.Unit(st.Unit, 2), int(st.MaxContributions)
	if e == nil {
		return s.Say("How many %s reach the limit of %d and are not counted after that is not known yet; it is "+
			"published when the first day, or shorter time, has ended in which they are told apart.", units, most)
	}
	from, to := local(e.Start, st.Timezone), local(e.End, st.Timezone)
	when := s.Day(from)
	if e.End.Sub(e.Start) < 23*time.Hour {
		when = s.Say("%s, %s to %s", when, s.Clock(from), s.Clock(to))
	}
	share := e.Share()
	switch {
	case !e.Known():
		return s.Say("%s: it was not published how many %s reached the limit of %d and were not counted after that.",
			when, units, most)
	case share == nil:
		return s.Say("%s: there were too few %s to say how many reached the limit of %d and were not counted after "+
			"that; it is said from %s %d on.", when, units, most, s.Agree("about", st.Unit, 2), int(st.ShareFrom))
	}
	percent := func(v float64) string { return s.Number(100 * v) }
	return s.Say(
		"%s: %s %% of %s (%s to %s %%, in 95 of 100 cases) reached the limit of %d and were not counted after that.",
		when, percent(share.Value), units, percent(share.Low), percent(share.High), most)
}

// sentence begins a text with a large letter: days are small ones in Catalan and Spanish.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}
