package studio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"sluice/policy/ballot"
	"sluice/policy/council"
	"sluice/policy/workspace"
)

// maxBallots bounds the files that are handed in at once.
const maxBallots = 200

// ballot takes ballots for a motion: signatures, and the texts of those that are against it or
// abstain. Each is verified before it is kept, in its one form and under its member's name.
func (s *Server) ballot(w http.ResponseWriter, r *http.Request) error {
	p, err := s.open(r)
	if err != nil {
		return err
	}
	if p.Enacted != nil {
		return &fault{http.StatusConflict, "vote.closed"}
	}
	kept, err := s.accepted(p.ID, r)
	var known *fault
	if errors.As(err, &known) {
		return s.motionWith(w, r, p, known.status, say(langOf(r), known.key))
	}
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(kept)) { // a text comes before its signature
		if err := s.desk.Write(path.Join("motions", p.ID, name), none, kept[name]); err != nil {
			return err
		}
	}
	return s.goTo(w, r, "/vote/"+p.ID+"#people")
}

// accepted are the files of a form that are ballots for the motion, and new.
func (s *Server) accepted(id string, r *http.Request) (map[string][]byte, error) {
	sent, err := handedIn(r)
	if err != nil {
		return nil, err
	}
	return s.verified(id, sent)
}

// withdraw takes what a member has signed out of the ballots, so that they can vote anew.
func (s *Server) withdraw(w http.ResponseWriter, r *http.Request) error {
	p, err := s.open(r)
	if err != nil {
		return err
	}
	if p.Enacted != nil {
		return &fault{http.StatusConflict, "vote.closed"}
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	_, err = s.clerk().Withdraw(p.ID, r.PostForm.Get("member"))
	if errors.Is(err, workspace.ErrNoBallot) {
		return errMissing
	}
	if err != nil {
		return err
	}
	return s.goTo(w, r, "/vote/"+p.ID+"#people")
}

// handedIn are the files of a form, by their names.
func handedIn(r *http.Request) (map[string][]byte, error) {
	if err := r.ParseMultipartForm(maxBody); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return nil, err
		}
		return nil, &fault{http.StatusBadRequest, "vote.nofile"}
	}
	files := r.MultipartForm.File["files"]
	if len(files) == 0 || len(files) > maxBallots {
		return nil, &fault{http.StatusBadRequest, "vote.nofile"}
	}
	out := make(map[string][]byte)
	for i, h := range files {
		f, err := h.Open()
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(io.LimitReader(f, ballot.MaxFile+1))
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		if bytes.Contains(raw, []byte("PRIVATE KEY")) {
			return nil, &fault{http.StatusConflict, "vote.private"}
		}
		name := path.Base(strings.ReplaceAll(h.Filename, `\`, "/"))
		if out[council.BallotsName+name] != nil { // from two directories
			name = fmt.Sprintf("%d-%s", i, name)
		}
		out[council.BallotsName+name] = raw
	}
	return out, nil
}

// verified are the files among these that are new, as gateways take them; an error if any of them
// is no ballot for the motion.
func (s *Server) verified(id string, sent map[string][]byte) (map[string][]byte, error) {
	there, _, err := s.clerk().Load(id)
	if err != nil {
		return nil, err
	}
	voters, err := s.clerk().Voters(there)
	if err != nil {
		return nil, err
	}
	fresh := council.Parts{council.TextName: there[council.TextName]}
	for _, problem := range fresh.Collect(voters, sent) {
		if !council.IsMisnamed(problem) {
			return nil, ballotFault(problem)
		}
	}
	delete(fresh, council.TextName)
	all := maps.Clone(there)
	maps.Copy(all, fresh)
	v, err := s.clerk().Verifier(there)
	if err != nil {
		return nil, err
	}
	count, err := v.Count(all)
	if err != nil {
		return nil, voteFault(err)
	}
	for _, m := range count.Members {
		for _, problem := range []error{m.Problem, m.Misstated} {
			if problem != nil && mentions(fresh, m.ID) {
				return nil, ballotFault(problem)
			}
		}
	}
	for name := range fresh {
		if there[name] != nil { // the member has signed already
			delete(fresh, name)
		}
	}
	return fresh, nil
}

// mentions reports whether parts have a ballot of a member.
func mentions(parts council.Parts, member string) bool {
	for name := range parts {
		rest := strings.TrimPrefix(name, council.BallotsName+member)
		if rest == ".sig" || rest == ".txt" || rest == ".txt.sig" {
			return true
		}
	}
	return false
}

// ballotFault is why a file is not taken, in the page's language.
func ballotFault(err error) error {
	if known := voteFault(err); known != err {
		return known
	}
	return &fault{http.StatusConflict, "vote.nosignature"}
}

// kept reads a file of a motion; nil where it is not there.
func (s *Server) kept(name string) ([]byte, error) {
	f, err := s.desk.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, council.MaxFile+1))
}
