package check

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/civil"
	"sluice/policy/decision"
)

// suspensions holds suspended.yaml against the decisions and the city's languages: a
// name that is mistyped would suspend nothing, and nobody would see it.
func (c *checker) suspensions() {
	const file = "suspended.yaml"
	if c.bad[file] || c.files[file] == nil {
		return
	}
	list, err := decision.ParseSuspended(file, c.files[file])
	if err != nil {
		return // said where it is parsed
	}
	seen := make(map[string]bool)
	for i, s := range list {
		place := fmt.Sprintf("suspended/%d/", i)
		switch {
		case seen[s.Decision]:
			c.at(file, "D10", place+"decision", s.Decision)
		case c.readable() && !c.decides(s.Decision):
			c.at(file, "K31", place+"decision", s.Decision)
		}
		seen[s.Decision] = true
		if c.today != (civil.Date{}) && s.Since.String() > c.today.String() {
			c.at(file, "W32", place+"since", s.Since.String())
		}
		c.reason(file, place+"reason", s.Reason)
	}
}

// reason looks at what residents will read.
func (c *checker) reason(file, place string, w decision.Words) {
	for _, text := range w {
		if fault := decision.Fault(text); fault != "" {
			before := len(c.found)
			c.at(file, "K32", place)
			k := &c.found[before]
			k.Note = "it " + fault
			if slices.ContainsFunc(c.found[:before], func(f Finding) bool {
				return f.File == file && f.Line == k.Line && f.Rule == "T01" && !f.Settled
			}) {
				c.found = c.found[:before] // one finding for one text
			}
			return
		}
	}
	var lacking []string
	for _, lang := range c.charter.City.Languages {
		if _, one := w[decision.Unsaid]; one || w[lang] == "" {
			lacking = append(lacking, lang)
		}
	}
	if len(lacking) > 0 && len(c.charter.City.Languages) > 1 {
		c.at(file, "W31", place, strings.Join(lacking, ", "))
	}
}

// readable reports whether all decisions could be read, so that one that is not among
// them is not there.
func (c *checker) readable() bool {
	for file := range c.files {
		if strings.HasPrefix(file, "decisions/") && c.bad[file] {
			return false
		}
	}
	return true
}

func (c *checker) decides(id string) bool {
	for _, d := range c.decisions {
		if d.Decision == id {
			return true
		}
	}
	return false
}
