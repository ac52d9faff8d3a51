package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"sluice/internal/yamldoc"

	"sluice/internal/pattern"
)

var (
	digits     = pattern.New(`^[0-9]+$`)
	commaed    = pattern.New(`^-?[0-9]+,[0-9]+$`)
	quotedNum  = pattern.New(`^-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$`)
	twoNumbers = pattern.New(`[0-9],[0-9]`)
	otherDay   = pattern.New(`^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4}|[0-9]{2})$`)
	looseDay   = pattern.New(`^([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})$`)
	instant    = pattern.New(`^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]`)
	noName     = pattern.New(`[^a-z0-9_-]+`)
	amount     = pattern.New(`^(?:PT?)?([0-9]+) ?([a-z]+)$`)
)

// value is what a text or an empty value of a file says, by its place.
func (c *checker) value(file string, place []string) (string, bool) {
	if t := c.trees[file]; t != nil {
		for _, s := range t.Strings() {
			if s.Place == strings.Join(place, "/") {
				return s.Text, true
			}
		}
	}
	return "", false
}

// ofCase notes a finding of a case of a rule.
func (c *checker) ofCase(
	of string, file string, e *jsonschema.ValidationError, rule string, here *jsonschema.Schema, args ...any,
) {
	c.note(file, e, rule, here, args...)
	c.found[len(c.found)-1].Case = of
}

// ofSort: a value is of the wrong sort; it may be an item of a list.
func (c *checker) ofSort(file string, e *jsonschema.ValidationError, here *jsonschema.Schema, k *kind.Type, item bool) {
	text, there := c.value(file, e.InstanceLocation)
	number := slices.Contains(k.Want, "number") || slices.Contains(k.Want, "integer")
	switch {
	case !item && len(e.InstanceLocation) > 0 && there && text == "" &&
		digits.MatchString(e.InstanceLocation[len(e.InstanceLocation)-1]):
		c.ofCase("comma", file, e, "S02", here)
	case there && text == "" && isList(here) && here.MinItems == nil:
		c.ofCase("none", file, e, "S04", here, sorts(k.Want))
	case there && text == "":
		c.ofCase("empty", file, e, "S04", here, sorts(k.Want))
	case there && number && commaed.MatchString(text):
		c.ofCase("comma", file, e, "S04", here, sorts(k.Want), strings.Replace(text, ",", ".", 1))
	case there && number && quotedNum.MatchString(text):
		c.ofCase("quotes", file, e, "S04", here, sorts(k.Want), text)
	case !there && len(k.Want) == 1 && k.Want[0] == "string" && (k.Got == "number" || k.Got == "boolean"):
		c.ofCase("unquoted", file, e, "S04", here, sorts(k.Want))
	case there && listed(text, here) != "":
		c.ofCase("list", file, e, "S04", here, sorts(k.Want), listed(text, here))
	default:
		c.note(file, e, "S04", here, sorts(k.Want))
	}
}

