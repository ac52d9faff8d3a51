// Package explain says in plain words what a decision does, for residents, in
// English, Catalan or Spanish. A text is a function of the policy: the same
// documents give the same bytes, and nothing is in a text that is not in them or
// computed from them.
//
// A text is a heading, an empty line, then sections: a title underlined with
// hyphens, sentences of one line each, an empty line.
package explain

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sluice/internal/civil"
	"sluice/internal/locales"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/mechanism"

	"sluice/internal/pattern"
)

// Decision explains one decision of a policy.
func Decision(l Lang, p *bundle.Policy, d *bundle.Decision, v Vote) (string, error) {
	mech, err := mechanism.New(d.Stream)
	if err != nil {
		return "", err
	}
	t := &text{l: l, p: p, d: d, s: d.Stream, mech: mech, format: v.Format}
	t.heading()
	t.section("who", t.who())
	t.section("kept", t.kept())
	t.section("public", t.public())
	t.section("exact", t.exact())
	t.section("forget", t.forget())
	t.section("promise", t.promise())
	t.section("time", t.time(v))
	t.section("decided", t.decided(v))
	return t.b.String(), nil
}

// text is one text in the making.
type text struct {
	l    Lang
	p    *bundle.Policy
	d    *bundle.Decision
	s    *plan.Stream
	mech *mechanism.Mechanism
	b    strings.Builder
	// format is of the motion that the text stands in; 0 for the newest.
	format int
}

func (t *text) say(key string, args ...any) string {
	said := say(t.l, key, args...)
	if t.format == 4 { // which said "des del 1 d'agost"
		return said
	}
	return Elide(t.l, said)
}

func say(l Lang, key string, args ...any) string {
	text := locales.In(int(l)).Say("explain."+key, args...)
	if l.String() == "ca" && len(args) > 0 {
		text = elided.Replace(text)
	}
	return text
}

// Elide elides Catalan articles before days that begin with a vowel when they are
// spoken: de l'1 d'agost. Other languages stay as they are.
func Elide(l Lang, s string) string {
	if l.String() != "ca" {
		return s
	}
	return elidedDays.ReplaceAllString(elidedArticle.ReplaceAllString(s, "l'${1} ${2}"), "${1} l'${2} ${3}")
}

var (
	elidedDays    = pattern.New(`\b([Dd]e|[Aa])l (1|11) (de |d')`)
	elidedArticle = pattern.New(`\bel (1|11) (de |d')`)
)

// elided are days before which a Catalan article loses its vowel, as format 4 knew them.
var elided = strings.NewReplacer("del 1 de ", "de l'1 de ", "del 11 de ", "de l'11 de ", "al 1 de ", "a l'1 de ",
	"al 11 de ", "a l'11 de ")

func (t *text) heading() {
	t.b.WriteString(Plain(t.say("heading", t.d.Decision, t.l.Title(t.d.Title))) + "\n\n")
}

func (t *text) section(title string, lines []string) {
	name := t.say(title)
	t.b.WriteString(name + "\n" + strings.Repeat("-", utf8.RuneCountInString(name)) + "\n")
	for _, line := range lines {
		t.b.WriteString(Plain(line) + "\n")
	}
	t.b.WriteString("\n")
}

// Plain is what a document says, as one line without characters that show
// nothing or turn the writing around: it cannot look like lines of this text.
func Plain(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r == utf8.RuneError {
			return -1
		}
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)), " ")
}

func (t *text) zones(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = t.zone(id)
	}
	return t.l.List(names)
}

func (t *text) who() []string {
	kinds, zones := t.kinds(t.d.AppliesTo.Kinds), t.d.AppliesTo.Zones
	var out []string
	switch u := t.d.Unit; {
	case len(u.None) > 0:
		why, _ := u.None.Best(t.l.String())
		if t.named() {
			out = append(out, t.say("nobody-at", kinds, t.places(zones), why))
		} else {
			out = append(out, t.say("nobody", kinds, t.zones(zones), why))
		}
		for _, k := range t.d.AppliesTo.Kinds {
			if t.format != 4 && t.p.Kinds[k].Personal() && slices.Contains(t.p.Charter.KindsNotAboutPeople, k) {
				out = append(out, t.say("exempt", t.kind(k)))
			}
		}
	case u.Sensor != "":
		out = append(out, t.sayAt("units-at", "units", zones, upper(t.l.Many(t.s.Unit.StandsFor)), kinds),
			t.say("by-home"))
	default:
		out = append(out, t.sayAt("units-at", "units", zones, upper(t.l.Many(t.s.Unit.StandsFor)), kinds),
			t.say("by-field", t.field(u.Field)))
	}
	purpose := t.pick(t.p.Charter.Names.Purposes[t.d.Purpose], t.d.Purpose)
	return append(out, t.say("purpose", purpose, or(t.d.LegalBasis, "-")))
}

