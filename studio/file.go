package studio

import (
	"net/http"
	"net/url"
)

// shownFiles are the files that are no decisions, by what addresses call them.
var shownFiles = map[string]string{"charter": "charter.yaml", "kinds": "kinds.yaml", "council": "council.yaml"}

// formed are those of them that have a form.
var formed = map[string]string{"charter": "charter.yaml", "council": "council.yaml"}

// pathOf is the page of a file.
func pathOf(file string) string {
	if id := idOf(file); formed[id] == file {
		return "/file/" + id
	}
	return "/draft/" + url.PathEscape(idOf(file))
}

// file shows a file of the policy with what is wrong with it, and with its form where it has one.
func (s *Server) file(w http.ResponseWriter, r *http.Request) error {
	name := shownFiles[r.PathValue("name")]
	if name == "" {
		return errMissing
	}
	if formed[idOf(name)] != "" {
		return s.draft(w, r)
	}
	look, err := s.look(r.Context())
	if err != nil {
		return err
	}
	list := look.of(name)
	return s.show(w, r, "file", map[string]any{"Name": name, "Key": r.PathValue("name"),
		"YAML": string(look.files[name]), "Findings": inWords(list, langOf(r)), "Mistakes": mistakes(list)})
}