// listed is a text, or several with commas between, as the list that was wanted; empty where
// that would not be one.
func listed(text string, here *jsonschema.Schema) string {
	if !isList(here) || strings.ContainsAny(text, "[]{}\"'#&*|>!%@`\n") || strings.Contains(text, ": ") {
		return ""
	}
	items := strings.Split(text, ",")
	if len(items) == 1 && strings.ToLower(text) == text { // ids, which have no blanks
		items = strings.Fields(text)
	}
	for i, item := range items {
		items[i] = strings.TrimSpace(item)
		if items[i] == "" || here.Items.(*jsonschema.Schema).Validate(items[i]) != nil {
			return ""
		}
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// oneOf: a value is none of those that are allowed.
func (c *checker) oneOf(file string, e *jsonschema.ValidationError, here *jsonschema.Schema, k *kind.Enum) {
	var known []string
	for _, x := range k.Want {
		known = append(known, fmt.Sprint(x))
	}
	text, _ := c.value(file, e.InstanceLocation)
	near := operators[text]
	if near == "" && strings.Trim(text, "<>=!") != "" {
		near = yamldoc.Nearest(text, known)
	}
	if near != "" && slices.Contains(known, near) {
		c.ofCase("near", file, e, "S05", here, words(k.Want), near)
		return
	}
	c.note(file, e, "S05", here, words(k.Want))
}

// operators are comparisons as others write them.
var operators = map[string]string{"=>": ">=", "=<": "<=", "=": "==", "<>": "!=", "≥": ">=", "≤": "<=", "≠": "!="}

// written: a value has not the form that it must have.
func (c *checker) written(file string, e *jsonschema.ValidationError, here *jsonschema.Schema) {
	text, _ := c.value(file, e.InstanceLocation)
	pattern := patternOf(here)
	fits := func(s string) bool { return pattern != nil && pattern.MatchString(s) }
	if strings.ContainsAny(text, "“”„’‘«»") {
		c.ofCase("quotes", file, e, "S06", here)
		return
	}
	if fits("PT15M") && !fits("x") { // a length of time
		if meant := period(text); fits(meant) {
			c.ofCase("length", file, e, "S06", here, meant)
			return
		}
		c.ofCase("period", file, e, "S06", here)
		return
	}
	if fits("2026-12-01") && !fits("x") {
		if m := otherDay.FindStringSubmatch(text); m != nil {
			year := m[3]
			if len(year) == 2 {
				year = "20" + year
			}
			c.ofCase("meant", file, e, "S06", here, fmt.Sprintf("%s-%02s-%02s", year, m[2], m[1]))
			return
		}
		if m := looseDay.FindStringSubmatch(text); m != nil {
			c.ofCase("meant", file, e, "S06", here, fmt.Sprintf("%s-%02s-%02s", m[1], m[2], m[3]))
			return
		}
		if m := instant.FindStringSubmatch(text); m != nil && fits(m[1]) {
			c.ofCase("meant", file, e, "S06", here, m[1])
			return
		}
		c.ofCase("day", file, e, "S06", here)
		return
	}
	if fits("2026-12-01T20:00:00Z") && !fits("x") {
		c.ofCase("instant", file, e, "S06", here)
		return
	}
	small := strings.ToLower(strings.TrimSpace(text))
	slug := strings.Trim(noName.ReplaceAllString(folded(text), "-"), "-")
	for _, meant := range []string{text + "()", small, strings.ReplaceAll(small, " ", "-"),
		strings.ReplaceAll(small, ".", "-"), strings.ReplaceAll(text, " ", ""), slug} {
		if text != "" && fits(meant) {
			c.ofCase("meant", file, e, "S06", here, meant)
			return
		}
	}
	c.note(file, e, "S06", here)
}

// patternOf is how a text is written, in whichever form of its place is a text; nil for none.
func patternOf(here *jsonschema.Schema) jsonschema.Regexp {
	if here == nil || here.Pattern != nil {
		return patternIn(here)
	}
	for _, form := range here.OneOf {
		if form.Pattern != nil {
			return form.Pattern
		}
	}
	return nil
}

func patternIn(here *jsonschema.Schema) jsonschema.Regexp {
	if here == nil {
		return nil
	}
	return here.Pattern
}

// lengths are words for lengths of time, as people write them in three languages.
var lengths = map[string]string{
	"hourly": "PT1H", "hour": "PT1H", "daily": "P1D", "day": "P1D", "weekly": "P7D", "monthly": "P1M", "yearly": "P1Y",
	"year": "P1Y",
	"hora": "PT1H", "cada hora": "PT1H", "horari": "PT1H", "horario": "PT1H", "diari": "P1D", "diario": "P1D",
	"dia": "P1D", "día": "P1D", "any": "P1Y", "año": "P1Y",
}

// marks are units of time as people write them.
var marks = map[string]string{
	"s": "TS", "sec": "TS", "m": "TM", "min": "TM", "mins": "TM", "minutes": "TM", "minuts": "TM", "minutos": "TM",
	"h": "TH", "hour": "TH", "hours": "TH", "hores": "TH", "horas": "TH", "hora": "TH",
	"d": "D", "day": "D", "days": "D", "dies": "D", "dia": "D", "días": "D", "dias": "D", "día": "D", "y": "Y",
	"year": "Y", "years": "Y", "any": "Y", "anys": "Y", "año": "Y", "años": "Y",
}

// period is the length of time that may be meant, or empty.
func period(text string) string {
	small := strings.ToLower(strings.TrimSpace(text))
	if p := lengths[small]; p != "" {
		return p
	}
	if m := amount.FindStringSubmatch(strings.TrimPrefix(strings.TrimPrefix(small, "pt"), "p")); m != nil &&
		marks[m[2]] != "" {
		mark := marks[m[2]]
		return "P" + mark[:len(mark)-1] + m[1] + mark[len(mark)-1:]
	}
	return ""
}

// within: a value is outside its limits.
func (c *checker) within(file string, e *jsonschema.ValidationError, here *jsonschema.Schema) {
	switch k := e.ErrorKind.(type) {
	case *kind.MaxItems:
		at := c.trees[file].At(e.InstanceLocation, false)
		if lines := strings.Split(string(c.files[file]), "\n"); at.Line <= len(lines) &&
			twoNumbers.MatchString(lines[at.Line-1]) {
			c.ofCase("comma", file, e, "S08", here)
			return
		}
		c.ofCase("values", file, e, "S08", here, howMany(here), k.Got)
	case *kind.MinItems:
		c.ofCase("values", file, e, "S08", here, howMany(here), k.Got)
	case *kind.MinLength:
		if k.Got == 0 {
			c.ofCase("empty", file, e, "S04", here, sorts{"string"})
			return
		}
		c.ofCase("short", file, e, "S08", here, k.Want)
	case *kind.MaxLength:
		c.ofCase("long", file, e, "S08", here, k.Want)
	default:
		if limits(here) == "" {
			c.ofCase("other", file, e, "S08", here)
			return
		}
		if example(here) != limits(here) {
			c.ofCase("example", file, e, "S08", here, limits(here))
			return
		}
		c.note(file, e, "S08", here, limits(here))
	}
}

// howMany values a list must have.
func howMany(s *jsonschema.Schema) string {
	switch {
	case s == nil:
		return "…"
	case s.MinItems != nil && s.MaxItems != nil && *s.MinItems == *s.MaxItems:
		return strconv.Itoa(*s.MinItems)
	}
	return limits(s)
}
