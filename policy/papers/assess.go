package papers

import (
	"io"
	"os"

	"sluice/internal/civil"
	"sluice/policy/dpia"
	"sluice/policy/explain"
	"sluice/policy/workspace"
)

// Assessment is what the impact assessment says of a decision that a motion brings, or weakens.
type Assessment struct {
	Decision string
	// Due says why it is to be assessed; Changes are those that protect less, none where it is new.
	Due     string
	Changes []string
	// Said is whether dpia.yaml says that it was assessed as it is now, and when.
	Said string
	Done bool
}

// Assessments are those of the decisions that are new or protect less than what is in force; none once
// the motion is enacted.
func (p *Papers) Assessments(l explain.Lang) (list []Assessment) {
	if p.Enacted != nil {
		return nil
	}
	for _, x := range p.weakened {
		a := Assessment{Decision: x.Decision, Due: say(l, "assess.new", x.Decision), Said: say(l, "assess.open")}
		if len(x.Changes) > 0 {
			a.Due = say(l, "assess.weaker", x.Decision)
		}
		for _, c := range x.Changes {
			a.Changes = append(a.Changes, c.Words(l))
		}
		switch a.Done = x.Assessed; {
		case x.Assessed && x.On == (civil.Date{}):
			a.Said = say(l, "assess.undated")
		case x.Assessed:
			a.Said = say(l, "assess.done", l.Date(x.On))
		}
		list = append(list, a)
	}
	return list
}

// answers reads dpia.yaml of the directory. What cannot be read has assessed nothing.
func answers(d workspace.Dir) *dpia.Answers {
	f, err := os.OpenInRoot(string(d), dpia.AnswersName)
	if err != nil {
		return &dpia.Answers{}
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, dpia.MaxAnswers+1))
	if err != nil {
		return &dpia.Answers{}
	}
	a, err := dpia.ParseAnswers(dpia.AnswersName, raw)
	if err != nil {
		return &dpia.Answers{}
	}
	return a
}
