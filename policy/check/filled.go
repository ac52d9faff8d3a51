package check

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"

	"sluice/internal/pattern"
)

// filled finds what is still to be written: placeholders of templates (T01), no law (T02),
// a language of the city that a text lacks (T03), no review (T04)
// or one on a day on which there is nothing to look at (T05, T06). What is in force word
// for word is warned of only: the council voted it so, and other motions must not wait
// for it. The charter that the program wrote for a single founding member is no vote.
func (c *checker) filled(inForce *bundle.Policy) {
	for file, tree := range c.trees {
		before := len(c.found)
		c.placeholders(file, tree)
		if path.Dir(file) == "decisions" {
			c.lawAndReview(file, tree)
			c.reviewed(file, inForce)
		}
		c.settle(before, c.voted(file, inForce) && !alone(file, inForce))
		c.once(before)
		before = len(c.found)
		if file != "suspended.yaml" { // whose reasons may be in a hurry
			c.languages(file, tree)
			c.commented(file, tree)
			c.capitals(file, tree)
		}
		c.settle(before, c.voted(file, inForce) && c.sameLanguages(inForce))
	}
}

// once removes the schema's finding about an empty text where a finding since then explains
// it better. The latter then is a mistake whatever is in force: the file cannot be read.
func (c *checker) once(since int) {
	fresh := c.found[since:]
	said := func(f Finding) bool {
		if f.Rule != "S04" && f.Rule != "S08" {
			return false
		}
		for i := range fresh {
			if g := &fresh[i]; g.File == f.File && g.Line == f.Line && g.Column == f.Column {
				g.Settled = false
				return true
			}
		}
		return false
	}
	c.found = append(slices.DeleteFunc(slices.Clone(c.found[:since]), said), fresh...)
}

// named is the key at a place.
func named(place string) string {
	if dir, lang := path.Split(place); dir != "" && (lang == "en" || lang == "ca" || lang == "es") {
		return path.Base(dir) + ": {" + lang + "}"
	}
	return path.Base(place)
}

// alone reports whether a file is the charter of a town whose founder is its only member:
// the program wrote it, nobody has written the town's name yet, and who decides alone can.
func alone(file string, inForce *bundle.Policy) bool {
	return file == "charter.yaml" && inForce != nil && inForce.Council != nil && len(inForce.Council.Members) == 1
}

// settle turns what was found since into warnings.
func (c *checker) settle(since int, voted bool) {
	for i := since; voted && i < len(c.found); i++ {
		c.found[i].Settled = true
	}
}

// voted reports whether a file is in force as it is, byte for byte.
func (c *checker) voted(file string, inForce *bundle.Policy) bool {
	return inForce != nil && slices.ContainsFunc(same(file, inForce), func(raw []byte) bool {
		return bytes.Equal(raw, c.files[file])
	})
}

// same are the texts in force that a file may be the same as: a decision may have got
// another file name.
func same(file string, p *bundle.Policy) (list [][]byte) {
	if path.Dir(file) != "decisions" {
		return [][]byte{p.Files[file]}
	}
	for i := range p.Decisions {
		list = append(list, p.Decisions[i].YAML)
	}
	return list
}

func (c *checker) sameLanguages(inForce *bundle.Policy) bool {
	return inForce != nil && c.charter != nil && !slices.ContainsFunc(c.charter.City.Languages, func(l string) bool {
		return !slices.Contains(inForce.Charter.City.Languages, l)
	})
}

var (
	// angled is how templates mark what is to be written: <the law that allows it>.
	angled = pattern.New(`<[^<>]*\pL[^<>]*>`)
	// markup is a tag of HTML, which no page obeys.
	markup = pattern.New(`(?i)</?(a|b|i|u|p|br|em|h[1-6]|hr|li|ul|ol|div|img|sub|sup|font|span|small|script|` +
		`strong|style|table|td|tr)(\s+[a-z-]+\s*=[^<>]*|\s*)/?>`)
	// device is a place with what devices send, where angles may be meant.
	device = pattern.New(`^(where/\d+/value|publish/by/\d+/values/\d+)$`)
	// prose are the places of a policy that people read as sentences or names.
	prose = pattern.New(
		`^(title/..|legal_basis|unit/none(/..)?|blackouts/\d+/reason|city/name|members/\d+/name|suspended/\d+/reason(/..)?)$`)
)

