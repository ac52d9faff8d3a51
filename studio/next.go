package studio

import (
	"fmt"
	"path"
	"path/filepath"

	"sluice/policy/council"
)

// step is one of those from an empty directory to the first decision in force; without a path where it
// cannot be done yet, or is done.
type step struct {
	Key, Path string
	Done      bool
}

// next are the steps to the first decision in force; none once anything is enacted.
func (s *Server) next(l *look) ([]step, error) {
	if len(l.chain) > 0 {
		return nil, nil
	}
	decisions, wrong := l.decisionFiles(), mistakes(l.findings)
	mend, open := "", ""
	for _, f := range l.findings {
		if known := path.Dir(f.File) == "decisions" || formed[idOf(f.File)] == f.File; known && !f.Warning() {
			mend = pathOf(f.File)
			break
		}
	}
	names, err := s.motionNames()
	if err != nil {
		return nil, err
	}
	for _, id := range names {
		if council.GoodID(id) {
			open = id
		}
	}
	vote := "/vote"
	if open != "" {
		vote += "/" + open
	}
	begun := len(decisions) > 0
	look, assess, assessed := "", "", false
	if begun {
		assess = "/dpia"
		if x, err := s.dossier(0); err == nil { // of what cannot be read the third step says why
			assessed = len(x.in.Due) == 0
		}
		look = "/see/" + idOf(decisions[0])
	}
	return []step{{"town", "/file/charter", true}, {"decision", "/new", begun}, {"mend", mend, begun && wrong == 0},
		{"see", look, false}, {"assess", assess, assessed}, {"motion", "/vote", open != ""},
		{"sign", vote, false}}, nil
}

// gatewayLine is what gateway.yaml says of where policies come from: the inbox, and the council whose
// first motion is taken.
func (s *Server) gatewayLine(roster string) string {
	inbox := "/var/lib/sluice/inbox"
	if len(s.o.Inboxes) > 0 {
		inbox = s.o.Inboxes[0]
		if whole, err := filepath.Abs(inbox); err == nil {
			inbox = whole
		}
	}
	return fmt.Sprintf("policy: {inbox: %q, every: PT1M, roster: \"sha256:%s\"}", inbox, roster)
}
