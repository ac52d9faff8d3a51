package dpia

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/civil"
	"sluice/internal/names"
	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/explain"
)

// AnswersName is the file of a policy directory that has people's answers. It is no part of the
// policy: members do not sign it.
const AnswersName = "dpia.yaml"

// MaxAnswers bounds its length, in bytes.
const MaxAnswers = 256 << 10

// Answers are what only people know, and are asked again when a policy changes. The file is read
// strictly:
//
//	city:
//	  processors: {ca: "…", en: "…"}       # a text by language, or one for all
//	  information: "…"                     # also consent, access, erasure, objection, transfers, security
//	  officer: {name: "…", opinion: "…"}   # also people: {name, opinion}
//	  outcome: {is: approved, on: 2026-12-01, by: "…", why: "…"}
//	plan: [{what: "…", who: "…", by: 2027-03-01, done: false}]
//	decisions:
//	  "2026-14":
//	    context: "…"                       # also necessity, risks
//	    grades: {published: {severity: 3, likelihood: 2, why: "…"}}
//	    assessed: {on: 2026-12-01, of: "sha256:…"}
type Answers struct {
	City      City              `yaml:"city"`
	Plan      []Action          `yaml:"plan"`
	Decisions map[string]Answer `yaml:"decisions"`
}

// City are the answers that are the same for each decision.
type City struct {
	Processors  Text    `yaml:"processors"`
	Information Text    `yaml:"information"`
	Consent     Text    `yaml:"consent"`
	Access      Text    `yaml:"access"`
	Erasure     Text    `yaml:"erasure"`
	Objection   Text    `yaml:"objection"`
	Transfers   Text    `yaml:"transfers"`
	Security    Text    `yaml:"security"`
	Officer     Opinion `yaml:"officer"`
	People      Opinion `yaml:"people"`
	Outcome     Outcome `yaml:"outcome"`
}

// Opinion is what somebody said of the processing.
type Opinion struct {
	Name    string `yaml:"name"`
	Opinion Text   `yaml:"opinion"`
}

// Outcome is what the controller decided: approved, conditional, rejected, or consult (article 36).
type Outcome struct {
	Is  string     `yaml:"is"`
	On  civil.Date `yaml:"on"`
	By  string     `yaml:"by"`
	Why Text       `yaml:"why"`
}

// Action is one of the plan.
type Action struct {
	What Text       `yaml:"what"`
	Who  string     `yaml:"who"`
	By   civil.Date `yaml:"by"`
	Done bool       `yaml:"done"`
}

// Answer is about one decision.
type Answer struct {
	Context   Text                 `yaml:"context"`
	Necessity Text                 `yaml:"necessity"`
	Risks     Text                 `yaml:"risks"`
	Grades    map[string]Judgement `yaml:"grades"`
	Assessed  Assessed             `yaml:"assessed"`
}

// Judgement is people's own grade of a risk, with their reason.
type Judgement struct {
	Severity   int  `yaml:"severity"`
	Likelihood int  `yaml:"likelihood"`
	Why        Text `yaml:"why"`
}

// Assessed is when a decision was assessed, and the digest of its file then; see Digest.
type Assessed struct {
	On civil.Date `yaml:"on"`
	Of string     `yaml:"of"`
}

// Text is a text by language, or one for all languages, which has none.
type Text map[string]string

// UnmarshalYAML reads a text, or a mapping of texts by language.
func (t *Text) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*t = Text{"": strings.TrimSpace(one)}
		return nil
	}
	var by map[string]string
	if err := unmarshal(&by); err != nil {
		return errors.New(`this is a text, or texts by language: {ca: "…", es: "…", en: "…"}`)
	}
	for lang := range by {
		if !slices.Contains(explain.Languages, lang) {
			return errors.New("languages are en, ca and es")
		}
	}
	*t = by
	return nil
}

// In is the text in a language, or the nearest that there is; empty for none.
func (t Text) In(l explain.Lang) string {
	if one, ok := t[""]; ok {
		return one
	}
	return strings.TrimSpace(l.Title(t))
}

// outcomes are what Outcome.Is can be.
var outcomes = []string{"", "approved", "conditional", "rejected", "consult"}

// ParseAnswers reads dpia.yaml; no bytes are no answers. Errors name file and line.
func ParseAnswers(name string, raw []byte) (*Answers, error) {
	a := &Answers{}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return a, nil
	}
	if len(raw) > MaxAnswers {
		return nil, fmt.Errorf("%s: longer than %d KiB; shorten the answers", name, MaxAnswers>>10)
	}
	if err := yamldoc.Decode(name, raw, a); err != nil {
		return nil, err
	}
	wrong := func(text string, path ...string) error { return yamldoc.Wrong(name, raw, text, path...) }
	if !slices.Contains(outcomes, a.City.Outcome.Is) {
		return nil, wrong("outcome is approved, conditional, rejected or consult", "city", "outcome", "is")
	}
	for i, x := range a.Plan {
		if len(x.What) == 0 || x.Who == "" || x.By == (civil.Date{}) {
			return nil, wrong("each of the plan needs what, who, and by which day", "plan", fmt.Sprint(i))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(a.Decisions)) {
		if !names.Valid(id) {
			return nil, wrong(`decisions are named by their id, e.g. "2026-14"`, "decisions", id)
		}
		for r, g := range a.Decisions[id].Grades {
			at := []string{"decisions", id, "grades", r}
			if !slices.Contains(Risks, Risk(r)) {
				return nil, wrong("risks are published, access, change and loss", at...)
			}
			if g.Severity < 1 || g.Severity > 4 || g.Likelihood < 1 || g.Likelihood > 4 || len(g.Why) == 0 {
				return nil, wrong("a grade needs severity and likelihood, each from 1 to 4, and why", at...)
			}
		}
	}
	return a, nil
}

// Digest is what Assessed.Of says of a decision: of its file, with what it stands on.
func Digest(p *bundle.Policy, d *bundle.Decision) string {
	files := bundle.Files{"decision": d.YAML, "charter.yaml": p.Files["charter.yaml"],
		"kinds.yaml": p.Files["kinds.yaml"]}
	return "sha256:" + files.Digest()
}