func (t *text) kept() []string {
	var out, used, dropped []string
	if f := t.d.Unit.Field; f != "" {
		out = append(out, t.say("f-unit", t.field(f)))
	}
	for _, f := range t.d.Keep {
		if f != t.d.Unit.Field && f != t.d.Place.Lat && f != t.d.Place.Lon {
			used = append(used, t.withUnit(f))
		}
	}
	if len(used) > 0 {
		out = append(out, t.say("f-kept", t.l.List(used)))
	}
	if t.s.Place.ByPoint() {
		out = append(out, t.say("f-point", t.field(t.d.Place.Lat), t.field(t.d.Place.Lon)))
	}
	for _, g := range t.d.Generalise {
		if g.Step > 0 {
			out = append(out, t.say("f-step", t.field(g.Field), t.l.Number(g.Step)))
			continue
		}
		out = append(out, t.say("f-to", t.field(g.Field), t.numbers(g.To)))
	}
	if len(t.d.Where) > 0 {
		var list []string
		for _, c := range t.d.Where {
			if word, ok := c.Value.(string); ok {
				c.Value = t.value(c.Field, word)
			}
			c.Field = t.field(c.Field)
			list = append(list, Condition(t.l, c))
		}
		out = append(out, t.say("f-where", t.l.List(list)))
	}
	for _, kind := range t.d.AppliesTo.Kinds {
		for _, f := range t.p.Kinds[kind].Fields {
			if !slices.Contains(t.d.Keep, f.Name) && !slices.Contains(dropped, f.Name) {
				dropped = append(dropped, f.Name)
			}
		}
	}
	if len(dropped) > 0 {
		out = append(out, t.dropped(dropped))
	}
	return append(out, t.say("and-all"))
}

func (t *text) numbers(list []float64) string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = t.l.Number(f)
	}
	return t.l.List(out)
}

// Condition is one condition of a decision in words.
func Condition(l Lang, c plan.Condition) string {
	value := fmt.Sprint(c.Value)
	switch v := c.Value.(type) {
	case float64:
		value = l.Number(v)
	case uint64:
		value = l.Number(float64(v))
	case int64:
		value = l.Number(float64(v))
	}
	if _, ok := locales.In(int(l)).Text("explain.op." + c.Op); !ok {
		return c.Field + " " + c.Op + " " + value
	}
	return say(l, "op."+c.Op, c.Field, value)
}

// measured is what is published, how often and of what.
func (t *text) measured() string {
	var list []string
	for _, m := range t.s.Measures {
		list = append(list, Measure(t.l, t.calling(m), t.s.Unit))
	}
	every := t.l.Each(t.s.Every)
	if c := t.s.Category; c.Field != "" {
		values := make([]string, len(c.Values))
		for i, v := range c.Values {
			values[i] = t.value(c.Field, v)
		}
		return t.say("every-cat", every, t.l.List(list), t.field(c.Field), t.l.List(values))
	}
	return t.say("every", every, t.l.List(list))
}

func (t *text) public() []string {
	out := []string{t.measured()}
	if !t.s.Unit.None() {
		out = append(out, t.appears())
	}
	for _, b := range t.d.Blackouts {
		at := func(x time.Time) string { return x.In(t.p.Location).Format("2006-01-02 15:04") }
		if t.named() {
			out = append(out, t.say("blackout-of", at(b.From), at(b.Until), t.ofPlaces(b.Zones), b.Reason))
			continue
		}
		out = append(out, t.say("blackout", at(b.From), at(b.Until), t.zones(b.Zones), b.Reason))
	}
	out = append(out, t.limits()...)
	return append(out, t.retained()...)
}

