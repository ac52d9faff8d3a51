package studio

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strings"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/council"
	"sluice/policy/workspace"
)

// states of a decision, beside what is in force.
const (
	isNew     = "new"
	isChanged = "changed"
	isVoted   = "voted"
	isStopped = "suspended"
	isDraft   = "draft" // nothing is in force yet
)

// row is a decision in the list.
type row struct {
	ID, File, Title, State string
	Mistakes               int
	Unsaved                bool
}

// other is a file of the policy that is no decision.
type other struct {
	Key      string
	Mistakes int
	Unsaved  bool
}

// look is the directory as check sees it.
type look struct {
	files    bundle.Files
	chain    []*council.Enacted
	inForce  *bundle.Policy // of its last motion
	findings []check.Finding
	fine     []check.Summary
}

// look reads and checks the directory.
func (s *Server) look(ctx context.Context) (*look, error) {
	files, err := s.desk.Files()
	if err != nil {
		return nil, err
	}
	return s.lookAt(ctx, files)
}

// lookAt checks files, as if they were the directory's.
func (s *Server) lookAt(ctx context.Context, files bundle.Files) (*look, error) {
	chain, err := s.clerk().Chain()
	if err != nil {
		return nil, err
	}
	var inForce *bundle.Policy
	if last := workspace.Last(chain); last != nil {
		inForce = last.Policy
	}
	found, fine := check.Directory(ctx, s.o.Rules, files, inForce, s.today())
	return &look{files, chain, inForce, found, fine}, nil
}

// today is the day of the studio's clock.
func (s *Server) today() civil.Date {
	y, m, d := s.o.Now().Date()
	return civil.Date{Year: y, Month: int(m), Day: d}
}

// of are a file's findings.
func (l *look) of(file string) (list []check.Finding) {
	for _, f := range l.findings {
		if f.File == file {
			list = append(list, f)
		}
	}
	return list
}

// mistakes is how many of findings are more than warnings.
func mistakes(list []check.Finding) (n int) {
	for _, f := range list {
		if !f.Warning() {
			n++
		}
	}
	return n
}

// decisionFiles are the files of decisions, sorted.
func (l *look) decisionFiles() (list []string) {
	for name := range l.files {
		if path.Dir(name) == "decisions" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// decisions is the first page: every decision of the draft, with what is wrong with it.
func (s *Server) decisions(w http.ResponseWriter, r *http.Request) error {
	look, err := s.look(r.Context())
	if err != nil {
		return err
	}
	var rows []row
	for _, name := range look.decisionFiles() {
		head := headOf(look.files[name])
		one := row{ID: idOf(name), File: name, Title: langOf(r).Title(head.title), State: look.state(head.id, name),
			Mistakes: mistakes(look.of(name)), Unsaved: s.drafts.unsaved(name)}
		if one.Title == "" {
			one.Title = one.ID
		}
		rows = append(rows, one)
	}
	var files []other
	for _, key := range []string{"charter", "kinds", "council"} {
		files = append(files, other{key, mistakes(look.of(shownFiles[key])), s.drafts.unsaved(shownFiles[key])})
	}
	next, err := s.next(look)
	if err != nil {
		return err
	}
	return s.show(w, r, "decisions", map[string]any{"Decisions": rows, "Files": files, "Next": next})
}

// idOf is a file's name in addresses.
func idOf(file string) string { return strings.TrimSuffix(path.Base(file), ".yaml") }

// fileState compares a file that is no decision with what is in force.
func (l *look) fileState(file string) string {
	switch {
	case l.inForce == nil:
		return isDraft
	case string(l.inForce.Files[file]) == string(l.files[file]):
		return isVoted
	}
	return isChanged
}

// state compares a decision with what is in force.
func (l *look) state(id, file string) string {
	if l.inForce == nil {
		return isDraft
	}
	d := l.inForce.Decision(id)
	switch {
	case d == nil:
		return isNew
	case l.inForce.Suspension(id) != nil:
		return isStopped
	case string(d.YAML) == string(l.files[file]):
		return isVoted
	}
	return isChanged
}
