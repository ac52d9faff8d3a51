package studio

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/internal/locales"
	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/dpia"
	"sluice/policy/explain"
	"sluice/policy/templates"
	"sluice/register"
)

// assessed is the page of the impact assessment.
type assessed struct {
	Base      string
	City      []question
	Outcomes  []option
	On, By    string
	Decisions []judged
	Saved     bool
}

// question is what people answer, in the page's language; Name is its place in dpia.yaml, with slashes.
type question struct {
	Name, Label, Value string
	Short              bool
}

// judged is one decision with its grades.
type judged struct {
	ID, Title string
	// Due: it is to be assessed again, for these changes (none where it is new).
	Due     bool
	Changes []string
	Done    string
	Grades  []graded
	Asked   []question
}

// graded is a grade in words.
type graded struct{ Risk, Severity, Inherent, Likelihood, Why string }

// dossier is all that an assessment is of.
type dossier struct {
	policy *bundle.Policy
	raw    []byte
	sum    string
	in     dpia.Input
}

// dossier reads the directory for an assessment. What is wrong with dpia.yaml is the error.
func (s *Server) dossier(l explain.Lang) (*dossier, error) {
	p, err := s.policy()
	if err != nil {
		return nil, err
	}
	raw, sum, err := s.desk.Read(dpia.AnswersName)
	if err != nil {
		return nil, err
	}
	answers, err := dpia.ParseAnswers(dpia.AnswersName, raw)
	if slip := (*yamldoc.FileError)(nil); errors.As(err, &slip) {
		return nil, fmt.Errorf("%s:%d: %s", dpia.AnswersName, slip.Line, slip.In(int(l)))
	}
	if err != nil {
		return nil, err
	}
	inForce, err := s.desk.inForce()
	if err != nil {
		return nil, err
	}
	in := dpia.Input{Lang: l, Policy: p, Answers: answers, Register: s.sensors(), Due: dpia.Reassess(inForce, p,
		answers)}
	for i := range p.Decisions {
		in.Decisions = append(in.Decisions, &p.Decisions[i])
	}
	return &dossier{p, raw, sum, in}, nil
}

// sensors is the register in the policy directory, if there is one that can be read.
func (s *Server) sensors() *register.Register {
	if raw, _, err := s.desk.Read("register.yaml"); err == nil && len(raw) > 0 {
		if reg, err := register.Load(filepath.Join(s.o.Dir, "register.yaml"), os.ReadFile); err == nil {
			return reg
		}
	}
	return &register.Register{}
}

// cityAsked are the questions about the whole processing.
var cityAsked = []string{"processors", "information", "consent", "access", "erasure", "objection", "transfers",
	"security"}

// word is one of the assessment's own words. Some questions have another key there.
func word(l explain.Lang, key string) string {
	key = cmp.Or(map[string]string{"access": "rights", "security": "measures", "necessity": "why", "risks": "own",
		"officer": "advice", "people": "asked"}[key], key)
	text := locales.In(int(l)).Say("dpia." + key)
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// assessment shows grades, what is to be assessed, and the questions that only people can answer.
func (s *Server) assessment(w http.ResponseWriter, r *http.Request) error {
	l := langOf(r)
	x, err := s.dossier(l)
	if err != nil {
		return err
	}
	city := x.in.Answers.City
	texts := map[string]dpia.Text{"processors": city.Processors, "information": city.Information,
		"consent": city.Consent,
		"access":  city.Access, "erasure": city.Erasure, "objection": city.Objection, "transfers": city.Transfers,
		"security": city.Security}
	page := assessed{Base: x.sum, By: city.Outcome.By, Saved: r.URL.Query().Has("saved")}
	if city.Outcome.On.Year > 0 {
		page.On = city.Outcome.On.String()
	}
	for _, key := range cityAsked {
		page.City = append(page.City, question{"city/" + key, word(l, key), texts[key].In(l), false})
	}
	for _, who := range []struct {
		key string
		is  dpia.Opinion
	}{{"officer", city.Officer}, {"people", city.People}} {
		page.City = append(page.City,
			question{"city/" + who.key + "/name", say(l, "dpia."+who.key), who.is.Name, true},
			question{"city/" + who.key + "/opinion", word(l, who.key), who.is.Opinion.In(l), false})
	}
	for _, is := range []string{"", "approved", "conditional", "rejected", "consult"} {
		page.Outcomes = append(page.Outcomes, option{is, outcomeWord(l, is), is == city.Outcome.Is})
	}
	for _, d := range x.in.Decisions {
		page.Decisions = append(page.Decisions, s.judge(l, x, d))
	}
	return s.show(w, r, "dpia", page)
}

func outcomeWord(l explain.Lang, is string) string {
	if is == "" {
		return say(l, "dpia.open")
	}
	return word(l, "is."+is)
}

func (s *Server) judge(l explain.Lang, x *dossier, d *bundle.Decision) judged {
	a := x.in.Answers.Decisions[d.Decision]
	out := judged{ID: d.Decision, Title: l.Title(d.Title)}
	if a.Assessed.Of == dpia.Digest(x.policy, d) {
		out.Done = l.Date(a.Assessed.On)
	}
	for _, due := range x.in.Due {
		if due.Decision == d.Decision {
			out.Due = true
			for _, c := range due.Changes {
				out.Changes = append(out.Changes, c.Words(l))
			}
		}
	}
	level := func(n int) string {
		return strconv.Itoa(n) + " (" + strings.ToLower(word(l, "level."+strconv.Itoa(n))) + ")"
	}
	for _, g := range dpia.Grades(l, x.policy, d, a) {
		out.Grades = append(out.Grades, graded{word(l, "risk."+string(g.Risk)), level(g.Severity), level(g.Inherent),
			level(g.Likelihood), g.Why})
	}
	for _, q := range []struct {
		key string
		is  dpia.Text
	}{{"context", a.Context}, {"necessity", a.Necessity}, {"risks", a.Risks}} {
		out.Asked = append(out.Asked, question{"decisions/" + d.Decision + "/" + q.key, word(l, q.key), q.is.In(l),
			false})
	}
	return out
}

// answerAssessment saves what was answered, in the page's language, in dpia.yaml; all else in it stays.
func (s *Server) answerAssessment(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	l := langOf(r)
	x, err := s.dossier(l)
	if err != nil {
		return err
	}
	if r.PostForm.Get("base") != x.sum {
		return errChanged
	}
	raw := x.raw
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		value := strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get(name), "\r\n", "\n"))
		if raw, err = put(raw, x, l, name, value, s.today().String()); err != nil {
			return err
		}
	}
	if _, err := dpia.ParseAnswers(dpia.AnswersName, raw); err != nil {
		return err
	}
	if err := s.desk.Write(dpia.AnswersName, x.sum, raw); err != nil {
		return err
	}
	return s.goTo(w, r, "/dpia?saved")
}

