package studio

import (
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/policy/templates"
	"sluice/simulate"
)

const seeFootfall = "/see/2026-14-footfall"

// asks asks for a page with a form's values.
func (s *Server) asks(path, values string) (int, string) {
	r := s.request("GET", path, "")
	r.URL.RawQuery = values
	return s.answer(r)
}

// sends sends a form.
func (s *Server) sends(path string, values url.Values) (int, string, http.Header) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, s.request("POST", path, values.Encode()))
	return w.Code, w.Body.String(), w.Header()
}

// TestSee: each decision of the example city is tried in each language, with a picture, sentences, a
// table and, where it is about people, a proposal.
func TestSee(t *testing.T) {
	s := open(t)
	for _, id := range []string{"2026-14-footfall", "2026-15-boardings", "2026-16-noise", "2026-17-air"} {
		for l := range explain.Languages {
			r := s.request("GET", "/", "")
			r.URL.Path = s.base(explain.Lang(l)) + "/see/" + id
			code, body := s.answer(r)
			for _, want := range []string{"<h1>", `<svg class="picture"`, `class="passed"`, `class="sentences"`, "<table ",
				`name="sum"`} {
				if code != 200 || !strings.Contains(body, want) {
					t.Errorf("%s in %s: %d, without %s", id, explain.Lang(l), code, want)
				}
			}
			about := strings.Contains(id, "footfall") || strings.Contains(id, "boardings")
			if about != strings.Contains(body, `id="proposal"`) || about != strings.Contains(body, `id="epsilon"`) {
				t.Errorf("%s in %s: who is protected?", id, explain.Lang(l))
			}
			if bad := regexp.MustCompile(`%!|NaN|<no value>|ZgotmplZ`).FindString(body); bad != "" {
				t.Errorf("%s in %s has %s", id, explain.Lang(l), bad)
			}
		}
	}
}

// TestSeeValues: what is moved changes what is said; beside it stands what was, and what the charter
// does not allow is said.
func TestSeeValues(t *testing.T) {
	s := open(t)
	_, own := s.asks(seeFootfall, "")
	if strings.Count(own, "<svg") != 1 || strings.Contains(own, "The charter") {
		t.Error("the draft as it is stands beside itself, or breaks the charter")
	}
	code, body := s.asks(seeFootfall, "times=1&min=5&epsilon=2&every=PT2H&returns=2")
	for _, want := range []string{"counted once, and are missed", "The charter asks for a smallest group of 10",
		"would spend 2 a day, and the charter allows 1", "the draft as it is written"} {
		if code != 200 || !strings.Contains(body, want) {
			t.Errorf("%d, without %q", code, want)
		}
	}
	if strings.Count(body, "<svg") != 2 {
		t.Error("the draft is not beside it")
	}
	code, part := s.asks(seeFootfall+"/result", "beside=PT3H,20,0.5,2")
	if code != 200 || strings.Contains(part, "<html") || strings.Count(part, "<svg") != 2 ||
		!strings.Contains(part, "With 3 hours, 20, 0.5 and 2") {
		t.Errorf("%d: kept values are not beside the draft", code)
	}
	if code, part = s.asks(seeFootfall+"/proposal", "times=1"); code != 200 || !strings.Contains(part, "Try that") {
		t.Errorf("%d: nothing is proposed: %s", code, part)
	}
	if code, part = s.asks(seeFootfall+"/progress", ""); code != 200 || part != "100" {
		t.Errorf("%d: it is made to %s %%", code, part)
	}
	_, again := s.asks(seeFootfall+"/result", "beside=PT3H,20,0.5,2")
	if _, first := s.asks(seeFootfall+"/result", "beside=PT3H,20,0.5,2"); again != first {
		t.Error("the same form gives another picture")
	}
}

