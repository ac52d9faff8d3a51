package dpia

import (
	"bytes"
	"encoding/json"
	"html"
	"slices"
	"strings"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/explain"
)

// piaFile is what CNIL's PIA tool exports and imports (LINCnil/pia, importData of pia.service.ts): one
// assessment with its answers by question (the numbers of its pia_architecture.json), its measures, whose
// titles are what an answer lists, and no evaluation yet.
type piaFile struct {
	PIA         piaHead      `json:"pia"`
	Answers     []piaAnswer  `json:"answers"`
	Measures    []piaMeasure `json:"measures"`
	Evaluations []struct{}   `json:"evaluations"`
	Comments    []struct{}   `json:"comments"`
}

type piaHead struct {
	ID        int    `json:"id"`
	Name      string `json:"name"`
	Category  string `json:"category"`
	Author    string `json:"author_name"`
	Evaluator string `json:"evaluator_name"`
	Validator string `json:"validator_name"`
	DPOs      string `json:"dpos_names"`
	Advice    string `json:"dpo_opinion"`
	Searched  bool   `json:"concerned_people_searched_opinion"`
	People    string `json:"people_names"`
	Opinion   string `json:"concerned_people_opinion"`
	Status    int    `json:"status"` // 0: being written
	Created   string `json:"created_at"`
}

type piaAnswer struct {
	PIA     int     `json:"pia_id"`
	To      int     `json:"reference_to"`
	Data    piaData `json:"data"`
	Created string  `json:"created_at"`
	ID      int     `json:"id"`
}

// piaData is a text in HTML, a text with a gauge from 1 to 4, or a list. What it is not is null, as in the
// tool's own files; a list is [] then.
type piaData struct {
	Text  *string  `json:"text"`
	Gauge *int     `json:"gauge"`
	List  []string `json:"list"`
}

type piaMeasure struct {
	PIA         int    `json:"pia_id"`
	ID          int    `json:"id"`
	Title       string `json:"title"`
	Content     string `json:"content"`
	Placeholder string `json:"placeholder"`
	Created     string `json:"created_at"`
}

// piaID is the assessment's number in its own file; the tool gives it another.
const piaID = 1

// pia is one file in the making.
type pia struct {
	*doc
	file piaFile
	now  string
}

// PIA writes the assessment as JSON for CNIL's PIA tool, with what is asked there in its order. What
// people have not answered is left empty, so that the tool asks for it.
func PIA(in Input, now time.Time) ([]byte, error) {
	w := &pia{doc: newDoc(in), now: now.UTC().Format("2006-01-02T15:04:05.000Z")}
	city, a := w.p.Charter.City, w.a.City
	w.file = piaFile{PIA: piaHead{ID: piaID, Name: w.say("title", explain.Plain(city.Name)),
		Author:    city.Responsible.Name,
		Evaluator: city.DPO.Name, Validator: a.Outcome.By, DPOs: a.Officer.Name, Advice: a.Officer.Opinion.In(w.l),
		Searched: len(a.People.Opinion) > 0, People: a.People.Name, Opinion: a.People.Opinion.In(w.l), Created: w.now},
		Evaluations: []struct{}{}, Comments: []struct{}{}}
	w.describe()
	w.principles()
	titles := w.measures()
	w.feared(titles)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // people read it, too
	e.SetIndent("", "  ")
	err := e.Encode(w.file)
	return b.Bytes(), err
}

func (w *pia) add(to int, data piaData) {
	if data.List == nil {
		data.List = []string{}
	}
	w.file.Answers = append(w.file.Answers, piaAnswer{piaID, to, data, w.now, len(w.file.Answers) + 1})
}

// lines answers a question by lines of plain text, if there are any.
func (w *pia) lines(to int, lines ...string) {
	lines = slices.DeleteFunc(lines, func(s string) bool { return s == "" })
	if len(lines) == 0 {
		return
	}
	for i, s := range lines {
		lines[i] = "<p>" + strings.ReplaceAll(html.EscapeString(strings.TrimSpace(explain.Plain(s))), "\n",
			"<br />") + "</p>"
	}
	text := strings.Join(lines, "\n")
	w.add(to, piaData{Text: &text})
}

// each is a line of each decision.
func (w *pia) each(line func(x *bundle.Decision) string) (out []string) {
	for _, x := range w.list {
		if text := line(x); text != "" {
			out = append(out, x.Decision+" "+w.l.Title(x.Title)+": "+text)
		}
	}
	return out
}

