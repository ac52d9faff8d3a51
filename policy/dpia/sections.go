package dpia

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/civil"
	"sluice/policy/explain"
)

// reassess says which decisions must be assessed anew, and for which changes.
func (d *doc) reassess() {
	for _, x := range d.due {
		key := "due"
		if len(x.Changes) == 0 {
			key = "due-new"
		}
		d.b.WriteString("> " + d.say(key, x.Decision) + "\n")
		for _, c := range x.Changes {
			d.b.WriteString("> - " + cell(c.Words(d.l)) + "\n")
		}
		d.line(">\n> " + d.say("mark", Digest(d.p, d.p.Decision(x.Decision))))
	}
}

// overview is section 0 of the template.
func (d *doc) overview() {
	d.line("## " + d.say("overview"))
	d.line("### " + d.say("who"))
	d.parties()
	d.line("### " + d.say("helpers"))
	d.answer(d.a.City.Processors, "processors")
	d.line("### " + d.say("planning"))
	d.b.WriteString(d.say("planrows") + "\n")
	for _, x := range d.list {
		fmt.Fprintf(&d.b, "| %s | %s | %s | %s | %s |\n", x.Decision, cell(d.l.Title(x.Title)), d.date(x.From),
			d.date(x.Until), d.date(x.Review))
	}
	d.b.WriteString("\n")
	d.line("### " + d.say("sheet"))
	d.line(d.say("reasons"))
	for _, x := range d.list {
		if of := d.a.Decisions[x.Decision].Assessed; of.Of == Digest(d.p, x) {
			d.line(d.say("assessed", x.Decision, d.date(of.On)))
		}
	}
}

func (d *doc) date(day civil.Date) string {
	if day == (civil.Date{}) {
		return "-"
	}
	return d.l.Date(day)
}

// phases are 1.1.c, further uses, then 1.2 and 1.3: what is done from collection to erasure, and with what.
func (d *doc) phases() {
	d.line("### " + d.say("uses"))
	d.line(d.say("openuses"))
	d.line("### " + d.say("phases"))
	d.line(d.say("phaserows"))
}

// lawful is section 2: law, minimisation, rights and security.
func (d *doc) lawful() {
	d.line("## " + d.say("compliance"))
	d.line("### " + d.say("lawful"))
	for _, x := range d.list {
		fmt.Fprintf(&d.b, "- %s: %s; %s\n", x.Decision, d.purpose(x), cell(x.LegalBasis))
	}
	d.b.WriteString("\n")
	d.line("### " + d.say("limits"))
	c := d.p.Charter
	var eps []string
	for _, unit := range slices.Sorted(maps.Keys(c.EpsilonPerDay)) {
		eps = append(eps, d.l.One(unit)+" "+d.l.Number(c.EpsilonPerDay[unit]))
	}
	d.line(d.say("floor", c.MinUnits, strings.Join(eps, ", "), d.l.Number(c.DeltaPerDay), c.MaxContributions,
		d.l.Period(c.SunsetMax), c.NoticeDays))
	if len(c.KindsNotAboutPeople) > 0 {
		d.line(d.say("seeing", strings.Join(c.KindsNotAboutPeople, ", ")))
	}
	d.line("### " + d.say("ofpeople"))
	d.party("authority", c.City.Authority)
	city := d.a.City
	for _, x := range []struct {
		t   Text
		key string
	}{{city.Information, "information"}, {city.Consent, "consent"}, {city.Access, "rights"}, {city.Erasure, "erasure"},
		{city.Objection, "objection"}, {city.Transfers, "transfers"}} {
		d.answer(x.t, x.key)
	}
	d.line("### " + d.say("security"))
	d.line(d.say("builtin"))
	d.answer(city.Security, "measures")
}

func (d *doc) necessity() {
	d.line("## " + d.say("necessity"))
	for _, x := range d.list {
		d.line("### " + d.say("decision", x.Decision, cell(d.l.Title(x.Title))))
		d.answer(d.a.Decisions[x.Decision].Necessity, "why")
	}
}

// risks is section 4, with what is left of section 5.
func (d *doc) risks() {
	d.line("## " + d.say("risks"))
	d.line(d.say("scale"))
	for _, x := range d.list {
		d.line("### " + d.say("decision", x.Decision, cell(d.l.Title(x.Title))))
		d.b.WriteString(d.say("graderows") + "\n")
		for _, g := range Grades(d.l, d.p, x, d.a.Decisions[x.Decision]) {
			why := cell(g.Why)
			if g.Judged {
				why = d.say("judged", why)
			}
			fmt.Fprintf(&d.b, "| %s | %s | %s | %s | %s |\n", d.say("risk."+string(g.Risk)), d.level(g.Severity),
				d.level(g.Inherent), d.level(g.Likelihood), why)
		}
		d.b.WriteString("\n")
		d.answer(d.a.Decisions[x.Decision].Risks, "own")
	}
	d.line(d.say("risktable"))
}

func (d *doc) level(n int) string { return fmt.Sprintf("%d (%s)", n, d.say("level."+strconv.Itoa(n))) }

// plan is section 5.
func (d *doc) plan() {
	d.line("## " + d.say("plan"))
	if len(d.a.Plan) == 0 {
		d.todo("noplan")
		return
	}
	d.b.WriteString(d.say("actions") + "\n")
	for _, x := range d.a.Plan {
		done := d.say("open")
		if x.Done {
			done = d.say("done")
		}
		fmt.Fprintf(&d.b, "| %s | %s | %s | %s |\n", cell(x.What.In(d.l)), cell(x.Who), d.date(x.By), done)
	}
	d.b.WriteString("\n")
}

// views is section 6: what was advised, and what was decided.
func (d *doc) views() {
	d.line("## " + d.say("views"))
	d.opinion("officer", "advice", d.a.City.Officer)
	d.opinion("residents", "asked", d.a.City.People)
	for _, x := range d.list {
		for _, line := range explain.Consulted(d.l, x.Consultation) {
			d.line(cell(x.Decision + ": " + line))
		}
	}
	o := d.a.City.Outcome
	if o.Is == "" {
		d.todo("noutcome")
		return
	}
	d.line(d.say("outcome", d.say("is."+o.Is), d.date(o.On), cell(o.By)))
	if text := o.Why.In(d.l); text != "" {
		d.line(cell(text))
	}
}

func (d *doc) opinion(heading, key string, o Opinion) {
	d.line("### " + d.say(heading))
	if o.Name != "" {
		d.line(cell(o.Name) + ":")
	}
	d.answer(o.Opinion, key)
}
