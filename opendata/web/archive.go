package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"sluice/opendata/archive"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// archivePage is what the archive offers, by stream.
type archivePage struct {
	archive.Manifest
	Streams []archived
	Years   []archive.File
	// Sample is a closed month that the recipes are about; nil where there is none.
	Sample *archive.File
	// First is any CSV file; nil where there is none.
	First *archive.File
}

// archived is the files of one stream.
type archived struct {
	query.Stream
	Latest []archive.File // CSV and Parquet, or none
	Months []archivedMonth
}

// archivedMonth is a closed month's files, the latest month first.
type archivedMonth struct {
	Name  string // 2026-07
	Files []archive.File
}

// Sum is the digest of the month's text.
func (m archivedMonth) Sum() string {
	for _, f := range m.Files {
		if f.TextSHA256 != "" {
			return f.TextSHA256
		}
	}
	return ""
}

// archive is the page of whole files.
func (w *Web) archive(r *http.Request, _ *i18n.Localizer) (any, error) {
	streams, err := w.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	p := archivePage{}
	if p.Manifest, err = w.files.Manifest(); err != nil {
		return nil, err
	}
	at := make(map[string]int)
	for i, st := range streams {
		p.Streams = append(p.Streams, archived{Stream: st})
		at[st.ID] = i
	}
	for i := range p.Files {
		f := &p.Files[i]
		n, known := at[f.Stream]
		switch {
		case f.Format == archive.SQLite:
			p.Years = append(p.Years, *f)
			continue
		case !known:
			continue
		}
		st := &p.Streams[n]
		switch last := len(st.Months) - 1; {
		case f.Month == "":
			st.Latest = append(st.Latest, *f)
		case last >= 0 && st.Months[last].Name == f.Month:
			st.Months[last].Files = append(st.Months[last].Files, *f)
		default:
			st.Months = append(st.Months, archivedMonth{f.Month, []archive.File{*f}})
		}
		if f.Format == archive.CSV {
			p.First = cmp.Or(p.First, f)
			if f.Closed {
				p.Sample = cmp.Or(p.Sample, f)
			}
		}
	}
	for i := range p.Streams {
		slices.Reverse(p.Streams[i].Months)
	}
	return p, nil
}

// whyLeftOut says why a file is not offered.
func whyLeftOut(s *i18n.Localizer, why string) string {
	switch why {
	case archive.Differs:
		return s.Say("The store does not have what the public books say. The gateway's operator has to look.")
	case archive.Waiting:
		return s.Say("A gateway has not said yet what the month has.")
	case archive.Changing:
		return s.Say("Something was withdrawn; the month is being made again.")
	case archive.Removed:
		return s.Say("Numbers were removed because their decision keeps them no longer.")
	}
	return s.Say("The server has no room for it.")
}

// inBytes is a size as people read it, on one line.
func inBytes(s *i18n.Localizer, n int64) string {
	text := s.Say("%d MB", int((n+999_999)/1_000_000))
	if n < 1_000_000 {
		text = s.Say("%d kB", int((n+999)/1000))
	}
	return strings.ReplaceAll(text, " ", "\u00a0")
}

// formatName is the name of a format.
func formatName(format string) string {
	return strings.NewReplacer(archive.CSV, "CSV", archive.Parquet, "Parquet", archive.SQLite, "SQLite").Replace(format)
}

// archiveFuncs are those of the page of files.
func archiveFuncs(s *i18n.Localizer) map[string]any {
	return map[string]any{
		"bytes":  func(n int64) string { return inBytes(s, n) },
		"count":  func(n int64) string { return s.Number(float64(n)) },
		"rows":   func(n int64) string { return s.Say("%d rows", int(n)) },
		"format": formatName,
		"why":    func(why string) string { return whyLeftOut(s, why) },
		"head":   func(text string) string { return text[:min(len(text), 12)] },
	}
}
