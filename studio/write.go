package studio

import (
	"errors"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/yamldoc"
)

// write takes what was written in the form or in the file, and then does what its button says:
//
//	keep        nothing more
//	undo, redo  a state back, or forward
//	save        the file is written, unless somebody else has
//	over, take  of two files, ours or theirs
//	add, drop   an entry of a list
//	discard     the file goes, unless the council has voted it
func (s *Server) write(w http.ResponseWriter, r *http.Request) error {
	file, err := fileOf(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	do := r.PostForm.Get("do")
	if do != "take" && do != "discard" {
		if err := s.written(r, file); err != nil {
			return err
		}
	}
	switch what, _, _ := strings.Cut(do, " "); what {
	case "undo", "redo":
		by := map[string]int{"undo": -1, "redo": 1}[what]
		_, err = s.drafts.with(file, func(h *history) error {
			h.move(by)
			return nil
		})
	case "save":
		err = s.drafts.save(file, false)
	case "over":
		err = s.drafts.save(file, true)
	case "take":
		err = s.drafts.take(file)
	case "discard":
		if path.Dir(file) != "decisions" {
			return errMissing
		}
		if err = s.discard(file); err == nil {
			return s.goTo(w, r, "/")
		}
	}
	if err != nil && !errors.Is(err, errChanged) { // of which the page says all
		return err
	}
	return s.goTo(w, r, pathOf(file)+s.newest(file, do))
}

// newest is the place in the page of the entry that a button has added, or empty.
func (s *Server) newest(file, do string) string {
	list, adds := strings.CutPrefix(do, "add ")
	if !adds {
		return ""
	}
	sheet, err := s.drafts.look(file)
	if err != nil {
		return ""
	}
	v, err := value(sheet.Text)
	path := strings.Split(list, ".")
	n := len(entries(v, path...))
	if err != nil || n == 0 {
		return ""
	}
	return "#g-" + strings.Join(path, "-") + "-" + strconv.Itoa(n-1)
}

// written makes what was sent the newest state.
func (s *Server) written(r *http.Request, file string) error {
	_, err := s.drafts.with(file, func(h *history) error {
		if yaml, there := r.PostForm["yaml"]; there {
			h.add(strings.ReplaceAll(yaml[0], "\r\n", "\n"))
			return nil
		}
		text, err := s.filledIn(r, file, h)
		if err == nil {
			h.add(text)
		}
		return err
	})
	return err
}

// filledIn is the file with what was sent of its form. The form was made of some state, perhaps not
// the newest: only what differs from that is taken.
func (s *Server) filledIn(r *http.Request, file string, h *history) (string, error) {
	base := h.text()
	if i := slices.IndexFunc(h.states, func(x string) bool { return stateOf(x) == r.PostForm.Get("base") }); i >= 0 {
		base = h.states[i]
	}
	files, err := s.desk.Files()
	if err != nil {
		return "", err
	}
	files[file] = []byte(base)
	was, err := value(base)
	if err != nil {
		return h.text(), nil // of what cannot be read there is no form
	}
	is, err := value(h.text())
	if err != nil {
		return h.text(), nil
	}
	form := formFor(file, choicesOf(files, langOf(r)), was)
	v, err := form.fill(is, r.PostForm)
	if err != nil {
		return "", err
	}
	if v, err = form.change(v, r.PostForm.Get("do")); err != nil {
		return "", errElsewhere
	}
	out, err := yamldoc.Become([]byte(h.text()), v)
	if err != nil {
		return "", errElsewhere
	}
	return string(out), nil
}

// value is what a file says.
func value(text string) (any, error) {
	tree, err := yamldoc.ParseTree([]byte(text))
	if err != nil {
		return nil, err
	}
	return tree.Ordered()
}
