package studio

import (
	"strings"
	"text/template"

	"sluice/policy/explain"
)

// blankFile is a file of a town that is being founded, with comments in a language.
func (s *Server) blankFile(l explain.Lang, name string) string {
	raw, err := assets.ReadFile("templates/" + name)
	must(err)
	t, err := template.New(name).Funcs(template.FuncMap(s.words(l))).Parse(string(raw))
	must(err)
	var b strings.Builder
	must(t.Execute(&b, nil))
	return b.String()
}
