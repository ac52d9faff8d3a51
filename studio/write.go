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
		clash, err := s.written(r, file)
		if err != nil {
			return err
		}
		if clash && do == "save" {
			do = "keep" // the page says it first
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

// written makes what was sent the newest state. It reports whether that takes the place of what another
// page has written since this one was made.
func (s *Server) written(r *http.Request, file string) (clash bool, err error) {
	_, err = s.drafts.with(file, func(h *history) error {
		others := h.others(r.PostForm.Get("base"), r.PostForm.Get("page"))
		var text string
		if yaml, there := r.PostForm["yaml"]; there {
			text = strings.ReplaceAll(yaml[0], "\r\n", "\n")
			clash = len(others) > 0 && text != h.text()
		} else if text, clash, err = s.filledIn(r, file, h, others); err != nil {
			return err
		}
		h.clash = h.clash || clash
		h.wrote(text, r.PostForm.Get("page"))
		h.add(text)
		return nil
	})
	return clash, err
}

// filledIn is the file with what was sent of its form. The form was made of some state, perhaps not
// the newest: only what differs from that is taken. It reports whether others have changed some of that
// since, too.
func (s *Server) filledIn(
	r *http.Request, file string, h *history, others []turn,
) (text string, clash bool, err error) {
	base := h.text()
	if i := slices.IndexFunc(h.states, func(x string) bool { return stateOf(x) == r.PostForm.Get("base") }); i >= 0 {
		base = h.states[i]
	}
	files, err := s.desk.Files()
	if err != nil {
		return "", false, err
	}
	files[file] = []byte(base)
	was, err := value(base)
	if err != nil {
		return h.text(), false, nil // of what cannot be read there is no form
	}
	is, err := value(h.text())
	if err != nil {
		return h.text(), false, nil
	}
	form := formFor(file, choicesOf(files, langOf(r)), was)
	v, err := form.fill(is, r.PostForm)
	if err != nil {
		return "", false, err
	}
	clash = form.clash(others, is, v)
	if v, err = form.change(v, r.PostForm.Get("do")); err != nil {
		return "", false, errElsewhere
	}
	out, err := yamldoc.Become([]byte(h.text()), v)
	if err != nil {
		return "", false, errElsewhere
	}
	return string(out), clash, nil
}

// clash reports whether what is to be written differs from what is there in a field that others have
// changed.
func (f *form) clash(others []turn, is, v any) bool {
	for _, one := range others {
		before, err := value(one.before)
		if err != nil {
			continue
		}
		after, err := value(one.after)
		if err != nil {
			continue
		}
		for _, g := range f.groups {
			for _, x := range g.Fields {
				if !slices.Equal(x.shows(before), x.shows(after)) && !slices.Equal(x.shows(is), x.shows(v)) {
					return true
				}
			}
		}
	}
	return false
}

// value is what a file says.
func value(text string) (any, error) {
	tree, err := yamldoc.ParseTree([]byte(text))
	if err != nil {
		return nil, err
	}
	return tree.Ordered()
}
