package catalog

import (
	"net/url"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// Describe says in one paragraph what a stream is.
func Describe(s *i18n.Localizer, city books.City, st query.Stream) string {
	text := s.Say("%s %s, released %s under decision %s.", strings.Join(measured(s, city, st), ", "), s.At(city.Name),
		s.Every(st.Every, query.Length(st.Every)), st.Decision) + " "
	if st.Unit == "none" {
		text += s.Say("The numbers are exact, since they are about nobody.")
	} else {
		text += s.Say("Each number carries random noise that protects every single %s, and an interval that says "+
			"how much; where there are too few, as the decision says, there is no number.", s.Each(st.Unit))
	}
	if said := s.Standing(st.Standing); said != "" {
		text += " " + said
	}
	if st.Simulation {
		text += " " + s.Say("This is a simulation: people, places and time may be made up.")
	}
	return text
}

// aggregates says what all that the city releases is.
func aggregates(s *i18n.Localizer, city books.City) string {
	return s.Say("Aggregates of the sensors in the streets %s, each released under a decision of the city council. "+
		"Raw readings are not kept.", s.Of(city.Name))
}

// Dataset is a stream as schema.org has it, for the head of its page.
func Dataset(s *i18n.Localizer, base string, city books.City, st query.Stream) map[string]any {
	title, _ := s.Title(st.Title)
	page := base + "/streams/" + url.PathEscape(st.ID)
	d := whole(base, city, title, Describe(s, city, st), page)
	d["identifier"] = st.ID
	if from, until := period(st); moment(from) != nil {
		if moment(until) == nil {
			until = ".." // open (ISO 8601-2)
		}
		d["temporalCoverage"] = from + "/" + until
	}
	if l := licence(st.Licence); l != "" {
		d["license"] = l
	}
	words, variables := s.Words(city.Names), make([]any, 0, len(st.Measures))
	for _, m := range st.Measures {
		variables = append(variables, map[string]any{"@type": "PropertyValue", "name": words.MeasureName(m),
			"unitText": words.Unit(m.Unit, 2)})
	}
	d["variableMeasured"], d["keywords"] = variables, keywords(s, city, st)
	if !st.Through.IsZero() {
		d["dateModified"] = st.Through.Format(time.RFC3339)
	}
	download := func(format, mime string) map[string]any {
		return map[string]any{"@type": "DataDownload", "encodingFormat": mime, "name": title + ", " + format,
			"contentUrl": base + "/api/v1/streams/" + url.PathEscape(st.ID) + "/observations?format=" + format}
	}
	d["distribution"] = []any{download("csv", "text/csv"), download("json", "application/json")}
	return d
}

// period is the first and the last day of a series in its own time zone, which are its
// decision's unless it begins later or ended before.
func period(st query.Stream) (from, until string) {
	place := query.Place(st.Timezone)
	from, until = st.From, st.Until
	if t, err := time.Parse(time.RFC3339, from); err == nil {
		from = t.In(place).Format(time.DateOnly)
	}
	if t, err := time.Parse(time.RFC3339, until); err == nil {
		until = t.Add(-time.Nanosecond).In(place).Format(time.DateOnly) // the books have the instant after it
	}
	switch s := st.Standing; {
	case s.State == books.Coming && s.Since > from:
		from = s.Since
	case s.Early():
		until = s.Since
	}
	return from, until
}

// City is all that the city releases, as schema.org has it.
func City(s *i18n.Localizer, base string, city books.City) map[string]any {
	d := whole(base, city, s.Say("What %s measures", city.Name),
		aggregates(s, city), base+"/")
	d["distribution"] = []any{map[string]any{"@type": "DataDownload", "encodingFormat": "application/ld+json",
		"contentUrl": base + "/catalog.jsonld"}}
	return d
}

func whole(base string, city books.City, name, description, page string) map[string]any {
	return map[string]any{
		"@context": "https://schema.org/", "@type": "Dataset", "name": name, "description": description, "url": page,
		"isAccessibleForFree": true, "spatialCoverage": city.Name,
		"creator":               map[string]any{"@type": "Organization", "name": city.Name},
		"includedInDataCatalog": map[string]any{"@type": "DataCatalog", "name": city.Name, "url": base + "/"},
	}
}