// put writes one answer. Names that are no question's are passed over.
func put(raw []byte, x *dossier, l explain.Lang, name, value, today string) ([]byte, error) {
	path := strings.Split(name, "/")
	switch {
	case name == "city/outcome/is" || name == "city/outcome/on" || name == "city/outcome/by",
		name == "city/officer/name", name == "city/people/name":
		return set(raw, path, value)
	case len(path) == 3 && path[0] == "assessed" && value == "on":
		d := x.policy.Decision(path[1])
		if d == nil {
			return raw, nil
		}
		raw, err := set(raw, []string{"decisions", d.Decision, "assessed", "on"}, today)
		if err != nil {
			return nil, err
		}
		return set(raw, []string{"decisions", d.Decision, "assessed", "of"}, dpia.Digest(x.policy, d))
	case len(path) == 2 && path[0] == "city" && slices.Contains(cityAsked, path[1]),
		name == "city/officer/opinion", name == "city/people/opinion",
		len(path) == 3 && path[0] == "decisions" && x.policy.Decision(path[1]) != nil &&
			slices.Contains([]string{"context", "necessity", "risks"}, path[2]):
		if one, err := isText(raw, path); err != nil || one {
			return set(raw, path, value)
		}
		return set(raw, append(path, l.String()), value)
	}
	return raw, nil
}

// isText reports whether the value at a path is one text for all languages.
func isText(raw []byte, path []string) (bool, error) {
	if len(raw) == 0 {
		return false, nil
	}
	tree, err := yamldoc.ParseTree(raw)
	if err != nil {
		return false, err
	}
	for _, s := range tree.Strings() {
		if s.Place == strings.Join(path, "/") {
			return true, nil
		}
	}
	return false, nil
}

// set puts a value at a path, or takes it out where it is empty, and changes nothing where it is that
// already. What has no place yet begins a block of its own.
func set(raw []byte, path []string, value string) ([]byte, error) {
	if value == "" {
		if there, err := isText(raw, path); err != nil || !there {
			return raw, err
		}
		return yamldoc.Set(raw, nil, path...)
	}
	if !strings.Contains("\n"+string(raw), "\n"+path[0]+":") {
		text := string(raw)
		if text != "" && !strings.HasSuffix(text, "\n") { // or the block would go on in the last line
			text += "\n"
		}
		for i, key := range path {
			if i == 1 && path[0] == "decisions" {
				key = strconv.Quote(key)
			}
			text += strings.Repeat("  ", i) + key + ":"
			if i == len(path)-1 {
				text += " " + strconv.Quote(value)
			}
			text += "\n"
		}
		return []byte(text), nil
	}
	return yamldoc.Set(raw, value, path...)
}

// assessmentFile sends the assessment as a file to keep: Markdown, or JSON for CNIL's tool.
func (s *Server) assessmentFile(w http.ResponseWriter, r *http.Request) error {
	x, err := s.dossier(langOf(r))
	if err != nil {
		return err
	}
	var raw []byte
	switch name := r.PathValue("file"); name {
	case "dpia.md":
		var text string
		text, err = dpia.Markdown(x.in)
		raw = []byte(text)
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	case "pia.json":
		raw, err = dpia.PIA(x.in, s.o.Now())
		w.Header().Set("Content-Type", "application/json")
	default:
		return errMissing
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+r.PathValue("file")+`"`)
	_, err = w.Write(raw)
	return err
}

// assess adds a template's paragraphs for a new decision to dpia.yaml.
func (s *Server) assess(t templates.Template, id string) error {
	raw, sum, err := s.desk.Read(dpia.AnswersName)
	if err != nil {
		return err
	}
	out, err := t.Assess(raw, id)
	if err != nil {
		return err
	}
	return s.desk.Write(dpia.AnswersName, sum, out)
}
