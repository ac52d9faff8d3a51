package archive

import (
	"strings"

	"sluice/internal/pattern"
)

// Formats of files.
const (
	CSV     = "csv.gz"
	Parquet = "parquet"
	SQLite  = "db"
)

// types are the media types of the formats: RFC 6713, and what IANA has registered.
var types = map[string]string{
	CSV: "application/gzip", Parquet: "application/vnd.apache.parquet", SQLite: "application/vnd.sqlite3",
}

// address is what a path names.
type address struct {
	stream, month string // month 2026-07; empty for the latest
	year          string // of a SQLite file, without a stream
	format        string
}

var (
	paths = pattern.New(
		`^([A-Za-z0-9][A-Za-z0-9_-]{0,99})/(?:([0-9]{4})/(0[1-9]|1[0-2])|latest)\.(csv\.gz|parquet)$`)
	years = pattern.New(`^([0-9]{4})\.db$`)
)

// parse reads the path of a file, below /archive/. Nothing else is ever a file of the
// archive, whatever is on the disk.
func parse(path string) (at address, ok bool) {
	if len(path) > 200 {
		return at, false
	}
	if m := years.FindStringSubmatch(path); m != nil {
		return address{year: m[1], format: SQLite}, true
	}
	m := paths.FindStringSubmatch(path)
	if m == nil {
		return at, false
	}
	at = address{stream: m[1], format: m[4]}
	if m[2] != "" {
		at.month = m[2] + "-" + m[3]
	}
	return at, true
}

// path is what parse reads.
func (at address) path() string {
	switch {
	case at.year != "":
		return at.year + "." + SQLite
	case at.month == "":
		return at.stream + "/latest." + at.format
	}
	return at.stream + "/" + strings.Replace(at.month, "-", "/", 1) + "." + at.format
}
