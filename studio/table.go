package studio

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/decision"
	"sluice/policy/explain"
	"sluice/policy/workspace"
)

// table puts the directory to the vote, as sluice motion create does.
func (s *Server) table(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	id := strings.TrimSpace(r.PostForm.Get("id"))
	if !council.GoodID(id) {
		return s.motionsWith(w, r, http.StatusBadRequest, order{ID: id, WrongID: "vote.badname"})
	}
	if err := s.ours(id); err != nil {
		return err
	}
	p, wrong, err := s.votable(r)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return s.motionsWith(w, r, http.StatusConflict, order{ID: id, Wrong: wrong})
	}
	names, err := s.motionNames()
	if err != nil {
		return err
	}
	if len(names) >= maxMotions {
		return &fault{http.StatusConflict, "vote.many"}
	}
	taken, err := s.taken(id)
	if err != nil {
		return err
	}
	if taken {
		return s.motionsWith(w, r, http.StatusConflict, order{ID: id, WrongID: "vote.taken"})
	}
	// What was sent to members already could not be signed any more.
	if slices.Contains(names, id) && r.PostForm.Get("replace") == "" {
		return s.motionsWith(w, r, http.StatusConflict, order{ID: id, WrongID: "vote.there", There: true})
	}
	if _, err := s.clerk().Create(workspace.Order{ID: id, Now: s.o.Now(), Policy: p}); err != nil {
		return voteFault(err)
	}
	return s.goTo(w, r, "/vote/"+id)
}

// ours refuses a motion's place, and other files, that a link has moved out of the directory.
func (s *Server) ours(id string, others ...string) error {
	of := path.Join("motions", id)
	for _, name := range append(others, "motions", of, path.Join(of, council.BallotsName)) {
		if err := s.inside(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errMissing
		}
	}
	return nil
}

// taken reports whether a motion of this name has ballots, or is enacted.
func (s *Server) taken(id string) (bool, error) {
	if raw, err := s.kept(path.Join("motions", id, id+".sluice")); err != nil || raw != nil {
		return true, err
	}
	dir, err := s.desk.root.Open(path.Join("motions", id, council.BallotsName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer dir.Close()
	list, _ := dir.ReadDir(1) // an empty one is an error to it
	return len(list) > 0, nil
}

// obstacle is a mistake for which no motion is made of the draft, and the page of its file; no path
// where the studio has none.
type obstacle struct {
	File, Path string
	sentence
}

// obstacles are mistakes as a page shows them.
func obstacles(list []check.Finding, l explain.Lang) (out []obstacle) {
	for i, one := range inWords(list, l) {
		o := obstacle{File: list[i].File, sentence: one}
		switch dir, name := path.Split(o.File); {
		case dir == "decisions/":
			o.Path = "/draft/" + idOf(name)
		case shownFiles[idOf(name)] == o.File:
			o.Path = "/file/" + idOf(name)
		}
		out = append(out, o)
	}
	return out
}

// votable is the draft, if a motion may be made of it; what stands in the way otherwise.
func (s *Server) votable(r *http.Request) (*bundle.Policy, []obstacle, error) {
	wrong := &fault{http.StatusConflict, "vote.wrong"}
	look, err := s.look(r.Context())
	if err != nil {
		return nil, nil, err
	}
	list := check.PassedOver(s.desk.dir) // a motion would leave these files out
	list = append(list, check.Unvoted(r.Context(), s.o.Rules, look.files, look.inForce, s.today())...)
	if len(list) > 0 {
		return nil, obstacles(list, langOf(r)), nil
	}
	p, err := bundle.Read(look.files)
	if err != nil {
		return nil, nil, wrong
	}
	set, err := compile.Policy(r.Context(), s.o.Rules, p)
	if err != nil {
		return nil, nil, err
	}
	if len(set.Broken) > 0 {
		return nil, nil, wrong
	}
	if need := council.Most(p.Charter); len(p.Council.Members) < need {
		few := obstacle{File: "council.yaml", Path: pathOf("council.yaml")}
		few.What = say(langOf(r), "vote.few", need, len(p.Council.Members))
		return nil, []obstacle{few}, nil
	}
	return p, nil, nil
}

// enact writes the file that gateways take, as sluice motion enact does.
func (s *Server) enact(w http.ResponseWriter, r *http.Request) error {
	p, err := s.open(r)
	if err != nil {
		return err
	}
	if err := s.ours(p.ID, path.Join("motions", p.ID, p.ID+".sluice")); err != nil {
		return err
	}
	if _, _, _, err := s.clerk().Enact(p.ID, s.o.Now(), s.o.Inboxes); err != nil {
		return voteFault(err)
	}
	return s.goTo(w, r, "/vote/"+p.ID)
}

// suspend puts a suspension to the vote, as sluice motion suspend does.
func (s *Server) suspend(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	chain, err := s.clerk().Chain()
	if err != nil {
		return voteFault(err)
	}
	id := r.PostForm.Get("decision")
	reason, wrong := decision.Words{}, "vote.noreason"
	for _, code := range s.cityLanguages(chain) {
		if text := strings.TrimSpace(r.PostForm.Get("reason-" + code)); text != "" {
			if reason[code] = text; wrong != "vote.badreason" {
				wrong = ""
			}
			if decision.Fault(text) != "" {
				wrong = "vote.badreason"
			}
		}
	}
	if wrong != "" {
		return s.motionsWith(w, r, http.StatusBadRequest, order{Decision: id, Reasons: reason, WrongReason: wrong})
	}
	known := false
	for _, d := range s.stoppable(langOf(r), chain) {
		known = known || d.ID == id
	}
	if !known {
		return errMissing
	}
	if err := s.ours("suspend", "suspended.yaml"); err != nil {
		return err
	}
	// One that is put to the vote already is shown: whoever has its text may be signing it.
	there := fmt.Sprintf("suspend-%s-v%d", id, workspace.Last(workspace.InForce(chain, s.o.Now())).Version+1)
	if s.inside(path.Join("motions", there, council.TextName)) == nil {
		return s.goTo(w, r, "/vote/"+there)
	}
	m, _, _, err := s.clerk().Suspend(workspace.Stop{Decision: id, Reason: reason, Now: s.o.Now()})
	if err != nil {
		return voteFault(err)
	}
	return s.goTo(w, r, "/vote/"+m.ID)
}
