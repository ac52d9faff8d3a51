package studio

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/templates"
	"sluice/simulate"
)

// wanted is what the reader has filled in: the street, the values, and what is looked at.
type wanted struct {
	// Passes, Peak and Returns are the three answers, as they were written.
	Passes, Peak, Returns string
	// Street is what is tried: answers, city, or the id of a recording.
	Street string
	// Every, Min, Epsilon and Times are the values, as they were written.
	Every, Min, Epsilon, Times string
	// Beside is what the draft is compared with: file, force, none, or other values.
	Beside string
	// Cell and Number are what is drawn.
	Cell, Number string
	Seed         uint64

	answers simulate.Answers
	values  simulate.Values
	wrong   []string // keys of see.wrong
}

// usual is a small town's street.
var usual = simulate.Answers{Passes: 3000, Peak: 18, Returns: .5}

// streetOf is the street of the template for this stream, or else for this kind of sensor, or the
// usual one.
func streetOf(d *bundle.Decision) simulate.Answers {
	list := templates.List()
	at := slices.IndexFunc(list, func(t templates.Template) bool { return t.Stream == d.Stream.ID })
	if at < 0 {
		at = slices.IndexFunc(list, func(t templates.Template) bool {
			return slices.Contains(d.AppliesTo.Kinds, t.Kind.ID)
		})
	}
	if at < 0 {
		return usual
	}
	street := list[at].Street
	return simulate.Answers{Passes: street.Passes, Peak: street.Peak, Returns: street.Returns}
}

// readForm reads a form; what was left out is the draft's own, and the usual street.
func readForm(q url.Values, d *bundle.Decision) wanted {
	own, usual := simulate.ValuesOf(d), streetOf(d)
	or := func(key, other string) string {
		if v := strings.TrimSpace(q.Get(key)); v != "" {
			return v
		}
		return other
	}
	f := wanted{
		Passes: or("passes", strconv.Itoa(usual.Passes)), Peak: or("peak", strconv.Itoa(usual.Peak)),
		Returns: or("returns", decimal(usual.Returns)), Street: or("street", "answers"),
		Every: or("every", own.Every.String()), Min: or("min", strconv.FormatInt(own.MinUnits, 10)),
		Epsilon: or("epsilon", decimal(own.Epsilon)), Times: or("times", strconv.FormatInt(own.MaxContributions, 10)),
		Beside: or("beside", "file"), Cell: q.Get("cell"), Number: q.Get("number"),
	}
	if kept := q.Get("keep"); kept != "" {
		f.Beside = kept
	}
	f.Seed, _ = strconv.ParseUint(or("seed", "1"), 10, 32)
	var err error
	if f.answers, err = simulate.NewAnswers(f.Passes, f.Peak, f.Returns); err != nil {
		f.wrong = append(f.wrong, map[error]string{simulate.ErrPasses: "passes", simulate.ErrPeak: "peak",
			simulate.ErrReturns: "returns"}[err])
	}
	if d.Stream.Unit.None() {
		f.Min, f.Epsilon, f.Times = "1", "1", "1" // nothing is protected
	}
	f.values = f.read(f.Every, f.Min, f.Epsilon, f.Times)
	return f
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// read reads four values, and notes which of them cannot be.
func (f *wanted) read(every, least, epsilon, times string) (v simulate.Values) {
	var err error
	if v.Every, err = civil.ParsePeriod(every); err != nil || v.Every.IsZero() {
		f.wrong = append(f.wrong, "every")
	}
	if v.MinUnits, err = strconv.ParseInt(least, 10, 32); err != nil || v.MinUnits < 1 {
		f.wrong = append(f.wrong, "min")
	}
	v.Epsilon, err = strconv.ParseFloat(strings.Replace(epsilon, ",", ".", 1), 64)
	if err != nil || !(v.Epsilon > 0 && v.Epsilon <= 100) {
		f.wrong = append(f.wrong, "epsilon")
	}
	if v.MaxContributions, err = strconv.ParseInt(times, 10, 32); err != nil || v.MaxContributions < 1 {
		f.wrong = append(f.wrong, "times")
	}
	return v
}

// Query is the form as an address.
func (f wanted) Query() url.Values {
	q := url.Values{"passes": {f.Passes}, "peak": {f.Peak}, "returns": {f.Returns}, "every": {f.Every}, "min": {f.Min},
		"epsilon": {f.Epsilon}, "times": {f.Times}, "beside": {f.Beside}}
	if f.Street != "answers" {
		q.Set("street", f.Street)
	}
	for key, v := range map[string]string{"cell": f.Cell, "number": f.Number} {
		if v != "" {
			q.Set(key, v)
		}
	}
	if f.Seed != 1 {
		q.Set("seed", strconv.FormatUint(f.Seed, 10))
	}
	return q
}

// Kept are the values as text, for Beside.
func (f wanted) Kept() string {
	return fmt.Sprintf("%s,%d,%s,%d", f.values.Every, f.values.MinUnits, decimal(f.values.Epsilon),
		f.values.MaxContributions)
}

// OtherDay is the form with other noise.
func (f wanted) OtherDay() string {
	f.Seed++
	return f.Query().Encode()
}