// nothing are what people write where they have nothing to say yet.
var nothing = map[string]bool{
	"": true, "tbd": true, "tba": true, "tbc": true, "todo": true, "to do": true, "fixme": true, "xxx": true,
	"n/a": true, "na": true, "none": true, "nil": true, "null": true,
	"lorem ipsum": true, "title": true, "text": true, "name": true, "purpose": true, "reason": true, "zone": true,
	"to be defined": true, "to be decided": true, "to be determined": true,
	"pendent": true, "per definir": true, "per determinar": true, "a definir": true, "cap": true, "títol": true,
	"nom": true, "motiu": true,
	"pendiente": true, "por definir": true, "por determinar": true, "ninguno": true, "ninguna": true, "título": true,
	"nombre": true, "motivo": true,
	// What earlier templates of this program said.
	"write a title for residents": true, "say here why it is about nobody; residents read it": true, "our town": true,
	"your city": true,
}

// unsaid reports whether a text of prose says nothing yet.
func unsaid(text string) bool {
	return nothing[strings.ToLower(strings.Trim(text, " \n.…-–—_?!*\"'"))]
}

// placeholders finds what a template left to be written.
func (c *checker) placeholders(file string, tree *yamldoc.Tree) {
	for _, s := range tree.Strings() {
		switch {
		case device.MatchString(s.Place):
		case angled.MatchString(s.Text), s.Place == "city/id" && s.Text == TemplateCity, prose.MatchString(s.Place) &&
			unsaid(s.Text) && s.Place != "legal_basis":
			c.at(file, "T01", s.Place, s.Text, named(s.Place))
			switch f := &c.found[len(c.found)-1]; {
			case s.Text == "":
				f.Case = "empty"
			case markup.MatchString(s.Text):
				f.Case, f.Args = "markup", []any{markup.FindString(s.Text)}
			}
		}
	}
}

// TemplateCity is the id of a city that has none yet.
const TemplateCity = "your-city"

func (c *checker) lawAndReview(file string, tree *yamldoc.Tree) {
	strings, nobody := tree.Strings(), false
	law, written := "", false
	for _, s := range strings {
		nobody = nobody || s.Place == "unit/none"
		if s.Place == "legal_basis" {
			law, written = s.Text, true
		}
	}
	if unsaid(law) && (written && law != "" || !nobody) {
		c.at(file, "T02", "legal_basis")
	}
	if !slices.ContainsFunc(strings, func(s yamldoc.StringAt) bool { return s.Place == "review" }) {
		c.at(file, "T04", "review")
	}
}

// languages finds texts for residents that a language of the city lacks: mappings whose
// keys are languages.
func (c *checker) languages(file string, tree *yamldoc.Tree) {
	if c.charter == nil {
		return
	}
	texts := make(map[string]map[string]string)
	for _, s := range tree.Strings() {
		if dir, lang := path.Split(s.Place); language(lang) {
			if texts[dir] == nil {
				texts[dir] = make(map[string]string)
			}
			texts[dir][lang] = s.Text
		}
	}
	for dir, by := range texts {
		var lacking []string
		for _, l := range c.charter.City.Languages {
			if _, there := by[l]; !there && language(l) { // no text can have another
				lacking = append(lacking, l)
			}
		}
		if len(lacking) > 0 {
			place := strings.TrimSuffix(dir, "/")
			if wordsAt.MatchString(dir+"en") && !strings.Contains(dir, "/limits/") {
				c.at(file, "W51", place, place, strings.Join(lacking, ", "), example3(lacking))
				continue
			}
			c.at(file, "T03", place, path.Base(place), strings.Join(lacking, ", "), example3(lacking))
		}
	}
}

// language reports whether texts may be in it.
func language(l string) bool { return l == "en" || l == "ca" || l == "es" }

// example3 is what to add: ca: "…", es: "…".
func example3(langs []string) string {
	var out []string
	for _, l := range langs {
		out = append(out, l+`: "…"`)
	}
	return strings.Join(out, ", ")
}
