// Package templates has decisions for what towns commonly decide, to begin with: the decision's
// terms, the kind of sensor and the purpose that it needs, what a sign says, what an impact
// assessment says, and what a street is like on which it is tried. They are data, one file each:
//
//	name: {en: "Bicycles", …}                      # what the template is called in lists
//	title: {en: "Bicycles in <which streets>", …}   # what stands in < > a clerk writes
//	about: {en: "How many bicycles pass …", …}
//	stream: cycling
//	law: {en: "the mobility by-law", …}             # an example; the clerk writes the law
//	purpose: {id: cycling-planning, names: {…}}     # for charter.yaml
//	labels: {ug/m3: {…}}                            # words for units of measurement, likewise
//	kind: {id: bike-counter, entry: | …}            # for kinds.yaml
//	terms: | …                                      # the decision's keys from unit to measures
//	protect: {stands_for: device, contributions: 4} # of units only
//	days: 30                                        # how long it lasts; a year if absent
//	notice: {…}                                     # what a sign at the sensor says
//	dpia: {necessity: {…}, risks: {…}}
//	street: {passes: 9000, peak: 18, returns: 0.6,  # a day: how many, busiest hour, how often back
//	  values: {kmh: [22, 55]}}                      # what a field usually is, when it is quiet and when it is busy
//
// None passes policy check before its blanks are filled in.
package templates

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"sluice/internal/yamldoc"
)

// Template is a decision to begin with. Texts are by language: en, ca and es.
type Template struct {
	ID      string                       `yaml:"-"`
	Name    map[string]string            `yaml:"name"`
	Title   map[string]string            `yaml:"title"`
	About   map[string]string            `yaml:"about"`
	Stream  string                       `yaml:"stream"`
	Law     map[string]string            `yaml:"law"`
	Purpose Purpose                      `yaml:"purpose"`
	Labels  map[string]map[string]string `yaml:"labels"`
	Kind    Kind                         `yaml:"kind"`
	// Terms are the decision's keys from unit to publish, as they stand in its file.
	Terms   string  `yaml:"terms"`
	Protect Protect `yaml:"protect"`
	// Days is how long the decision lasts, 0 for a year.
	Days   int               `yaml:"days"`
	Notice map[string]string `yaml:"notice"`
	DPIA   DPIA              `yaml:"dpia"`
	Street Street            `yaml:"street"`
}

// Purpose is one for the charter.
type Purpose struct {
	ID    string            `yaml:"id"`
	Names map[string]string `yaml:"names"`
}

// Kind is one for kinds.yaml; Entry is what stands below its id there.
type Kind struct {
	ID    string `yaml:"id"`
	Entry string `yaml:"entry"`
}

// Protect is how its units are protected; zero where it is about nobody.
type Protect struct {
	StandsFor     string `yaml:"stands_for"`
	Contributions int64  `yaml:"contributions"`
	Membership    string `yaml:"membership"`
}

// DPIA are paragraphs of an impact assessment: why no less would do, and what can go wrong.
type DPIA struct {
	Necessity map[string]string `yaml:"necessity"`
	Risks     map[string]string `yaml:"risks"`
}

// Street is a day on which the decision is tried: how many pass (readings, where it is about
// nobody; sensors, where they are the units), the busiest local hour, and how often one comes back.
type Street struct {
	Passes  int     `yaml:"passes"`
	Peak    int     `yaml:"peak"`
	Returns float64 `yaml:"returns"`
	// Values are what fields usually are, by name: [in a quiet hour, in the busiest].
	Values map[string][]float64 `yaml:"values"`
}

//go:embed towns/*.yaml
var files embed.FS

var all = sync.OnceValue(func() []Template {
	names, err := fs.Glob(files, "towns/*.yaml")
	must(err)
	var out []Template
	for _, name := range names {
		raw, err := files.ReadFile(name)
		must(err)
		t := Template{ID: strings.TrimSuffix(path.Base(name), ".yaml")}
		must(yamldoc.Decode(name, raw, &t))
		out = append(out, t)
	}
	return out
})

// must is for what is written in this package.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("templates: %v", err))
	}
}

// List are all templates, by id.
func List() []Template { return slices.Clone(all()) }

// Get is a template by its id.
func Get(id string) (Template, bool) {
	at := slices.IndexFunc(all(), func(t Template) bool { return t.ID == id })
	if at < 0 {
		return Template{}, false
	}
	return all()[at], true
}

// Usual is what a field of a kind usually is, in a quiet hour and in the busiest; ok is false where no template
// says it.
func Usual(kind, field string) (quiet, busy float64, ok bool) {
	for _, t := range all() {
		if v := t.Street.Values[field]; t.Kind.ID == kind && len(v) == 2 {
			return v[0], v[1], true
		}
	}
	return 0, 0, false
}
