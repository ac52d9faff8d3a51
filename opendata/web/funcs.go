package web

import (
	"html"
	"html/template"
	"maps"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/api"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/store"
)

// funcs are the functions of the templates, in one language.
func (w *Web) funcs(v locale) template.FuncMap {
	s := w.speak[v.lang]
	all := template.FuncMap{
		"lang": func() string { return s.Code },
		"t":    s.Say,
		"num":  s.Number,
		"size": func(z api.Size) string { return size(s, z) },
		"value": func(o *store.Observation) string {
			if !published(o) {
				return ""
			}
			return s.Amount(*o.Value, o.Unit)
		},
		"interval": func(o *store.Observation) string { return interval(s, o) },
		"reached":  func(st query.Stream, list []query.Epoch) (string, error) { return w.reached(s, st, list) },
		"status":   func(o *store.Observation) string { return status(s, o) },
		"unit":     func(unit string, v float64) string { return w.words(s).Unit(unit, v) },
		"purpose":  func(id string) string { return w.words(s).Purpose(id) },
		"kind":     func(id string) string { return w.words(s).Kind(id) },
		"field":    func(kind, name string) string { return w.words(s).Field(kind, name) },
		"category": func(field, value string) string { return w.words(s).Category(field, value) },
		"each":     s.Each,
		"title":    func(by map[string]string) template.HTML { return inLanguage(s, by) },
		"plain":    func(by map[string]string) string { t, _ := s.Title(by); return t },
		"what":     func(m books.Measure) string { return w.words(s).Measure(m) },
		"name":     func(m books.Measure) string { return w.words(s).MeasureName(m) },
		"of":       func(m books.Measure) string { return of(s, m) },
		"every":    func(p string) string { return s.Every(p, query.Length(p)) },
		"day":      func(t time.Time, zone string) string { return s.Day(local(t, zone)) },
		"short":    func(t time.Time, zone string) string { return s.ShortDay(local(t, zone)) },
		"clock":    func(t time.Time, zone string) string { return s.Clock(local(t, zone)) },
		"utc":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"date":     s.Date,
		"zone":     func(id string) (string, error) { return w.zone(s, id) },
		"fate":     func(word string) string { return fate(s, word) },
		"agree":    s.Agree,
		"at":       s.At,
		"amount":   func(v *float64, unit string) string { return s.Amount(*v, unit) },
		"state":    s.State,
		"since":    s.StateSince,
		"standing": s.Standing,
		"reason":   func(st books.Standing) template.HTML { return stateReason(s, st) },
		"look":     look,
		"when":     func(t *times) string { return w.when(s, t) },
		"limit":    func(x books.Limit) string { return w.words(s).Limit(x) },
		"say":      func(word string) string { return s.Say(word) },
		"silence":  func(code string) string { return silence(s, code) },
		"life":     func(x books.Sensor) string { return s.Say(x.Life()) },
		"system":   func(preset string) string { return system(s, preset) },
		"href":     v.href,
		"api":      link,
		"snippet":  func(base string, p *streamPage) string { return w.snippet(s, base, p) },
	}
	maps.Copy(all, w.viewFuncs(s))
	maps.Copy(all, archiveFuncs(s))
	return all
}

// viewFuncs are those of a stream's page.
func (w *Web) viewFuncs(s *i18n.Localizer) template.FuncMap {
	return template.FuncMap{
		"entry":   func(e entry) string { return text(s, e) },
		"extent":  func(e entry) string { return extent(s, e) },
		"span":    func(span string) string { return spanName(s, span) },
		"during":  func(p *view) string { return during(s, p) },
		"banded":  func(p *view) string { return banded(s, p) },
		"behind":  func(p *view) string { return behind(s, p) },
		"between": func(st query.Stream, o *store.Observation) string { return between(s, st, o) },
		"hidden":  func(p *view, o *store.Observation) string { return hidden(s, p, o) },
		"usual":   func(st query.Stream, a *answer) string { return usual(s, st, a) },
		"against": func(st query.Stream, a *answer, l books.Limit) string { return against(w.words(s), s, st, a, l) },
	}
}

// href is an address with the language, if the page's has one.
func (v locale) href(path string, pairs ...string) string {
	if v.asked {
		pairs = append(pairs, "lang", v.lang)
	}
	return link(path, pairs...)
}