// appears says what decides whether a number is shown.
func (t *text) appears() string {
	unit, key := t.s.Unit.StandsFor, t.l.Gender(t.s.Unit.StandsFor, "least", "least-f")
	switch {
	case t.s.Protect.Membership == plan.Public:
		key = "members"
	case t.s.Protect.Floor == plan.Noisy:
		key = t.l.Gender(unit, "noisy", "noisy-f")
	}
	return t.say(key, fmt.Sprint(t.s.Protect.MinUnits), t.l.Many(unit), fmt.Sprint(t.mech.PublicFrom()))
}

func (t *text) exact() []string {
	if t.s.Unit.None() {
		return []string{t.say("e-exact")}
	}
	var out []string
	for _, m := range t.s.Measures {
		if m.Of == plan.Mean || m.Of == plan.Quantile {
			out = append(out,
				t.say(t.l.Gender(t.s.Unit.StandsFor, "e-mean", "e-mean-f"), t.measure(m.Name),
					t.l.Many(t.s.Unit.StandsFor)))
			continue
		}
		out = append(out, t.say("e-error", t.measure(m.Name), t.l.Number(round(t.mech.TypicalError(m)))))
	}
	out = append(out, t.say("e-bound"))
	if from := t.mech.ShareFrom(); from > 0 {
		out = append(out,
			t.say("e-share", t.l.Many(t.s.Unit.StandsFor), fmt.Sprint(t.s.Protect.MaxContributions),
				t.l.Each(t.s.Forget), fmt.Sprint(from)))
	}
	return out
}

// round keeps three digits.
func round(f float64) float64 {
	if f == 0 {
		return 0
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(f))))
	return math.Round(f*scale) / scale
}

func (t *text) forget() []string {
	every := t.l.Each(t.s.Every)
	if t.d.Days != nil { // their readings are counted anew, over the day
		every = t.l.Each(t.d.Days.Every)
	}
	if t.s.Unit.None() {
		return []string{t.say("g-none", every)}
	}
	unit := t.s.Unit.StandsFor
	out := []string{t.say(t.l.Gender(unit, "g-forget", "g-forgetf"), t.l.One(unit), t.l.Period(t.s.Forget),
		fmt.Sprint(t.s.Protect.MaxContributions), every)}
	if parts := t.s.OwnerParts(); len(parts) > 0 {
		list := make([]string, len(parts))
		for i, p := range parts {
			list[i] = t.say("g-part", p.Owner, fmt.Sprint(p.Most))
		}
		out = append(out, t.say("g-owners", t.l.List(list)))
	}
	return out
}

// forgers says what holds against whoever sends the identifiers of others.
func (t *text) forgers() string {
	if len(t.s.OwnerParts()) > 0 {
		return t.say("g-apart")
	}
	p := t.s.Protect
	return t.say("g-forged", t.l.One(t.s.Unit.StandsFor), t.l.Number(2*p.Epsilon),
		t.l.Number(round(p.Delta*(1+math.Exp(p.Epsilon)))))
}

func (t *text) promise() []string {
	if t.s.Unit.None() {
		return []string{t.say("g-nobody")}
	}
	unit, p := t.s.Unit.StandsFor, t.s.Protect
	out := []string{
		t.say("g-eps", t.l.One(unit), t.l.Number(p.Epsilon), t.l.Number(p.Delta),
			t.l.Number(round(p.Epsilon*float64(t.d.EpochsPerDay())))),
		t.days(),
	}
	if t.s.Unit.Field != "" {
		out = append(out, t.forgers())
	}
	if p.Membership == plan.Public {
		out = append(out, t.say("g-members", t.l.One(unit)))
	}
	switch unit {
	case "person":
	case "device":
		out = append(out, t.say("g-device"))
	default:
		out = append(out, t.say("g-other", t.l.Many(unit)))
	}
	return out
}

func (t *text) time(v Vote) []string {
	holds := "t-until"
	if t.named() {
		holds = "t-holds"
	}
	out := []string{t.say(holds, t.l.Date(t.d.From), t.l.Date(t.d.Until))}
	if t.d.Review != (civil.Date{}) {
		out = append(out, t.say("t-review", t.l.Date(t.d.Review)))
	}
	if s := t.p.Suspension(t.d.Decision); s != nil {
		_, unsaid := s.Reason[decision.Unsaid]
		// Motions of old that are signed say so of one text without a day.
		out = append(out, t.suspended(s, unsaid && v.Motion != "" && len(v.Members) == 0))
	}
	return out
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(string(r)) + s[n:]
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
