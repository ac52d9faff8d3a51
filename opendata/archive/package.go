package archive

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"sluice/opendata/httpcache"
)

// field is a column, as Table Schema describes it (datapackage.org, version 2, which
// version 1 can read).
type field struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Format      string `json:"format,omitempty"`
	Description string `json:"description"`
}

// fields are the columns of all files, in order (store/table).
var fields = []field{
	{"start_utc", "datetime", "", "The first instant of the window, in UTC"},
	{"start_local", "datetime", "any", "The same in the city's time zone"},
	{"every", "string", "", "How long a window is (ISO 8601)"},
	{"cell", "string", "", "ZONE or ZONE/CATEGORY; ZONE/ in the rows of an epoch's two numbers"},
	{"measure", "string", "", "What is counted or measured"},
	{"value", "number", "", "The released number; empty unless status is published"},
	{"status", "string", "", "published, withheld (nobody, or too few), no_data or withdrawn"},
	{"low", "number", "", "The low end of an interval that holds what was counted in at least 95 of 100 windows"},
	{"high", "number", "", "The high end of that interval"},
	{"unit", "string", "", "The unit of value, low and high"},
	{"decision", "string", "", "The council's decision under which it was released"},
	{"simulation", "boolean", "", "True where sensors and people are made up"},
	{"end_utc", "datetime", "", "The first instant after the window, in UTC"},
	{"zone", "string", "", "The zone, an id of /api/v1/zones"},
	{"category", "string", "", "The category, where the stream has any"},
	{"gateway", "string", "", "The gateway that released it"},
	{"reason", "string", "", "Why there is no number, where that is public"},
	{"policy", "string", "", "The digest of the policy that it was released under"},
	{"mechanism", "string", "", "How noise was drawn: laplace, gauss, or exact for none"},
	{"epsilon", "number", "", "The share of the privacy budget that it was paid with"},
	{"scale", "number", "", "The scale of the noise, in units of value"},
	{"threshold", "number", "", "The number of units from which on it is published"},
	{"ledger", "integer", "", "The line of ledger.jsonl that paid for it"},
}

// missing is what stands for no value in the CSV files.
var missing = []string{""}

type tableSchema struct {
	Schema        string   `json:"$schema"`
	Fields        []field  `json:"fields"`
	PrimaryKey    []string `json:"primaryKey"`
	MissingValues []string `json:"missingValues"`
}

func schema(*http.Request) (*httpcache.Reply, error) {
	return indented("application/json", tableSchema{"https://datapackage.org/profiles/2.0/tableschema.json", fields,
		[]string{"start_utc", "cell", "measure", "gateway"}, missing})
}

func (a *Archive) manifest(r *http.Request) (*httpcache.Reply, error) {
	m, err := a.Manifest()
	if err != nil {
		return nil, err
	}
	for n := range m.Books {
		m.Books[n] = httpcache.At(r.Context(), m.Books[n])
	}
	return indented("application/json", m)
}

type licence struct {
	Name string `json:"name"`
	Path string `json:"path,omitempty"`
}

// resource is a file, with a path relative to the package's.
type resource struct {
	Name        string    `json:"name"`
	Title       string    `json:"title"`
	Path        string    `json:"path"`
	Type        string    `json:"type,omitempty"`
	Profile     string    `json:"profile,omitempty"` // of version 1
	Format      string    `json:"format"`
	MediaType   string    `json:"mediatype"`
	Encoding    string    `json:"encoding,omitempty"`
	Compression string    `json:"compression,omitempty"`
	Bytes       int64     `json:"bytes"`
	Hash        string    `json:"hash"`
	Licenses    []licence `json:"licenses,omitempty"`
	Schema      string    `json:"schema,omitempty"`
}

type dataPackage struct {
	Schema    string     `json:"$schema"`
	Name      string     `json:"name"`
	Title     string     `json:"title"`
	Homepage  string     `json:"homepage,omitempty"`
	Created   string     `json:"created,omitempty"`
	Licenses  []licence  `json:"licenses,omitempty"`
	Resources []resource `json:"resources"`
}

// dataPackage describes all files to Frictionless tools.
func (a *Archive) dataPackage(r *http.Request) (*httpcache.Reply, error) {
	m, err := a.Manifest()
	if err != nil {
		return nil, err
	}
	streams, err := a.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	titles, licences, all := make(map[string]string), make(map[string][]licence), []licence(nil)
	for _, st := range streams {
		if titles[st.ID] = st.Title["en"]; titles[st.ID] == "" {
			titles[st.ID] = st.ID
		}
		if st.Licence == "" {
			continue
		}
		own := licence{st.Licence, "https://spdx.org/licenses/" + st.Licence + ".html"}
		licences[st.ID] = []licence{own}
		if !slices.Contains(all, own) {
			all = append(all, own)
		}
	}
	name := "sluice-archive"
	if m.City != "" {
		name = m.City + "-archive"
	}
	p := dataPackage{Schema: "https://datapackage.org/profiles/2.0/datapackage.json", Name: name,
		Title: "What " + m.Name + " has released", Licenses: all, Resources: []resource{}}
	if a.base != "" {
		p.Homepage = a.base + "/archive"
	}
	if !m.Through.IsZero() {
		p.Created = m.Through.Format("2006-01-02T15:04:05Z")
	}
	for _, f := range m.Files {
		p.Resources = append(p.Resources, f.resource(titles[f.Stream], licences[f.Stream]))
	}
	return indented("application/json", p)
}

// resource describes a file.
func (f *File) resource(title string, own []licence) resource {
	r := resource{Name: strings.ToLower(strings.NewReplacer("/", "-", ".", "-").Replace(f.Path)), Title: title,
		Path: f.Path, Format: f.Format, MediaType: f.Type, Bytes: f.Bytes, Hash: "sha256:" + f.SHA256, Licenses: own}
	switch {
	case f.Format == SQLite:
		r.Title = "All closed months of " + strings.TrimSuffix(f.Path, "."+SQLite)
		return r
	case f.Month != "":
		r.Title += ", " + f.Month
	default:
		r.Title += ", latest"
	}
	r.Type, r.Profile, r.Schema = "table", "tabular-data-resource", "schema.json"
	if f.Format == CSV {
		r.Format, r.MediaType, r.Encoding, r.Compression = "csv", "text/csv", "utf-8", "gz"
	}
	return r
}

func indented(mime string, v any) (*httpcache.Reply, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(v)
	return &httpcache.Reply{Type: mime, Body: b.Bytes()}, err
}
