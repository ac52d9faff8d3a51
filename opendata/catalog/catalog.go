// Package catalog describes the streams to other catalogues: as DCAT-AP 3.0 in
// JSON-LD at /catalog.jsonld, for open-data portals, and as schema.org Datasets in
// the heads of pages, for search engines.
//
// Where the public address is not known, the names of things are relative, and
// JSON-LD 1.1 resolves them against the address that the document came from.
package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/archive"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
)

// Catalog describes one source.
type Catalog struct {
	source *query.Source
	cache  *httpcache.Cache
	base   string
	log    *slog.Logger
	speak  map[string]*i18n.Localizer
	files  Files // nil for none
}

// Files are whole files of what was released.
type Files interface {
	Manifest() (archive.Manifest, error)
}

// Offer gives the catalogue the archive's files, before Routes.
func (c *Catalog) Offer(f Files) { c.files = f }

// New makes the handler. The base is the public address, if known.
func New(source *query.Source, cache *httpcache.Cache, base string, log *slog.Logger) *Catalog {
	return &Catalog{source, cache, strings.TrimSuffix(base, "/"), log, i18n.Localizers(), nil}
}

// Routes adds the catalogue to a mux.
func (c *Catalog) Routes(mux *http.ServeMux) {
	mux.HandleFunc("/catalog.jsonld", c.cache.Handle(c.serve, func(w http.ResponseWriter, r *http.Request, err error) {
		c.log.Error("the catalogue cannot be made", "error", err)
		httpcache.Problem(w, r, http.StatusServiceUnavailable, "unavailable", "The books cannot be read just now",
			"try again in a minute")
	}))
}

func (c *Catalog) serve(r *http.Request) (*httpcache.Reply, error) {
	document, err := c.Document(r.Context())
	if err != nil {
		return nil, err
	}
	return Reply(document)
}

// Document is the catalogue as a JSON-LD node.
func (c *Catalog) Document(ctx context.Context) (map[string]any, error) {
	city, err := c.source.Books.City()
	streams, err2 := c.source.Streams(ctx)
	zones, err3 := c.source.Zones()
	files, err4 := c.offered()
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return nil, err
	}
	return c.dcat(city, streams, zones, files), nil
}

// Reply is a JSON-LD document as it is sent.
func Reply(document map[string]any) (*httpcache.Reply, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(document)
	return &httpcache.Reply{Type: "application/ld+json", Body: b.Bytes()}, err
}

// All is the catalogue of several catalogues (dcat:catalog), whose address is base.
func All(base string, list []map[string]any) map[string]any {
	title := make([]node, 0, len(i18n.Codes))
	for _, code := range i18n.Codes {
		title = append(title, node{"@value": i18n.Localizers()[code].Say("What our towns measure"), "@language": code})
	}
	publishers, parts := make([]any, len(list)), make([]node, len(list))
	for n, one := range list {
		parts[n] = maps.Clone(one)
		delete(parts[n], "@context")
		if publisher, ok := one["dct:publisher"].(node); ok {
			publishers[n] = node{"@id": publisher["@id"]}
		}
	}
	return node{
		"@context": namespaces, "@id": base + "/catalog.jsonld#catalog", "@type": "dcat:Catalog", "dct:title": title,
		"dct:description": title, "dct:publisher": publishers, "foaf:homepage": id(base + "/"),
		"dcat:themeTaxonomy": id(authority + "data-theme"), "dcat:catalog": parts,
	}
}

// node is a JSON-LD node or value.
type node = map[string]any

const (
	authority = "http://publications.europa.eu/resource/authority/"
	media     = "https://www.iana.org/assignments/media-types/"
)

var namespaces = node{
	"adms": "http://www.w3.org/ns/adms#", "dcat": "http://www.w3.org/ns/dcat#", "dcatap": "http://data.europa.eu/r5r/",
	"dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
	"xsd": "http://www.w3.org/2001/XMLSchema#",
	"gsp": "http://www.opengis.net/ont/geosparql#", "spdx": "http://spdx.org/rdf/terms#",
	"rdfs":  "http://www.w3.org/2000/01/rdf-schema#",
	"vcard": "http://www.w3.org/2006/vcard/ns#",
}

func id(iri string) node { return node{"@id": iri} }

func typed(value, kind string) node { return node{"@value": value, "@type": kind} }

// dcat is the catalogue. Mandatory in DCAT-AP 3.0 are title, description and
// publisher of a catalogue, title and description of a dataset, the access address of
// a distribution, address and title of a service, and the name of an agent.
func (c *Catalog) dcat(city books.City, streams []query.Stream, zones []byte, files byStream) node {
	publisher := node{"@id": c.base + "/#city", "@type": "foaf:Agent", "foaf:name": city.Name,
		"foaf:homepage": id(c.base + "/"), "dct:type": id("http://purl.org/adms/publishertype/LocalAuthority")}
	datasets, where := make([]node, len(streams)), box(zones) // once: outlines are long
	for i, st := range streams {
		datasets[i] = c.dataset(city, st, where, files[st.ID])
	}
	services := []node{c.sensorThings(datasets), {
		"@id": c.base + "/openapi.json#service", "@type": "dcat:DataService",
		"dct:title": c.all("The released numbers as JSON, CSV and GeoJSON"), "dcat:endpointURL": id(c.base + "/api/v1"),
		"dcat:endpointDescription": id(c.base + "/openapi.json"), "dcat:servesDataset": references(datasets),
		"dct:accessRights": id(authority + "access-right/PUBLIC"),
	}}
	languages := []node{id(authority + "language/CAT"), id(authority + "language/ENG"), id(authority + "language/SPA")}
	catalogue := node{
		"@context": namespaces, "@id": c.base + "/catalog.jsonld#catalog", "@type": "dcat:Catalog",
		"dct:title": c.all("What %s measures", city.Name), "dct:description": c.each(func(s *i18n.Localizer) string {
			return aggregates(s, city)
		}),
		"dct:publisher": publisher, "dct:language": languages, "foaf:homepage": id(c.base + "/"),
		"dcat:themeTaxonomy": id(authority + "data-theme"), "dcat:dataset": datasets, "dcat:service": services,
	}
	if where != nil {
		catalogue["dct:spatial"] = where
	}
	if to := contact(city); to != nil {
		catalogue["dcat:contactPoint"] = to
	}
	return catalogue
}

