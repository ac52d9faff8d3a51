package check

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/names"
	"sluice/internal/yamldoc"
	"sluice/policy/decision"

	"sluice/internal/pattern"
)

var (
	// wordsAt are the places of words for an id.
	wordsAt = pattern.New(`(^|/)(names|values)/(.*/)?[a-z]{2}$|/limits/\d+/title/[a-z]{2}$`)
	// contactAt are the places of what a contact has.
	contactAt = pattern.New(`^city/(responsible|dpo|authority|accessibility)/([a-z]+)$`)
)

// unreadable finds texts with a character that nobody sees (Y02), and words and contacts that
// no page could show (K51, K52), each under its line. A file that has any is not gone on with.
func (c *checker) unreadable() {
	for _, file := range slices.Sorted(maps.Keys(c.trees)) {
		for _, s := range c.trees[file].Strings() {
			if c.hidden(file, s) || s.Text == "" || c.said(file, s.Place) {
				continue
			}
			switch at := contactAt.FindStringSubmatch(s.Place); {
			case at != nil && file == "charter.yaml":
				c.contact(file, s.Place, at[2], s.Text)
			case wordsAt.MatchString(s.Place):
				if names.CheckWords(map[string]string{path.Base(s.Place): s.Text}) != nil {
					c.at(file, "K52", s.Place, named(s.Place))
					if strings.ContainsAny(s.Text, "\n\r\t") {
						c.found[len(c.found)-1].Case = "lines"
					}
					c.bad[file] = true
				}
			}
		}
	}
}

// said reports whether the value at a place has a finding already.
func (c *checker) said(file, place string) bool {
	p := c.trees[file].At(strings.Split(place, "/"), false)
	return slices.ContainsFunc(c.found, func(f Finding) bool {
		return f.File == file && f.Line == p.Line && f.Column == p.Column
	})
}

// hidden finds a character that shows nothing or turns the writing round. Whatever else is wrong
// with the text is so because of it.
func (c *checker) hidden(file string, s yamldoc.StringAt) bool {
	at, r := names.Hidden(s.Text)
	if at < 0 || device.MatchString(s.Place) || strings.ContainsRune("\n\r\t", r) {
		return false // what breaks a line is seen
	}
	p := c.trees[file].At(strings.Split(s.Place, "/"), false)
	c.found = slices.DeleteFunc(c.found, func(f Finding) bool {
		return f.File == file && f.Line == p.Line && f.Column == p.Column
	})
	c.at(file, "Y02", s.Place, fmt.Sprintf("%U", r), named(s.Place), tail(s.Text[:at]))
	if at == 0 || tail(s.Text[:at]) == "" {
		c.found[len(c.found)-1].Case = "first"
	}
	c.bad[file] = c.bad[file] || !c.voted(file, c.inForce)
	return true
}

// tail is the end of a text that fits into a sentence.
func tail(s string) string {
	const most = 20
	r := []rune(s)
	return string(r[max(0, len(r)-most):])
}

// contact looks at one part of a contact.
func (c *checker) contact(file, place, key, text string) {
	p := decision.Party{Name: "x"}
	part, known := map[string]*string{"name": &p.Name, "address": &p.Address, "email": &p.Email, "phone": &p.Phone,
		"web": &p.Web}[key]
	if !known {
		return
	}
	if *part = text; p.Check() != nil {
		c.at(file, "K51", place, key)
		c.found[len(c.found)-1].Case = key
		c.bad[file] = true
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
