package web

import (
	"slices"
	"strings"
	"testing"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// field is one that decision 1 uses.
func field(class, fate string) books.Field {
	return books.Field{Name: class, Class: class, Fate: fate, Decision: "1"}
}

// series is a stream of decision 1.
func series(unit, epoch string) []query.Stream {
	return []query.Stream{{Stream: books.Stream{ID: "s", Decision: "1", Unit: unit, Epoch: epoch, Every: "PT1H"}}}
}

// TestWhom: that nobody is recognised the next day is said only where fields and units bear it
// out; what the books do not say is taken for personal.
func TestWhom(t *testing.T) {
	measure, code := field("measurement", "kept"), field("identifier", "counted")
	for name, x := range map[string]struct {
		used    []books.Field
		streams []query.Stream
		want    people
	}{
		"nothing is used":              {nil, nil, untold},
		"air":                          {[]books.Field{measure}, series("none", ""), nobody},
		"air without a series":         {[]books.Field{measure}, nil, together},
		"a personal field for nobody":  {[]books.Field{field("location", "generalised")}, series("none", ""), together},
		"a measurement about somebody": {[]books.Field{measure}, series("person", "P1D"), together},
		"devices by day":               {[]books.Field{code, measure}, series("device", "P1D"), forgotten},
		"devices by hour":              {[]books.Field{code}, series("device", "PT1H"), forgotten},
		"devices by week":              {[]books.Field{code}, series("device", "P7D"), apart},
		"devices by month":             {[]books.Field{code}, series("device", "P1M"), apart},
		"no epoch":                     {[]books.Field{code}, series("device", ""), apart},
		"no period":                    {[]books.Field{code}, series("device", "a day"), apart},
		"a fare that is kept": {[]books.Field{code, field("quasi-identifier", "kept")},
			series("card", "P1D"), apart},
		"a fare that is coarser": {[]books.Field{code, field("quasi-identifier", "generalised")},
			series("card", "P1D"), forgotten},
		"a code for nobody": {[]books.Field{code}, series("none", ""), apart},
	} {
		f := &facts{used: x.used, streams: x.streams, running: []books.Decision{{ID: "1"}}}
		if got := f.whom(); got != x.want {
			t.Errorf("%s: %s; want %s", name, got, x.want)
		}
	}
	two := &facts{used: []books.Field{measure}, streams: series("none", ""),
		running: []books.Decision{{ID: "1"}, {ID: "2"}}}
	if got := two.whom(); got != together {
		t.Errorf("a decision without a series: %s", got)
	}
}

// TestTell: what the city has not said is said to be so, and the first layer alone is on the
// smallest sheet.
func TestTell(t *testing.T) {
	f := &facts{
		sensorPage: sensorPage{Sensor: books.Sensor{ID: "s-1", Owner: "acme", Kind: "counter",
			Topic: "city/v1/canary/up", Purpose: map[string]string{"en": "How many pass"}}, Place: "El Port"},
		city: books.City{Name: "Portalba"}, used: []books.Field{field("identifier", "counted")},
		dropped: []books.Field{{Name: "note", Class: "free-text", Fate: "dropped"}},
		running: []books.Decision{{ID: "1", Title: map[string]string{"en": "Footfall"}, From: "2026-01-01",
			Until: "2026-12-31"}}, streams: series("device", "P1D"),
	}
	f.people = f.whom()
	for much, want := range map[much][]string{
		all: {"What it uses", "What is thrown away at once", "Who decided this", "Legal basis", "How long",
			"Who is responsible", "Your rights", "Tell us what you think", "Whose it is"},
		answers: {"Who decided this", "Legal basis", "How long", "Who is responsible", "Your rights",
			"Tell us what you think"},
		short: {"Who decided this", "Legal basis", "How long", "Who is responsible", "Your rights"},
		basis: nil, least: nil,
	} {
		teller := teller{facts: f, s: i18n.In("en"), words: i18n.In("en").Words(books.Vocabulary{}), much: much}
		told := teller.tell()
		var titles []string
		text := strings.Join(told.First, "\n")
		for _, r := range told.Rows {
			titles = append(titles, r.Title)
			for _, l := range r.Lines {
				text += "\n" + string(l)
			}
		}
		if !slices.Equal(titles, want) {
			t.Errorf("%d says %q", much, titles)
		}
		if !strings.Contains(text, "Nobody is recognised the next day.") || strings.Contains(text, "canary") {
			t.Errorf("%d says\n%s", much, text)
		}
		if much < short && (!strings.Contains(text, "Portalba has not said it yet.") ||
			!strings.Contains(text, "Portalba has not said whom to write to.") || !strings.Contains(text, "not said")) {
			t.Errorf("%d hides what the city has not said:\n%s", much, text)
		}
	}
}

// TestSpoken: a notice is in the city's languages, whoever reads it.
func TestSpoken(t *testing.T) {
	for _, x := range []struct{ city, want string }{
		{"ca es en", "ca es en"}, {"es ca es", "es ca"}, {"eu ca", "ca"}, {"eu", "en"}, {"", "en"},
	} {
		if got := spoken(books.City{Languages: strings.Fields(x.city)}, "en"); strings.Join(got, " ") != x.want {
			t.Errorf("%q is spoken as %q; want %q", x.city, got, x.want)
		}
	}
}

// TestSuspended: a notice of any size says that its sensor is suspended, since when, why and by
// which decision, and what it is for.
func TestSuspended(t *testing.T) {
	d := books.Decision{ID: "2026-16", Title: map[string]string{"en": "Street noise"}, State: books.Suspended,
		By: books.ByCouncil, Since: "2026-11-26", Reason: map[string]string{"en": "it hung in a chimney"},
		LegalBasis: "by-law 3", From: "2026-06-01", Until: "2027-05-31"}
	f := &facts{sensorPage: sensorPage{Sensor: books.Sensor{ID: "n-1", Kind: "meter", Fields: []books.Field{
		{Name: "laeq", Fate: "dropped", Decision: d.ID, State: books.Suspended}}}, Idle: "idle"},
		city:    books.City{Name: "Portalba", DPO: books.Party{Email: "dpo@portalba.example"}},
		waiting: []books.Decision{d}, asleep: []query.Stream{{Stream: books.Stream{Purpose: "environment"}}}}
	f.people = f.whom()
	for much := all; much <= least; much++ {
		n := &noticePage{sensorPage: f.sensorPage, Much: much}
		n.tell(f, []teller{{facts: f, s: i18n.In("en"), words: i18n.In("en").Words(books.Vocabulary{})}})
		told := n.Tongues[0]
		text := strings.Join(told.First, "\n")
		for _, want := range []string{"suspended since Thursday, 26 November 2026", "2026-16",
			"Reason: it hung in a chimney"} {
			if !strings.Contains(text, want) {
				t.Errorf("%d: %q does not say %q", much, text, want)
			}
		}
		if told.Icons[0].Text != "environment" {
			t.Errorf("%d: it is for %q", much, told.Icons[0].Text)
		}
		rest := ""
		for _, l := range n.Rest {
			rest += words(l) + "\n"
		}
		if want := "Decision: 2026-16\nLegal basis: by-law 3\nYour rights: dpo@portalba.example\n"; much >= basis &&
			rest != want {
			t.Errorf("%d: %q; want %q", much, rest, want)
		}
	}
}
