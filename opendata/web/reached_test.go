package web

import (
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/store"
)

// TestReached: what is said beside an interval, in every language, before anything is
// known, where units were too few, where nothing was published, and of a part of a day.
func TestReached(t *testing.T) {
	st := query.Stream{Stream: books.Stream{Unit: "device", Timezone: "UTC", MaxContributions: 4, ShareFrom: 1000}}
	at := time.Date(2026, 6, 14, 0, 0, 0, 0, time.UTC)
	number := func(v, half float64) store.Observation {
		low, high := v-half, v+half
		return store.Observation{Value: &v, Low: &low, High: &high}
	}
	epoch := func(hours int, units, bounded store.Observation) *query.Epoch {
		return &query.Epoch{Start: at, End: at.Add(time.Duration(hours) * time.Hour), Units: units, Bounded: bounded}
	}
	for name, c := range map[string]struct {
		e    *query.Epoch
		want [3]string // ca, en, es
	}{
		"known": {epoch(24, number(10_000, 100), number(1900, 100)),
			[3]string{"el 19 % de dispositius (de 17,8 a 20,2 %",
				"19 % of devices (17.8 to 20.2 %, in 95 of 100 cases) reached the limit of 4 and",
				"el 19 % de dispositivos (de 17,8 a 20,2 %"}},
		"six hours": {epoch(6, number(10_000, 100), number(1900, 100)),
			[3]string{"de 00:00 a 06:00: el 19 %", ", 00:00 to 06:00: 19 %", "de 00:00 a 06:00: el 19 %"}},
		"too few": {epoch(24, number(500, 100), number(90, 100)),
			[3]string{"a partir d’uns 1.000", "too few devices to say how many reached the limit of 4 and were not " +
				"counted after that; it is said from about 1,000 on", "a partir de unos 1.000"}},
		"withheld": {epoch(24, store.Observation{}, store.Observation{}),
			[3]string{"no s’ha publicat", "it was not published how many devices", "no se publicó"}},
		"not yet": {nil, [3]string{"Encara no se sap", "is not known yet", "Aún no se sabe"}},
	} {
		for n, lang := range i18n.Codes {
			got := reached(i18n.Localizers()[lang], st, c.e)
			if plain := strings.ReplaceAll(got, "\u00a0", " "); !strings.Contains(plain, c.want[n]) ||
				strings.Contains(got, "%!") {
				t.Errorf("%s, %s: %q; want %q", name, lang, got, c.want[n])
			}
		}
	}
	st.ShareFrom = 0
	if got := reached(i18n.Localizers()["en"], st, nil); got != "" {
		t.Errorf("of a stream without a limit it is said that %q", got)
	}
}

// TestReachedOfEach: where several gateways have zones, each one's share is said beside its
// zones' names.
func TestReachedOfEach(t *testing.T) {
	st := query.Stream{Stream: books.Stream{Unit: "device", Timezone: "UTC", MaxContributions: 4, ShareFrom: 1000}}
	at := time.Date(2026, 6, 14, 0, 0, 0, 0, time.UTC)
	list := []query.Epoch{{Start: at, End: at.Add(24 * time.Hour), Zones: []string{"a", "b"}},
		{Start: at, End: at.Add(24 * time.Hour), Zones: []string{"c"}}}
	w := &Web{source: &query.Source{Books: books.Reader{Source: books.Dir(t.TempDir())}}}
	got, err := w.reached(i18n.Localizers()["en"], st, list)
	if err != nil || !strings.HasPrefix(got, "a, b – ") || !strings.Contains(got, ". c – ") {
		t.Errorf("it is said %q, %v", got, err)
	}
}