// TestSeeAtOnce: several pages of a browser ask at the same time, and each has its answer.
func TestSeeAtOnce(t *testing.T) {
	s := openShared(t)
	queries := []string{"min=11", "min=12&every=PT2H", "min=13&passes=500", "min=14&passes=700", "min=15&every=PT2H"}
	var all sync.WaitGroup
	for _, q := range queries {
		for range 2 {
			all.Go(func() {
				want := `name="min" value="` + q[4:6] + `"`
				if code, body := s.asks(seeFootfall+"/result", q); code != 200 || !strings.Contains(body, want) {
					t.Errorf("%s: %d, without %s", q, code, want)
				}
			})
		}
	}
	all.Wait()
}

// TestSeeWrong: what cannot be tried is said at once, whatever is in the form.
func TestSeeWrong(t *testing.T) {
	s := open(t)
	for query, want := range map[string]string{
		"passes=many": "How many pass is", "peak=25": "The hour of the peak", "returns=-1": "How often one comes back",
		"every=hour": "such as PT1H", "min=0": "The smallest group is", "epsilon=NaN": "Epsilon is a number",
		"times=x": "How often one counts", "every=PT7H": "No decision can have", "beside=a,b,c,d": "<svg",
		"cell=nowhere&number=%00": "<svg", "seed=-1": "<svg", "beside=%3Cscript%3E": "<svg", "street=city": "<svg",
	} {
		code, body := s.asks(seeFootfall+"/result", query)
		if code != 200 || !strings.Contains(body, want) || strings.Contains(body, "<script>") {
			t.Errorf("%s: %d, without %q", query, code, want)
		}
	}
	for _, path := range []string{"/see/none", "/see/none/result", "/see/none/proposal"} {
		if code, _ := s.asks(path, ""); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
	raw, sum, err := s.desk.Read("decisions/2026-14-footfall.yaml")
	if err != nil || s.desk.Write("decisions/2026-14-footfall.yaml", sum, append(raw, "unknown: 1\n"...)) != nil {
		t.Fatal(err)
	}
	if code, body := s.asks(seeFootfall, ""); code != 422 || !strings.Contains(body, "This draft has mistakes") {
		t.Errorf("a draft with mistakes: %d", code)
	}
	if code, _ := s.asks("/see/2026-15-boardings", ""); code != 200 {
		t.Errorf("beside a draft with mistakes: %d", code)
	}
}

// TestSeeWrites: the values go into the draft, each comment stays, and nothing else changes. Who has an
// older draft before them writes nothing.
func TestSeeWrites(t *testing.T) {
	const file = "decisions/2026-14-footfall.yaml"
	s := open(t)
	before, _, err := s.desk.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	_, body := s.asks(seeFootfall, "times=2&min=20&epsilon=0.5&every=PT2H")
	sent := url.Values{}
	_, forms, _ := strings.Cut(body, `<form method="post"`)
	for _, m := range regexp.MustCompile(`name="(\w+)" value="([^"]*)"`).FindAllStringSubmatch(forms, -1) {
		sent.Add(m[1], html.UnescapeString(m[2]))
	}
	code, _, head := s.sends(seeFootfall, sent)
	if to := head.Get("Location"); code != 303 || !strings.Contains(to, "written=saved") {
		t.Fatalf("%d to %s", code, to)
	}
	after, _, err := s.desk.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("every: PT1H", "every: PT2H", "min_units: 10", "min_units: 20", "epsilon: 1 ",
		"epsilon: 0.5 ", "max_contributions: 4", "max_contributions: 2").Replace(string(before))
	if squeeze(string(after)) != squeeze(want) {
		t.Errorf("the draft is\n%s\nwant\n%s", after, want)
	}
	sent.Set("times", "3")
	if code, _, _ = s.sends(seeFootfall, sent); code != 409 {
		t.Errorf("a draft that has changed since: %d", code)
	}
	sent.Set("times", "none")
	if code, _, _ = s.sends(seeFootfall, sent); code != 400 {
		t.Errorf("no number: %d", code)
	}
	undo := url.Values{"do": {"undo"}, "yaml": {string(after)}}
	if code, _, _ = s.sends("/draft/2026-14-footfall", undo); code != 303 {
		t.Errorf("undo: %d", code)
	}
	if sheet, err := s.drafts.look(file); err != nil || sheet.Text != string(before) {
		t.Errorf("it is not undone: %v", err)
	}
}

// TestSeeUnsaved: what is not saved yet is tried, and values beside it are not saved either.
func TestSeeUnsaved(t *testing.T) {
	const file = "decisions/2026-14-footfall.yaml"
	s := open(t)
	before, _, err := s.desk.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(before), "min_units: 10", "min_units: 30", 1)
	if code, _, _ := s.sends("/draft/2026-14-footfall", url.Values{"do": {"keep"}, "yaml": {text}}); code != 303 {
		t.Fatal(code)
	}
	_, body := s.asks(seeFootfall+"/result", "")
	sum := regexp.MustCompile(`name="sum" value="(\w+)"`).FindStringSubmatch(body)
	if !strings.Contains(body, `name="min" value="30"`) || sum == nil {
		t.Fatal("the unsaved draft is not tried")
	}
	code, _, head := s.sends(seeFootfall, url.Values{"sum": {sum[1]}, "times": {"2"}, "min": {"30"}})
	if code != 303 || !strings.Contains(head.Get("Location"), "written=unsaved") {
		t.Errorf("%d to %s", code, head.Get("Location"))
	}
	now, _, err := s.desk.Read(file)
	sheet, errLook := s.drafts.look(file)
	if err != nil || errLook != nil || string(now) != string(before) ||
		!strings.Contains(sheet.Text, "max_contributions: 2") {
		t.Error("what was not saved is saved, or lost")
	}
}

