package archive

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// File is a file that is offered, at /archive/ and its path.
type File struct {
	Path   string    `json:"path"`
	Stream string    `json:"stream,omitempty"` // of a month
	Month  string    `json:"month,omitempty"`  // 2026-07, in the stream's time zone
	Format string    `json:"format"`           // csv.gz, parquet or db
	Type   string    `json:"type"`             // the media type
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"` // of the file
	Rows   int64     `json:"rows"`
	From   time.Time `json:"from"` // of the windows' starts
	To     time.Time `json:"to"`
	Closed bool      `json:"closed"` // it does not change, unless something is withdrawn
	// TextSHA256 is the SHA-256 of a CSV file before compression. Books are the lines of the
	// public books that say the same of each gateway's rows.
	TextSHA256 string `json:"text_sha256,omitempty"`
	Books      []Line `json:"books,omitempty"`
}

// Line names a line of a gateway's archive.jsonl.
type Line struct {
	Gateway string `json:"gateway"`
	Line    int64  `json:"line"`
	Stream  string `json:"stream"`
	Month   string `json:"month"`
	Rows    int64  `json:"rows"`
	SHA256  string `json:"sha256"` // of the text of this gateway's rows
}

// Why a file is left out.
const (
	Differs  = "differs"   // the store has not what the books say
	Waiting  = "waiting"   // a gateway has not said yet what the month has
	Changing = "changing"  // something was withdrawn since
	Removed  = "removed"   // numbers were removed: their decision's time was over
	TooLarge = "too_large" // the archive may not take so many bytes
)

// LeftOut is a file that is not offered, and why.
type LeftOut struct {
	Path    string `json:"path"`
	Why     string `json:"why"`
	Gateway string `json:"gateway,omitempty"`
}

// LeftOutError is why a file cannot be made of what there is.
type LeftOutError struct{ LeftOut }

func (e *LeftOutError) Error() string { return "left out: " + e.Why }

// Changed is a month that was closed, and closed again with other rows: something in it was
// withdrawn, or came late.
type Changed struct {
	Stream  string    `json:"stream"`
	Month   string    `json:"month"`
	Gateway string    `json:"gateway"`
	Line    int64     `json:"line"`
	At      time.Time `json:"at"`
	SHA256  string    `json:"sha256"`
	// Replaces is the line before, and Was its digest.
	Replaces int64  `json:"replaces"`
	Was      string `json:"was"`
}

// Manifest is what is offered.
type Manifest struct {
	City     string    `json:"city"`
	Name     string    `json:"name"`
	Timezone string    `json:"timezone"`
	Books    []string  `json:"books"`            // where the public books' lines are
	Through  time.Time `json:"through,omitzero"` // released until then
	Maximum  int64     `json:"maximum"`          // bytes that all files may take
	Files    []File    `json:"files"`            // by path
	LeftOut  []LeftOut `json:"left_out"`         // by path
	Changed  []Changed `json:"changed"`
}

// Manifest returns what is offered now.
func (a *Archive) Manifest() (Manifest, error) {
	city, err := a.source.Books.City()
	if err != nil {
		return Manifest{}, err
	}
	gateways, err := a.source.Books.Gateways()
	if err != nil {
		return Manifest{}, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	m := Manifest{City: city.ID, Name: city.Name, Timezone: city.Timezone, Through: a.through, Maximum: a.max,
		Books: []string{"/books/archive.jsonl"}, Files: []File{}, LeftOut: slices.Clone(a.leftOut),
		Changed: slices.Clone(a.changed)}
	if len(gateways) > 1 {
		m.Books = nil
		for _, g := range gateways {
			m.Books = append(m.Books, "/books/gateways/"+g.Name+"/archive.jsonl")
		}
	}
	for _, path := range slices.Sorted(maps.Keys(a.files)) {
		m.Files = append(m.Files, a.files[path].File)
	}
	if m.LeftOut == nil {
		m.LeftOut = []LeftOut{}
	}
	if m.Changed == nil {
		m.Changed = []Changed{}
	}
	slices.SortFunc(m.LeftOut, func(x, y LeftOut) int { return strings.Compare(x.Path, y.Path) })
	return m, nil
}