// describe is its section 1.
func (w *pia) describe() {
	about := w.each(func(x *bundle.Decision) string {
		return strings.TrimSpace(w.purpose(x) + ". " + w.a.Decisions[x.Decision].Context.In(w.l))
	})
	w.lines(111, about...)
	city := w.p.Charter.City
	var who []string
	for key, name := range map[string]string{"responsible": city.Responsible.Name, "dpo": city.DPO.Name} {
		if name != "" {
			who = append(who, w.say(key, name))
		}
	}
	slices.Sort(who)
	w.lines(112, append(who, w.a.City.Processors.In(w.l))...)
	w.lines(121, w.each(func(x *bundle.Decision) string {
		return w.say("pia.fields", w.kept(x), w.droppedOf(x))
	})...)
	w.lines(122, w.rows("phaserows")...)
	w.lines(123, w.say("pia.supports"))
}

// rows are those of a table of ours, as lines.
func (w *pia) rows(key string) (out []string) {
	for i, row := range strings.Split(w.say(key), "\n") {
		if i > 1 { // behind the heading and its rule
			out = append(out, strings.ReplaceAll(strings.Trim(row, "| "), " | ", ": "))
		}
	}
	return out
}

// droppedOf are the fields that a decision does not keep.
func (w *pia) droppedOf(x *bundle.Decision) string {
	var out []string
	for _, kind := range x.AppliesTo.Kinds {
		for _, f := range w.p.Kinds[kind].Fields {
			if !slices.Contains(x.Keep, f.Name) {
				out = append(out, w.word(f.Names, f.Name))
			}
		}
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, ", ")
}

// principles are its section 2.
func (w *pia) principles() {
	w.lines(211, w.each(w.purpose)...)
	w.lines(212, w.each(func(x *bundle.Decision) string { return x.LegalBasis })...)
	w.lines(213, w.each(func(x *bundle.Decision) string { return w.a.Decisions[x.Decision].Necessity.In(w.l) })...)
	w.lines(214, w.say("pia.quality"))
	w.lines(215, w.each(func(x *bundle.Decision) string {
		if x.Stream.Unit.None() {
			return w.say("pia.erased-window", w.l.Each(x.Stream.Every))
		}
		return w.say("pia.erased", w.l.Period(x.Stream.Forget))
	})...)
	city := w.a.City
	for to, t := range map[int]Text{221: city.Information, 222: city.Consent, 223: city.Access, 224: city.Erasure,
		225: city.Objection, 226: city.Processors, 227: city.Transfers} {
		w.lines(to, t.In(w.l))
	}
	slices.SortFunc(w.file.Answers, func(a, b piaAnswer) int { return a.To - b.To })
}

// measures are those that are built in, and those of the city; it returns their titles.
func (w *pia) measures() (titles []string) {
	put := func(title, text string) {
		titles = append(titles, title)
		w.file.Measures = append(w.file.Measures, piaMeasure{piaID, len(titles), title, html.EscapeString(text),
			"measures.default_placeholder", w.now})
	}
	for _, key := range []string{"noise", "door", "forget", "vote", "books"} {
		put(w.say("measure."+key), w.say("does."+key))
	}
	if text := w.a.City.Security.In(w.l); text != "" {
		put(w.say("security"), text)
	}
	return titles
}

// feared are its three risks: impacts, threats, sources, measures and the two gauges. That somebody is
// singled out in what is published belongs to the first.
func (w *pia) feared(titles []string) {
	for i, risks := range [][]Risk{{Access, Published}, {Change}, {Loss}} {
		to := 321 + 10*i
		split := func(key string) piaData { return piaData{List: strings.Split(w.say(key+string(risks[0])), " | ")} }
		w.add(to, split("impacts."))
		w.add(to+1, split("threats."))
		w.add(to+2, split("sources."))
		w.add(to+3, piaData{List: titles})
		severity, likelihood, why := 1, 1, []string{}
		for _, x := range w.list {
			for _, g := range Grades(w.l, w.p, x, w.a.Decisions[x.Decision]) {
				if slices.Contains(risks, g.Risk) {
					severity, likelihood = max(severity, g.Severity), max(likelihood, g.Likelihood)
					why = append(why, "<p>"+html.EscapeString(x.Decision+": "+explain.Plain(g.Why))+"</p>")
				}
			}
			if own := w.a.Decisions[x.Decision].Risks.In(w.l); own != "" && i == 0 {
				why = append(why, "<p>"+html.EscapeString(x.Decision+": "+explain.Plain(own))+"</p>")
			}
		}
		text := strings.Join(why, "\n")
		w.add(to+4, piaData{Text: &text, Gauge: &severity})
		w.add(to+5, piaData{Text: &text, Gauge: &likelihood})
	}
}