// squeeze takes out how far comments stand from what they are about.
func squeeze(s string) string { return regexp.MustCompile(` +#`).ReplaceAllString(s, " #") }

// TestSeeTemplates: each template can be tried as it is, on its own street, before its blanks are
// filled in.
func TestSeeTemplates(t *testing.T) {
	for _, x := range templates.List() {
		s := open(t)
		p, err := bundle.Read(portalba.Policy())
		if err != nil {
			t.Fatal(err)
		}
		changed, _, err := x.Add(p)
		if err != nil {
			t.Fatal(err)
		}
		files := portalba.Policy()
		maps.Copy(files, changed)
		if p, err = bundle.Read(files); err != nil {
			t.Fatal(err)
		}
		files["decisions/2027-01.yaml"] = x.Decision(0, p, "2027-01", s.o.Now())
		if err := files.Write(s.o.Dir); err != nil {
			t.Fatal(err)
		}
		code, body := s.asks("/see/2027-01/result", "")
		if code != 200 || !strings.Contains(body, "<svg") || strings.Contains(body, "NaN") {
			t.Errorf("%s: %d\n%s", x.ID, code, body)
		}
		if !strings.Contains(body, `class="shown"`) && !strings.Contains(body, `class="withheld"`) {
			t.Errorf("%s: nothing of its street is drawn", x.ID)
		}
	}
}

// TestWhy: a proposal that is less exact says so as a price.
func TestWhy(t *testing.T) {
	of := func(off, inside float64) simulate.Choice { return simulate.Choice{Error: off, Inside: inside} }
	for _, x := range []struct {
		p    simulate.Proposal
		same bool
		want string
	}{
		{simulate.Proposal{Choice: of(13, .96), Draft: of(13, .96)}, true, "is off by 13 in a place and hour, and 96"},
		{simulate.Proposal{Choice: of(13, .96), Draft: of(85, .8)}, false, "off by 13 in a place and hour (now by 85)"},
		{simulate.Proposal{Choice: of(85, .96), Draft: of(13, .8)}, false,
			"96 of 100 bands would then hold what really passed (now 80). The price: what is published is off by 85"},
	} {
		if said := strings.Join(why(0, &x.p, x.same), " "); !strings.Contains(said, x.want) {
			t.Errorf("%q is not in %q", x.want, said)
		}
	}
}
