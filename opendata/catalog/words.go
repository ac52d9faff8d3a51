package catalog

import (
	"slices"
	"strings"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// themes are the EU's for what a stream is about: always of cities and regions, and of what
// its numbers are of.
func themes(st query.Stream) (out []node) {
	codes := []string{"REGI"}
	add := func(code string) {
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	switch st.Unit {
	case "device", "vehicle", "card":
		add("TRAN")
	}
	for _, m := range st.Measures {
		switch {
		case slices.Contains([]string{"vehicle", "card", "boarding"}, m.Unit):
			add("TRAN")
		case strings.HasSuffix(m.Unit, "Wh"):
			add("ENER")
		case strings.HasPrefix(m.Unit, "dB"), strings.Contains(m.Unit, "g/m"), strings.Contains(m.Unit, "°C"),
			m.Unit == "ppm":
			add("ENVI")
		}
	}
	for _, code := range codes {
		out = append(out, id(authority+"data-theme/"+code))
	}
	return out
}

// keywords are what people look for, in each language: what is measured, for what and
// where.
func (c *Catalog) keywords(city books.City, st query.Stream) (out []node) {
	for _, code := range i18n.Codes {
		for _, word := range keywords(c.speak[code], city, st) {
			out = append(out, node{"@value": word, "@language": code})
		}
	}
	return out
}

func keywords(s *i18n.Localizer, city books.City, st query.Stream) (out []string) {
	words := s.Words(city.Names)
	add := func(word string) {
		if word != "" && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	for _, m := range st.Measures {
		if m.Group != "" { // of a histogram's classes the name alone
			m.Class = nil
		}
		add(words.MeasureName(m))
	}
	if st.Purpose != "" {
		add(words.Purpose(st.Purpose))
	}
	add(city.Name)
	return out
}

// measured names the measures of a stream.
func measured(s *i18n.Localizer, city books.City, st query.Stream) (out []string) {
	words := s.Words(city.Names)
	for _, m := range st.Measures {
		out = append(out, words.MeasureName(m))
	}
	return out
}

// contact is where the city can be asked; nil where it does not say so.
func contact(city books.City) node {
	r := city.Responsible
	if r.Name == "" || r.Email == "" && r.Web == "" {
		return nil
	}
	n := node{"@type": []string{"vcard:Organization", "vcard:Kind"}, "vcard:fn": r.Name}
	if r.Email != "" {
		n["vcard:hasEmail"] = id("mailto:" + r.Email)
	}
	if r.Web != "" {
		n["vcard:hasURL"] = id(r.Web)
	}
	return n
}
