package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"sluice/policy/check"
	"sluice/policy/explain"
)

// What a template leaves to be written stands in angles, which policy check finds (T01).

// untitled is a title to be written in each language of the city.
func untitled(langs []string) string {
	if len(langs) == 0 {
		langs = []string{"en"}
	}
	var out []string
	for _, l := range langs {
		out = append(out, fmt.Sprintf("%s: %q", l, newVoice(explain.ParseLang(l)).Say("<a title for residents>")))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// nameless is the example city's charter without its name.
func nameless(charter []byte, v voice) []byte {
	charter = bytes.Replace(charter, []byte("id: portalba"), []byte("id: "+check.TemplateCity), 1)
	return bytes.Replace(charter, []byte("name: Portalba"), []byte(`name: "`+v.Say("<the name of your city>")+`"`), 1)
}

// review is when a new decision is looked at again: after half a year, or half of its
// time where that is shorter.
func review(from, until time.Time) time.Time {
	half := from.Add(until.Sub(from) / 2)
	if year := from.AddDate(0, 6, 0); year.Before(half) {
		return year
	}
	return half
}
