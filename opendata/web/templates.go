package web

import (
	"html/template"
	"sync"

	"sluice/opendata/i18n"
)

// templates are the pages by their names, in one locale each.
type templates map[locale]map[string]func() *template.Template

// parse reads each file once, with functions that all locales have. A locale's page is made of what was
// read when it is asked for: few pages are ever asked for in all languages, and a server starts the sooner.
func (w *Web) parse() (templates, error) {
	layout, err := w.template("layout.html", "page/ground.html")
	if err != nil {
		return nil, err
	}
	read := make(map[string]*template.Template)
	for _, name := range names {
		page, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if read[name], err = page.ParseFS(files, "page/"+name+".html"); err != nil {
			return nil, err
		}
	}
	if read["embed"], err = w.template("embed.html"); err != nil {
		return nil, err
	}
	all := make(templates)
	for _, lang := range i18n.Codes {
		for _, asked := range []bool{false, true} {
			v := locale{lang, asked}
			all[v] = make(map[string]func() *template.Template)
			for name, page := range read {
				all[v][name] = sync.OnceValue(func() *template.Template {
					// Only what was executed cannot be cloned.
					return template.Must(page.Clone()).Funcs(w.funcs(v))
				})
			}
		}
	}
	return all, nil
}

// template reads a page that begins with a file of its name, and others that it uses.
func (w *Web) template(name string, others ...string) (*template.Template, error) {
	return template.New(name).Funcs(w.funcs(locale{lang: i18n.Codes[0]})).
		ParseFS(files, append([]string{"page/" + name}, others...)...)
}
