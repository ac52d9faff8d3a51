package opendata

import (
	"bytes"
	"encoding/csv"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/test/harness"
)

// api looks at what programs are told.
func (x told) api(t *testing.T, c *harness.City) {
	t.Helper()
	type standing struct {
		ID, State, Since, By, Decision string
		Reason                         map[string]string
	}
	var streams struct{ Streams []standing }
	var decisions struct{ Decisions []standing }
	var sensors struct {
		Sensors []struct {
			ID     string
			Fields []struct{ Name, Fate, Decision, State, Planned string }
		}
	}
	harness.GetJSON(t, c.Opendata+"/api/v1/streams", &streams)
	harness.GetJSON(t, c.Opendata+"/api/v1/decisions", &decisions)
	harness.GetJSON(t, c.Opendata+"/api/v1/sensors", &sensors)
	check := func(what string, s standing) {
		if s.State != x.state || s.Since != x.since || s.By != x.by || (x.reason[0] != "") != (len(s.Reason) > 0) {
			t.Errorf("%s: %s is %+v", x.name, what, s)
		}
	}
	found := 0
	for _, s := range streams.Streams {
		if s.ID == x.stream {
			found++
			check("the stream", s)
			if s.Decision != x.decision {
				t.Errorf("%s: the stream is decision %s's", x.name, s.Decision)
			}
		}
	}
	for _, s := range decisions.Decisions {
		if s.ID == x.decision {
			found++
			check("the decision", s)
		}
	}
	for _, s := range sensors.Sensors {
		if s.ID != x.sensor {
			continue
		}
		found++
		f := s.Fields[0]
		fate, state, planned := "dropped", x.state, "kept"
		if x.state == "in_force" {
			fate, state, planned = "kept", "", ""
		}
		if f.Fate != fate || f.State != state || f.Planned != planned || f.Decision != x.decision {
			t.Errorf("%s: the sensor's field is %+v", x.name, f)
		}
	}
	if found != 3 {
		t.Errorf("%s is found %d times; want 3", x.name, found)
	}
	x.tables(t, c)
	x.catalogue(t, c)
}

// tables looks at the same in CSV.
func (x told) tables(t *testing.T, c *harness.City) {
	t.Helper()
	said := func(s string) string {
		return html.UnescapeString(regexp.MustCompile(`<.*?>|^.*?: `).ReplaceAllString(s, ""))
	}
	want := map[string]string{"state": x.state, "since": x.since, "by": x.by}
	switch {
	case strings.Contains(x.reason[0], `lang=""`): // the council has not said its language
		want["reason"], want["reason_ca"] = markup, ""
	case x.reason[0] != "":
		want["reason_en"], want["reason_ca"], want["reason_es"] = said(x.reason[0]), said(x.reason[1]), ""
	}
	for path, id := range map[string]string{"/api/v1/streams": x.stream, "/api/v1/decisions": x.decision} {
		row := csvRow(t, c.Opendata+path+"?format=csv", id)
		for column, text := range want {
			if got, ok := row[column]; !ok || got != text {
				t.Errorf("%s: CSV of %s says of %s %q; want %q", x.name, path, column, got, text)
			}
		}
	}
	row := csvRow(t, c.Opendata+"/api/v1/sensors?format=csv", x.sensor)
	state, planned := x.state, "kept"
	if x.state == "in_force" {
		state, planned = "", ""
	}
	if got, ok := row["planned"]; !ok || got != planned || row["state"] != state {
		t.Errorf("%s: CSV of the sensor's field is %v", x.name, row)
	}
}

// csvRow is the first row of an id, by column.
func csvRow(t *testing.T, address, id string) map[string]string {
	t.Helper()
	_, _, body := harness.Answer(t, address)
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v", address, err)
	}
	for _, r := range rows[1:] {
		if r[0] == id {
			out := map[string]string{}
			for n, name := range rows[0] {
				out[name] = r[n]
			}
			return out
		}
	}
	t.Fatalf("%s has no row of %s", address, id)
	return nil
}

// catalogue looks at what other catalogues are told.
func (x told) catalogue(t *testing.T, c *harness.City) {
	t.Helper()
	type text struct {
		Value    string `json:"@value"`
		Language string `json:"@language"`
	}
	var catalogue struct {
		Datasets []struct {
			Identifier  string `json:"dct:identifier"`
			Description []text `json:"dct:description"`
			Every       struct {
				ID string `json:"@id"`
			} `json:"dct:accrualPeriodicity"`
			Temporal struct {
				Start text `json:"dcat:startDate"`
				End   text `json:"dcat:endDate"`
			} `json:"dct:temporal"`
			Distribution []struct {
				Status *struct {
					ID string `json:"@id"`
				} `json:"adms:status"`
			} `json:"dcat:distribution"`
		} `json:"dcat:dataset"`
	}
	harness.GetJSON(t, c.Opendata+"/catalog.jsonld", &catalogue)
	for _, d := range catalogue.Datasets {
		if d.Identifier != x.stream {
			continue
		}
		over := x.state == "past"
		if d.Temporal.End.Value != x.until || strings.HasSuffix(d.Every.ID, "/NEVER") != over ||
			(d.Distribution[0].Status != nil) != over {
			t.Errorf("%s: the catalogue says until %s, %s, %v", x.name, d.Temporal.End.Value, d.Every.ID,
				d.Distribution[0].Status)
		}
		for l, lang := range tongues {
			if !slices.ContainsFunc(d.Description, func(s text) bool {
				return s.Language == lang && strings.Contains(s.Value, x.long[l])
			}) {
				t.Errorf("%s: the catalogue says %q", x.name, d.Description)
			}
		}
		return
	}
	t.Errorf("%s is not in the catalogue", x.name)
}