// published reports whether an observation has a number.
func published(o *store.Observation) bool {
	return o != nil && o.Status == store.Published && o.Value != nil && o.Low != nil && o.High != nil
}

// inLanguage marks a text that is not in the page's language (WCAG 2.2, 3.1.2).
func inLanguage(s *i18n.Localizer, by map[string]string) template.HTML {
	text, code := s.Title(by)
	text = html.EscapeString(text)
	if code == s.Code || code == "" {
		return template.HTML(text) //nolint:gosec // escaped above
	}
	return template.HTML(`<span lang="` + html.EscapeString(code) + `">` + text + `</span>`) //nolint:gosec // escaped
}

func interval(s *i18n.Localizer, o *store.Observation) string {
	switch {
	case !published(o):
		return ""
	case *o.Low == *o.High:
		return s.Say("exact")
	}
	return s.Say("%s to %s", s.Amount(*o.Low, o.Unit), s.Amount(*o.High, o.Unit))
}

// status formats a cell of a table: a number, or why there is none.
func status(s *i18n.Localizer, o *store.Observation) string {
	switch {
	case o == nil:
		return s.Say("nothing yet")
	case published(o):
		return s.Amount(*o.Value, o.Unit)
	case o.Status == store.NoData:
		return s.Say("no data")
	case o.Status == store.Withdrawn:
		return s.Say("withdrawn") + because(s, o.Reason)
	case o.Reason == "few":
		return s.Say("withheld")
	case query.Suspended(o):
		return s.Say("suspended")
	}
	return s.Say("withheld") + because(s, o.Reason)
}

// because adds the public reason, translated if the program knows it.
func because(s *i18n.Localizer, reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + s.Say(strings.ReplaceAll(reason, "%", "%%")) + ")"
}

// fate says what becomes of a field. What a decision keeps it uses: no reading is kept.
func fate(s *i18n.Localizer, word string) string {
	if word == "kept" {
		return s.Say("used")
	}
	return s.Say(word)
}

// words are the city's, for what its policy names by ids.
func (w *Web) words(s *i18n.Localizer) i18n.Words { return s.Words(w.source.Names()) }

// of says how a measure is made.
func of(s *i18n.Localizer, m books.Measure) string {
	name, _, _ := strings.Cut(m.Of, "(")
	switch name {
	case "distinct":
		return s.Say("different ones, each %s once", s.Agree("counted", m.Unit, 2))
	case "count":
		return s.Say("readings, counted")
	case "sum":
		return s.Say("sum")
	case "mean":
		return s.Say("mean")
	case "share":
		return s.Say("share of readings that say yes")
	case "leq":
		return s.Say("equivalent level: the mean of the energy, in decibels")
	case "lday":
		return s.Say("level by day, 7 to 19 h")
	case "levening":
		return s.Say("level in the evening, 19 to 23 h")
	case "lnight":
		return s.Say("level by night, 0 to 7 and 23 to 24 h of the day")
	case "lden":
		return s.Say("day-evening-night level: evening 5 dB and night 10 dB up")
	case "quantile":
		return s.Say("quantile: the level below which a given share of the readings lies")
	case "histogram":
		return s.Say("readings within this class")
	}
	return m.Of
}

func local(t time.Time, zone string) time.Time { return t.In(query.Place(zone)) }

// silence says why nothing is measured.
func silence(s *i18n.Localizer, code string) string {
	switch code {
	case "":
		return ""
	case "no_policy":
		return s.Say("Nothing is measured: the council has not put any policy in force yet.")
	case "policy_taken_away":
		return s.Say("Nothing is measured: the policy was taken away.")
	case "sunset":
		return s.Say("Nothing is measured: every decision of the council has reached its last day.")
	case "suspended":
		return s.Say("Nothing is measured: the council has suspended every decision that would be in force today.")
	case "not_yet":
		return s.Say("Nothing is measured yet: the council's decisions begin later.")
	}
	return s.Say("Nothing is measured: the council has decided nothing.")
}

// size describes a file before it is fetched; empty if unknown.
func size(s *i18n.Localizer, z api.Size) string {
	if !z.Known {
		return ""
	}
	return s.Say("%d rows", z.Rows) + ", " + s.Say("about %d kB as CSV", (z.Bytes+999)/1000)
}
