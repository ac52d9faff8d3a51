package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
)

// Items of one answer; a longer list is sent in parts. Decisions are long: their text is
// there in three languages.
const (
	fewLong   = 50
	manyShort = query.MaxLimit
)

func (a *API) streams(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	all, err := a.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	out := make([]stream, len(all))
	for i, s := range all {
		out[i] = stream{s.ID, texts(s.Title), s.Every, s.Timezone, s.Unit, measures(s.Measures), cells(s.Cells),
			s.Decision, s.From, s.Until, s.Standing.State, s.Standing.Since, s.Standing.By, s.Standing.Reason,
			s.Licence, nil, s.Simulation, s.MaxContributions, s.ShareFrom, nil, s.Floor, s.Membership, nil,
			s.Purpose, s.CategoryField, s.Of}
		out[i].BoundedShare, out[i].BoundedShares = shares(s.Epochs)
		if !s.ClosedUntil.IsZero() {
			out[i].ClosedUntil = &s.ClosedUntil
		}
	}
	slices.SortStableFunc(out, func(a, b stream) int { return cmp.Compare(a.ID, b.ID) })
	l := listing[stream]{"streams", out, manyShort, func(s stream) string { return s.ID }, streamTable, nil}
	return l.answer(r, v)
}

// shares returns the share of the latest epoch if there is one gateway, else each
// gateway's.
func shares(list []query.Epoch) (one *query.Share, each []*query.Share) {
	if len(list) == 1 && list[0].Zones == nil {
		return list[0].Share(), nil
	}
	for n := range list {
		if s := list[n].Share(); s != nil {
			each = append(each, s)
		}
	}
	return nil, each
}

var streamTable = table[stream]{
	[]string{"id", "title_ca", "title_en", "title_es", "every", "timezone", "protects", "measure", "unit", "of",
		"public_from", "cells", "decision", "from", "until", "licence", "closed_until", "simulation",
		"max_contributions", "bounded_share", "bounded_share_low", "bounded_share_high", "state", "since", "by",
		"reason_ca", "reason_en", "reason_es", "reason"},
	func(s stream) [][]string {
		var rows [][]string
		closed := ""
		if s.ClosedUntil != nil {
			closed = s.ClosedUntil.Format(time.RFC3339)
		}
		contributions := ""
		if s.MaxContributions > 0 {
			contributions = strconv.FormatInt(s.MaxContributions, 10)
		}
		for _, m := range s.Measures {
			rows = append(rows, slices.Concat([]string{text(s.ID)}, titles(s.Title), []string{
				s.Every, s.Timezone, s.Unit, text(m.Name), text(m.Unit), text(m.Of),
				strconv.FormatInt(m.PublicFrom, 10),
				strconv.Itoa(len(s.Cells)), text(s.Decision), s.From, s.Until, text(s.Licence), closed,
				strconv.FormatBool(s.Simulation), contributions,
			}, share(s.BoundedShare), []string{s.State, s.Since, s.By}, reasons(s.Reason)))
		}
		return rows
	},
}

func (a *API) sensors(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	reg, err := a.source.Books.Register()
	if err != nil {
		return nil, err
	}
	all := make([]sensor, len(reg.Sensors))
	for i, s := range reg.Sensors {
		all[i] = sensor{s.ID, s.Owner, s.Kind, s.Preset, s.Topic, s.Map, s.Zone, s.Lat, s.Lon, s.Registered, s.Until,
			s.Replaces, s.Contact, texts(s.Purpose), s.Alive, fields(s.Fields)}
	}
	l := listing[sensor]{"sensors", all, manyShort, func(s sensor) string { return s.ID }, sensorTable,
		[]member{{"homes", homesOf(reg.Homes)}, {"unknown", unknownOf(reg.Unknown)}}}
	return l.answer(r, v)
}

// sensorPage is a page of sensors, and the counts of those that are not listed.
type sensorPage struct {
	Sensors []sensor `json:"sensors"`
	Items   []sensor `json:"items" doc:"The same list, under the name that it has in every answer"`
	Homes   []homes  `json:"homes" doc:"Sensors that stand for one home each are never shown singly: this is how many there are"`
	Unknown []strays `json:"unknown" doc:"Sensors of a kind that the policy does not know are never shown singly either, since they might stand for homes"`
	Next    *string  `json:"next" doc:"Path of the next page, or null"`
}

func unknownOf(list []books.Unknown) []strays {
	out := make([]strays, len(list))
	for i, u := range list {
		out[i] = strays(u)
	}
	return out
}

