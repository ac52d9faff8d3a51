package studio

import "net/http"

// shownFiles are the files that are shown and not edited here, by what addresses call them.
var shownFiles = map[string]string{"charter": "charter.yaml", "kinds": "kinds.yaml", "council": "council.yaml"}

// file shows a file of the policy with what is wrong with it.
func (s *Server) file(w http.ResponseWriter, r *http.Request) error {
	name := shownFiles[r.PathValue("name")]
	if name == "" {
		return errMissing
	}
	look, err := s.look(r.Context())
	if err != nil {
		return err
	}
	list := look.of(name)
	return s.show(w, r, "file", map[string]any{"Name": name, "Key": r.PathValue("name"),
		"YAML": string(look.files[name]), "Findings": inWords(list, langOf(r)), "Mistakes": mistakes(list)})
}
