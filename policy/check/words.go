package check

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/names"
	"sluice/policy/decision"
)

var (
	// wordsAt are the places of words for an id.
	wordsAt = regexp.MustCompile(`(^|/)(names|values)/(.*/)?[a-z]{2}$|/limits/\d+/title/[a-z]{2}$`)
	// contactAt are the places of what a contact has.
	contactAt = regexp.MustCompile(`^city/(responsible|dpo|authority)/([a-z]+)$`)
)

// unreadable finds words and contacts that no page could show, each under its line (K51, K52).
// A file that has any is not gone on with.
func (c *checker) unreadable() {
	for file, tree := range c.trees {
		for _, s := range tree.Strings() {
			switch at := contactAt.FindStringSubmatch(s.Place); {
			case at != nil && file == "charter.yaml":
				c.contact(file, s.Place, at[2], s.Text)
			case wordsAt.MatchString(s.Place) && s.Text != "": // said by the schema
				if err := names.CheckWords(map[string]string{path.Base(s.Place): s.Text}); err != nil {
					c.at(file, "K52", s.Place)
					c.found[len(c.found)-1].Note = err.Error()
					c.bad[file] = true
				}
			}
		}
	}
}

// contact looks at one part of a contact.
func (c *checker) contact(file, place, key, text string) {
	p := decision.Party{Name: "x"}
	part, known := map[string]*string{"name": &p.Name, "address": &p.Address, "email": &p.Email, "phone": &p.Phone,
		"web": &p.Web}[key]
	if !known || text == "" {
		return
	}
	if *part = text; p.Check() != nil {
		c.at(file, "K51", place, key)
		c.found[len(c.found)-1].Case = key
		c.bad[file] = true
	}
}

// limits finds limits of a measure that can be compared with nothing that is published.
func (c *checker) limits(file, place string, d *decision.Document, m decision.Measure) {
	if len(m.Limits) > 0 && strings.HasPrefix(m.Of, "histogram(") {
		c.at(file, "D39", place+"/limits", m.Name)
	}
	for i, l := range m.Limits {
		if !l.Over.IsZero() && l.Over.Nominal() < d.Publish.Every.Nominal() {
			c.at(file, "D38", fmt.Sprintf("%s/limits/%d/over", place, i), l.Over, d.Publish.Every)
		}
	}
}

// named asks for words of what residents would otherwise read as an id (W51), in each of the
// city's languages, and finds words of ids that are not there (K53, W52).
func (c *checker) named() {
	if c.charter == nil || c.kinds == nil {
		return
	}
	purposes, kinds := make(map[string]bool), make(map[string]*use)
	for _, file := range slices.Sorted(maps.Keys(c.decisions)) {
		d := c.decisions[file]
		purposes[d.Purpose] = true
		for i, m := range d.Publish.Measures {
			c.ask(file, fmt.Sprintf("publish/measures/%d", i), m.Name, m.Names)
		}
		for _, id := range d.AppliesTo.Kinds {
			if kinds[id] == nil {
				kinds[id] = &use{fields: make(map[string]bool), values: make(map[string][]string)}
			}
			kinds[id].add(d)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(kinds)) {
		c.kind(id, kinds[id])
	}
	c.charterNames(purposes)
}

// use is what decisions use of a kind.
type use struct {
	fields map[string]bool
	values map[string][]string // by field
}

func (u *use) add(d *decision.Document) {
	for _, f := range d.Keep {
		u.fields[f] = true
	}
	for _, b := range d.Publish.By {
		u.values[b.Field] = append(u.values[b.Field], b.Values...)
	}
}

// kind asks for the words of a kind, and of what is used of it.
func (c *checker) kind(id string, u *use) {
	k, known := c.kinds[id]
	if !known {
		return
	}
	place := "kinds/" + id
	c.ask("kinds.yaml", place, id, k.Names)
	for i, f := range k.Fields {
		at := place + "/fields/" + strconv.Itoa(i)
		if u.fields[f.Name] {
			c.ask("kinds.yaml", at, f.Name, f.Names)
		}
		var lacking, paste []string
		for _, v := range u.values[f.Name] {
			langs := c.lacking(f.Values[v])
			if len(langs) > 0 && len(f.Values[v]) == 0 && !slices.Contains(lacking, v) {
				lacking, paste = append(lacking, v), append(paste, v+": {"+example3(langs)+"}")
			}
		}
		if len(lacking) > 0 {
			c.at("kinds.yaml", "W51", at, strings.Join(lacking, ", "), strings.Join(c.lacking(nil), ", "),
				"values: {"+strings.Join(paste, ", ")+"}")
		}
	}
}

// charterNames asks for the words of purposes that decisions have, and finds words for what
// is not there.
func (c *checker) charterNames(used map[string]bool) {
	const file = "charter.yaml"
	for i, id := range c.charter.Purposes {
		if langs := c.lacking(c.charter.Names.Purposes[id]); used[id] && len(c.charter.Names.Purposes[id]) == 0 &&
			len(langs) > 0 {
			c.at(file, "W51", "purposes/"+strconv.Itoa(i), id, strings.Join(langs, ", "),
				"names: {purposes: {"+id+": {"+example3(langs)+"}}}")
		}
	}
	for id := range c.charter.Names.Purposes {
		if !slices.Contains(c.charter.Purposes, id) {
			c.at(file, "K53", "names/purposes/"+id, id, strings.Join(c.charter.Purposes, ", "))
		}
	}
	units := make(map[string]bool)
	for _, k := range c.kinds {
		for _, f := range k.Fields {
			units[f.Unit] = true
		}
	}
	for id := range c.charter.Names.Units {
		if !units[id] {
			c.at(file, "W52", "names/units", id)
		}
	}
}

// ask notes that something has no words; where it lacks some languages, that is said where
// its words stand.
func (c *checker) ask(file, place, id string, words map[string]string) {
	if langs := c.lacking(words); len(words) == 0 && len(langs) > 0 {
		c.at(file, "W51", place, id, strings.Join(langs, ", "), "names: {"+example3(langs)+"}")
	}
}

// lacking are the city's languages that words are not in.
func (c *checker) lacking(words map[string]string) (out []string) {
	for _, l := range c.charter.City.Languages {
		if words[l] == "" && language(l) {
			out = append(out, l)
		}
	}
	return out
}
