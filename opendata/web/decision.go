package web

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

type decisionPage struct {
	books.Decision
	Standing books.Standing
	Streams  []query.Stream
	Lang     string // of the text
}

// Text is the decision in plain words, cut into sections.
func (p decisionPage) Text() []section { return sections(p.Explain[p.Lang]) }

// Changes are the lines of what was different before.
func (p decisionPage) Changes() []string { return p.Diff[p.Lang] }

// Asked are the pages elsewhere that it names and that can be linked to.
func (p decisionPage) Asked() []books.Consultation {
	return slices.DeleteFunc(slices.Clone(p.Consultation), func(c books.Consultation) bool { return !c.Followable() })
}

// section is a title and its sentences.
type section struct {
	Title string
	Lines []string
}

// sections reads a text of policy/explain: titles underlined with hyphens.
func sections(text string) (out []section) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		underlined := i+1 < len(lines) && lines[i+1] != "" && strings.Trim(lines[i+1], "-") == ""
		switch {
		case underlined:
			out = append(out, section{Title: line})
		case line == "" || strings.Trim(line, "-") == "" || len(out) == 0:
		default:
			out[len(out)-1].Lines = append(out[len(out)-1].Lines, line)
		}
	}
	return out
}

// decisionRow is a decision in the list.
type decisionRow struct {
	books.Decision
	Standing books.Standing
}

func (w *Web) decisions(*http.Request, *i18n.Localizer) (any, error) {
	list, err := w.source.Books.Decisions()
	out := make([]decisionRow, len(list))
	for i, d := range list {
		out[i] = decisionRow{d, d.Standing()}
	}
	return out, err
}

func (w *Web) decision(r *http.Request, s *i18n.Localizer) (any, error) {
	list, err := w.source.Books.Decisions()
	if err != nil {
		return nil, err
	}
	streams, err := w.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(list, func(d books.Decision) bool { return d.ID == r.PathValue("id") })
	if at < 0 {
		return nil, query.ErrUnknown
	}
	p := decisionPage{Decision: list[at], Standing: list[at].Standing(), Lang: s.Code}
	// A suspension is described, with the council's reason.
	p.Problems = slices.DeleteFunc(slices.Clone(p.Problems), func(x string) bool {
		return strings.HasPrefix(x, "S01: ")
	})
	if p.Explain[p.Lang] == "" {
		p.Lang = "en"
	}
	for _, st := range streams {
		if st.Decision == p.ID {
			p.Streams = append(p.Streams, st)
		}
	}
	return p, nil
}

// file serves a file of a decision as the gateway wrote it, such as the proof of a vote.
func (w *Web) file(r *http.Request) (*httpcache.Reply, error) {
	name := r.PathValue("file")
	if !served(name) {
		return nil, query.ErrUnknown
	}
	raw, err := w.source.Books.Source.Get("decisions/" + r.PathValue("id") + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, query.ErrUnknown
	}
	mime := "text/plain; charset=utf-8"
	if path.Ext(name) == ".gz" {
		mime = "application/gzip"
	}
	return &httpcache.Reply{Type: mime, Body: raw}, err
}

// served reports whether a file of a decision is public.
func served(name string) bool {
	switch name {
	case "decision.yaml", "motion.txt", "bundle.tar.gz", "allowed_signers", "statement_signers":
		return true
	}
	dir, file := path.Split(name)
	switch dir {
	case "":
		return path.Ext(file) == ".txt" && (strings.HasPrefix(file, "explain.") || strings.HasPrefix(file, "changes."))
	case "ballots/":
		return path.Ext(file) == ".sig" || path.Ext(file) == ".txt"
	}
	return false
}
