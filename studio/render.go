package studio

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"sluice/brief"
	"sluice/policy/council"
	"sluice/policy/explain"
)

//go:embed templates/*.html templates/*.yaml static/* style.css
var assets embed.FS

// pages are the templates, by page: each with the layout around it, and the fields of forms.
type pages map[string]*template.Template

func readPages() pages {
	out := make(pages)
	names, err := fs.Glob(assets, "templates/*.html")
	must(err)
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page == "layout" || page == "field" {
			continue
		}
		t := template.New("layout.html").Funcs((&Server{}).words(0))
		out[page] = template.Must(t.ParseFS(assets, "templates/layout.html", "templates/field.html", name))
	}
	return out
}

// words are what templates say.
func (s *Server) words(l explain.Lang) template.FuncMap {
	return template.FuncMap{
		"t":        func(key string, parts ...any) string { return say(l, key, parts...) },
		"tn":       func(key string, n int) string { return sayN(l, key, n) },
		"href":     func(path string) string { return s.base(l) + path },
		"in":       func(code, path string) string { return "/" + s.secret + "/" + code + path },
		"lang":     func() string { return l.String() },
		"language": func(code string) string { return languages[code] },
		"date":     l.Date,
	}
}

// view is what the layout shows around a page.
type view struct {
	City, Path string
	Nav        []stop
	Langs      []string
	Page       any
}

// Here reports whether an entry of the navigation leads to this page.
func (v view) Here(n stop) bool { return n.within(v.Path) }

// show answers with a page.
func (s *Server) show(w http.ResponseWriter, r *http.Request, page string, data any) error {
	return s.showWith(w, r, http.StatusOK, page, data)
}

func (s *Server) showWith(w http.ResponseWriter, r *http.Request, status int, page string, data any) error {
	l := langOf(r)
	t, err := s.pages[page].Clone()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	v := view{s.desk.city(), r.URL.Path, nav, []string{"ca", "en", "es"}, data}
	if s.desk.founding() {
		v.City, v.Nav = "Sluice", nil
	}
	if err := t.Funcs(s.words(l)).Execute(&b, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", l.String())
	w.WriteHeader(status)
	_, err = w.Write(b.Bytes())
	return err
}

// part answers with a part of a page, for its script to put in place of what stands there.
func (s *Server) part(w http.ResponseWriter, r *http.Request, page, name string, data any) error {
	t, err := s.pages[page].Clone()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Funcs(s.words(langOf(r))).ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write(b.Bytes())
	return err
}

// goTo sends the browser to another page.
func (s *Server) goTo(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, s.base(langOf(r))+path, http.StatusSeeOther)
	return nil
}

// fault is an error with a status and a sentence of its own.
type fault struct {
	status int
	key    string
}

func (f *fault) Error() string { return f.key }

// errMissing: there is no such page, decision or motion.
var errMissing = &fault{http.StatusNotFound, "layout.missing"}

func (s *Server) missing(http.ResponseWriter, *http.Request) error { return errMissing }

// problem shows what is wrong.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, err error) {
	l, status, text := langOf(r), http.StatusInternalServerError, brief.Report(err.Error())
	var known *fault
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		status, text = http.StatusRequestEntityTooLarge, say(l, "layout.long")
	case errors.As(err, &known):
		status, text = known.status, say(l, known.key)
	}
	view := map[string]string{"Text": text, "Motion": ""}
	if id := r.PathValue("id"); strings.Contains(r.Pattern, " /vote/{id}/") && council.GoodID(id) {
		view["Motion"] = id // whoever hands in a ballot goes on there
	}
	if s.showWith(w, r, status, "problem", view) != nil {
		refuse(w, status, text)
	}
}

// static serves styles and scripts.
func (s *Server) static(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	from := "static/" + name
	if name == "style.css" {
		from = name
	}
	raw, err := assets.ReadFile(from)
	if err != nil {
		return errMissing
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	_, err = w.Write(raw)
	return err
}
