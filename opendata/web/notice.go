package web

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// sizes are the sheets that a notice fits on (ISO 216).
var sizes = []string{"a4", "a5", "a6"}

// noticePage is what hangs at the lamp post: one sheet in all of the city's languages.
type noticePage struct {
	sensorPage
	City  string
	Size  string
	Sizes []string
	// Step is how small the letters are; see fit. Much is how much is said in them.
	Step int
	Much much
	URL  string // of the sensor's page; empty where the public cannot reach any
	Code template.HTML
	// Reach is where residents can say something about it; may be empty.
	Reach   string
	Tongues []tongue
	// Rest are lines in all languages, where the tongues do not say it.
	Rest []template.HTML
}

// people is what a sensor's numbers can tell of people.
type people string

const (
	untold    people = "nothing"   // nothing of it is used
	nobody    people = "nobody"    // no person, as its decisions say, and no personal field
	forgotten people = "forgotten" // units are told apart for a day at most
	apart     people = "apart"     // units are told apart, for as long as the decision says
	together  people = "together"  // perhaps somebody; what is not known is this
)

// facts are what a notice is made of, in no language.
type facts struct {
	sensorPage
	city          books.City
	used, dropped []books.Field
	// running are the decisions that use any field, waiting those that do while they are in force.
	running, waiting []books.Decision
	streams, asleep  []query.Stream // of those that are running, and that are waiting
	people           people
}

// notice is the page at /sensors/{id}/notice.
func (w *Web) notice(r *http.Request, s *i18n.Localizer) (any, error) {
	n := noticePage{Size: r.URL.Query().Get("size"), Sizes: sizes}
	if n.Size == "" {
		n.Size = sizes[0]
	}
	if !slices.Contains(sizes, n.Size) {
		return nil, &query.Invalid{Parameter: "size", Hint: "is a4, a5 or a6"}
	}
	f, err := w.facts(r, s)
	if err != nil {
		return nil, err
	}
	n.sensorPage, n.City = f.sensorPage, f.city.Name
	if base := w.shown(); base != "" {
		n.URL = base + "/sensors/" + url.PathEscape(n.ID)
		if n.Code, err = code(n.URL, s.Say("QR code of this sensor's page")); err != nil {
			return nil, err
		}
	}
	var tellers []teller
	for _, code := range spoken(f.city, s.Code) {
		tellers = append(tellers, teller{facts: f, s: w.speak[code], words: w.words(w.speak[code])})
	}
	for n.Much = sheets[n.Size].much; ; n.Much++ {
		n.tell(f, tellers)
		if step, fits := n.fit(); fits || n.Much == least {
			n.Step = step
			return n, nil
		}
	}
}

// Captions reports whether icons have them in all languages, or in the first alone.
func (n noticePage) Captions() bool { return n.Much < less }

// tell has as much said as there should be.
func (n *noticePage) tell(f *facts, tellers []teller) {
	n.Tongues, n.Rest = nil, nil
	for i := range tellers {
		t := &tellers[i]
		t.much = n.Much
		n.Tongues, n.Reach = append(n.Tongues, t.tell()), t.cut(f.reach())
	}
	if n.Much >= basis {
		n.Rest = n.rest(f, tellers)
	}
	if n.Much == least { // the code says where the rest is
		n.City, n.Place, n.Reach = tellers[0].cut(f.city.Name), tellers[0].cut(f.Place), ""
		for i := range n.Tongues[1:] {
			n.Tongues[i+1].More = ""
		}
	}
}

// shown is the address that people reach, as far as is known.
func (w *Web) shown() string {
	if w.place.Public != "" {
		return w.place.Public
	}
	return w.place.Here
}

// spoken are the city's languages of those that there are, in its order; else the reader's.
func spoken(city books.City, reader string) (codes []string) {
	for _, code := range city.Languages {
		if i18n.Known(code) && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	if codes == nil {
		return []string{reader}
	}
	return codes
}

// facts collects what a notice says of a sensor.
func (w *Web) facts(r *http.Request, s *i18n.Localizer) (*facts, error) {
	p, err := w.theSensor(r, s)
	if err != nil {
		return nil, err
	}
	f := &facts{sensorPage: p}
	if f.city, err = w.source.Books.City(); err != nil {
		return nil, err
	}
	decisions, err := w.source.Books.Decisions()
	if err != nil {
		return nil, err
	}
	streams, err := w.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	runs, waits := map[string]bool{}, map[string]bool{}
	for _, x := range p.Fields {
		switch {
		case x.Fate != "dropped":
			f.used = append(f.used, x)
			runs[x.Decision] = true
		default:
			f.dropped = append(f.dropped, x)
			// Of a sensor that measures something, what has ended is not worth a line.
			if x.State != "" && (x.State != books.Past || p.Idle != "") {
				waits[x.Decision] = true
			}
		}
	}
	for _, d := range decisions {
		switch {
		case runs[d.ID]:
			f.running = append(f.running, d)
		case waits[d.ID]:
			f.waiting = append(f.waiting, d)
		}
	}
	for _, st := range streams {
		switch {
		case runs[st.Decision]:
			f.streams = append(f.streams, st)
		case waits[st.Decision]:
			f.asleep = append(f.asleep, st)
		}
	}
	f.people = f.whom()
	return f, nil
}

// whom says what can be told of people, from the fields' fates and the units of the streams.
// What is not known is taken for personal.
func (f *facts) whom() people {
	if len(f.used) == 0 {
		return untold
	}
	counted := slices.ContainsFunc(f.used, func(x books.Field) bool { return x.Fate == "counted" })
	kept := slices.ContainsFunc(f.used, func(x books.Field) bool { return x.Fate == "kept" && personal(x) })
	switch {
	case f.impersonal() && !counted && !slices.ContainsFunc(f.used, personal):
		return nobody
	case counted && !kept && f.daily():
		return forgotten
	case counted:
		return apart
	}
	return together
}

// impersonal reports whether each decision has series, and all of them are about nobody.
func (f *facts) impersonal() bool {
	for _, d := range f.running {
		if !slices.ContainsFunc(f.streams, func(st query.Stream) bool { return st.Decision == d.ID }) {
			return false
		}
	}
	about := func(st query.Stream) bool { return st.Unit != "none" }
	return len(f.running) > 0 && !slices.ContainsFunc(f.streams, about)
}

// daily reports whether the keys of all series that tell units apart die within a day.
func (f *facts) daily() bool {
	some := false
	for _, st := range f.streams {
		if st.Unit == "none" {
			continue
		}
		if some = true; st.Epoch != "P1D" && (st.Epoch == "" || query.Length(st.Epoch) >= 24*time.Hour) {
			return false
		}
	}
	return some
}

// personal reports whether a field can say something of somebody.
func personal(f books.Field) bool { return f.Class != "measurement" }