func references(list []node) []node {
	out := make([]node, len(list))
	for i, n := range list {
		out[i] = node{"@id": n["@id"]}
	}
	return out
}

// all is a sentence in all languages.
func (c *Catalog) all(english string, parts ...any) []node {
	return c.each(func(s *i18n.Localizer) string { return s.Say(english, parts...) })
}

// each is what is said in each language.
func (c *Catalog) each(say func(*i18n.Localizer) string) (out []node) {
	for _, code := range i18n.Codes {
		out = append(out, node{"@value": say(c.speak[code]), "@language": code})
	}
	return out
}

// box is the rectangle around all zones; nil where there are none.
func box(zones []byte) node {
	w, s, e, n, some := zonemap.Bound(zones)
	if !some {
		return nil
	}
	return node{"@type": "dct:Location",
		"dcat:bbox": typed(fmt.Sprintf("POLYGON((%[1]g %[2]g,%[3]g %[2]g,%[3]g %[4]g,%[1]g %[4]g,%[1]g %[2]g))", w, s,
			e, n), "gsp:wktLiteral")}
}

func (c *Catalog) dataset(city books.City, st query.Stream, where node, files []archive.File) node {
	page := c.base + "/streams/" + url.PathEscape(st.ID)
	var titles, descriptions []node
	for _, code := range i18n.Codes {
		if st.Title[code] != "" {
			titles = append(titles, node{"@value": st.Title[code], "@language": code})
		}
		descriptions = append(descriptions, node{"@value": Describe(c.speak[code], city, st), "@language": code})
	}
	if titles == nil {
		titles = []node{{"@value": st.ID}}
	}
	d := node{
		"@id": page + "#dataset", "@type": "dcat:Dataset", "dct:identifier": st.ID, "dct:title": titles,
		"dct:description": descriptions,
		"dct:publisher":   id(c.base + "/#city"), "dcat:landingPage": id(page),
		"dcat:keyword":            c.keywords(city, st),
		"dcat:theme":              themes(st),
		"dct:accessRights":        id(authority + "access-right/PUBLIC"),
		"dct:accrualPeriodicity":  id(authority + "frequency/" + cadence(st)),
		"dcat:temporalResolution": typed(st.Every, "xsd:duration"),
		"dct:provenance": node{"@type": "dct:ProvenanceStatement",
			"rdfs:label":   c.all("Released under decision %s", st.Decision),
			"rdfs:seeAlso": id(c.base + "/decisions/" + url.PathEscape(st.Decision))},
		"dcat:distribution": append([]node{
			c.distribution(st, "csv", "CSV", "text/csv"), c.distribution(st, "json", "JSON", "application/json"),
			c.things(st),
		}, c.whole(st, files)...),
	}
	if to := contact(city); to != nil {
		d["dcat:contactPoint"] = to
	}
	if from, _ := period(st); moment(from) != nil {
		d["dct:issued"] = moment(from)
	}
	if period := temporal(st); period != nil {
		d["dct:temporal"] = period
	}
	if where != nil {
		d["dct:spatial"] = where
	}
	if !st.Through.IsZero() {
		d["dct:modified"] = typed(st.Through.Format("2006-01-02T15:04:05Z07:00"), "xsd:dateTime")
	}
	return d
}

// temporal is the time of a stream's decision; nil where none is known.
func temporal(st query.Stream) node {
	from, until := period(st)
	out := node{"@type": "dct:PeriodOfTime"}
	for property, text := range map[string]string{"dcat:startDate": from, "dcat:endDate": until} {
		if v := moment(text); v != nil {
			out[property] = v
		}
	}
	if len(out) == 1 {
		return nil
	}
	return out
}

// moment is a day or an instant under the datatype that it is of (XML Schema 1.1, part 2);
// nil for what is neither.
func moment(text string) node {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return typed(text, "xsd:date")
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return typed(t.UTC().Format(time.RFC3339), "xsd:dateTime")
	}
	return nil
}

// cadence is the EU's word for how often there is something new.
func cadence(st query.Stream) string {
	if st.Standing.State == books.Past {
		return "NEVER"
	}
	return frequency(st.Every)
}

// frequency is the EU's word for how often windows close.
func frequency(every string) string {
	switch every {
	case "PT1M", "PT5M", "PT10M", "PT15M", "PT30M":
		return strings.TrimSuffix(strings.TrimPrefix(every, "PT"), "M") + "MIN"
	case "PT1H":
		return "HOURLY"
	case "PT2H":
		return "BIHOURLY"
	case "PT3H":
		return "TRIHOURLY"
	case "PT12H":
		return "12HRS"
	case "P1D":
		return "DAILY"
	}
	return "OTHER"
}
