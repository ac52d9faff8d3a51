package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sluice/opendata/query"
)

// form is what an answer is written as.
type form int

const (
	asDocument form = iota // JSON, or GeoJSON
	asTable                // CSV as RFC 4180 has it
	asSheet                // CSV as a spreadsheet of a country with decimal commas opens it
)

// formats are the names of all forms, but for geojson.
var formats = []string{"json", "csv", "csv-excel"}

// formOf reads the parameter format, else the header Accept.
func formOf(r *http.Request, v url.Values, document string) (form, error) {
	switch v.Get("format") {
	case "csv":
		return asTable, nil
	case "csv-excel":
		return asSheet, nil
	case document, "json":
		return asDocument, nil
	}
	if v.Has("format") {
		return 0, &query.Invalid{Parameter: "format", Hint: "is " + document + ", csv or csv-excel"}
	}
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "text/csv") && !strings.Contains(accept, "application/json") {
		return asTable, nil
	}
	return asDocument, nil
}

// A spreadsheet reads numbers and times as its country writes them. These are the columns
// that have them, in all tables.
var (
	decimals = []string{"value", "low", "high", "bounded_share", "bounded_share_low", "bounded_share_high", "lat",
		"lon", "epsilon", "delta", "cap", "left"}
	instants = []string{"start_utc", "start_local", "end_utc", "closed_until"}
)

// byteOrderMark tells Excel that a file is UTF-8.
const byteOrderMark = "\uFEFF"

// sheet rewrites a row of a table with that header for asSheet: decimal commas, and times
// without a letter or an offset.
func sheet(header, row []string) {
	for i, name := range header {
		switch {
		case slices.Contains(decimals, name):
			row[i] = strings.Replace(row[i], ".", ",", 1)
		case slices.Contains(instants, name) && len(row[i]) >= len("2006-01-02T15:04:05"):
			row[i] = row[i][:10] + " " + row[i][11:19]
		}
	}
}