func homesOf(list []books.Homes) []homes {
	out := make([]homes, len(list))
	for i, h := range list {
		out[i] = homes(h)
	}
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

var sensorTable = table[sensor]{
	[]string{"id", "owner", "kind", "zone", "lat", "lon", "registered", "until", "contact", "alive", "purpose_ca",
		"purpose_en", "purpose_es", "field", "class", "fate", "decision", "state", "planned"},
	func(s sensor) [][]string {
		alive := ""
		if s.Alive != nil {
			alive = strconv.FormatBool(*s.Alive)
		}
		var rows [][]string
		for _, f := range s.Fields {
			rows = append(rows,
				slices.Concat([]string{text(s.ID), text(s.Owner), text(s.Kind), text(s.Zone), number(s.Lat),
					number(s.Lon), s.Registered, s.Until, text(s.Contact), alive},
					titles(s.Purpose),
					[]string{text(f.Name), text(f.Class), f.Fate, text(f.Decision), f.State, f.Planned}))
		}
		return rows
	},
}

func (a *API) decided() ([]decision, error) {
	all, err := a.source.Books.Decisions()
	out := make([]decision, len(all))
	for i, d := range all {
		out[i] = decision{d.ID, texts(d.Title), d.State, d.From, d.Until, d.Since, d.By, d.Reason, nil,
			consultations(d.Consultation), d.Policy, d.Motion, d.Version, d.Namespace, votes(d.Votes),
			statements(d.Statements), d.YAML, texts(d.Explain), d.Diff, nil, d.Problems}
		if d.Retain != (books.Retain{}) {
			out[i].Retain = &retain{d.Retain.Hours, d.Retain.Days}
		}
		if d.Next != nil {
			out[i].Next = &next{d.Next.Motion, d.Next.From, d.Next.Changes}
		}
	}
	return out, err
}

func (a *API) decisions(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	all, err := a.decided()
	if err != nil {
		return nil, err
	}
	return decisionList(all).answer(r, v)
}

func decisionList(all []decision) *listing[decision] {
	return &listing[decision]{"decisions", all, fewLong, func(d decision) string { return d.ID }, decisionTable, nil}
}

func (a *API) decision(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	all, err := a.decided()
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if d.ID == r.PathValue("id") {
			return decisionList([]decision{d}).answer(r, v)
		}
	}
	return nil, query.ErrUnknown
}

var decisionTable = table[decision]{
	[]string{"id", "title_ca", "title_en", "title_es", "state", "from", "until", "policy", "motion", "votes", "since",
		"by", "reason_ca", "reason_en", "reason_es", "reason"},
	func(d decision) [][]string {
		return [][]string{slices.Concat([]string{text(d.ID)}, titles(d.Title),
			[]string{d.State, d.From, d.Until, d.Policy, text(d.Motion), strconv.Itoa(len(d.Votes)), d.Since, d.By},
			reasons(d.Reason))}
	},
}

func (a *API) ledger(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	day := v.Get("day")
	if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
		return nil, &query.Invalid{Parameter: "day", Hint: "is a day such as 2026-11-23"}
	}
	all, missing, err := a.source.Ledgers()
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, l := range all {
		for _, e := range l.Entries {
			if day == "" || e.Day == day {
				out = append(out, entry(e))
			}
		}
	}
	l := listing[entry]{"entries", out, manyShort, entryKey, ledgerTable, nil}
	if len(missing) == 0 {
		return l.answer(r, v)
	}
	if as, err := formOf(r, v, "json"); err != nil {
		return nil, err
	} else if as != asDocument { // a file has no place to say what it lacks
		return nil, fmt.Errorf("ledgers that cannot be read are missing in the file: %q", missing)
	}
	l.more = []member{{"missing", missing}}
	reply, err := l.answer(r, v)
	if invalid := new(query.Invalid); errors.As(err, &invalid) && invalid.Parameter == "cursor" {
		return nil, fmt.Errorf("a cursor may be behind a line of the ledgers that cannot be read: %q", missing)
	}
	return reply, err
}

func entryKey(e entry) string { return e.Gateway + " " + strconv.FormatInt(e.N, 10) }

var ledgerTable = table[entry]{
	[]string{"n", "day", "gateway", "decision", "plan", "unit", "kind", "epsilon", "delta", "cap", "left",
		"prev_sha256"},
	func(e entry) [][]string {
		return [][]string{{
			strconv.FormatInt(e.N, 10), e.Day, text(e.Gateway), text(e.Decision), e.Plan, e.Unit, e.Kind,
			number(&e.Epsilon), number(&e.Delta), number(&e.Cap), number(&e.Left), e.PrevSHA256,
		}}
	},
}
