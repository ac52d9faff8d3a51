package studio

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"html"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/consult"
	"sluice/policy/explain"
	"sluice/simulate"
	"sluice/simulate/charts"
)

// consulted is the page of one draft that is put to the public.
type consulted struct {
	ID, Title, Text    string
	To, Until, Process string
	Wrong              string
	Counts             []counted
	List               []said
	Asked              bool
}

// counted is how many answers say so.
type counted struct {
	Word string
	N    int
}

// said is one answer.
type said struct{ Opinion, Useful, Worry, Change string }

// answerDays is how long answers are taken where nobody says until when.
const answerDays = 30

// consultations lists the drafts.
func (s *Server) consultations(w http.ResponseWriter, r *http.Request) error {
	p, err := s.policy()
	if err != nil {
		return err
	}
	var list []beginning
	for i := range p.Decisions {
		list = append(list, beginning{p.Decisions[i].Decision, langOf(r).Title(p.Decisions[i].Title), ""})
	}
	return s.show(w, r, "consultations", map[string]any{"Decisions": list})
}

// consultation asks whom answers go to, and until when.
func (s *Server) consultation(w http.ResponseWriter, r *http.Request) error {
	_, _, page, err := s.consulted(r)
	if err != nil {
		return err
	}
	return s.show(w, r, "consult", page)
}

// consulted is a decision's page, with what its address says.
func (s *Server) consulted(r *http.Request) (*bundle.Policy, *bundle.Decision, *consulted, error) {
	p, err := s.policy()
	if err != nil {
		return nil, nil, nil, err
	}
	d := p.Decision(r.PathValue("id"))
	if d == nil {
		return nil, nil, nil, errMissing
	}
	q := r.URL.Query()
	day := s.o.Now().In(p.Location).AddDate(0, 0, answerDays)
	page := &consulted{ID: d.Decision, Title: langOf(r).Title(d.Title), To: p.Charter.City.Responsible.Email,
		Until:   civil.Date{Year: day.Year(), Month: int(day.Month()), Day: day.Day()}.String(),
		Process: q.Get("process")}
	if q.Has("to") {
		page.To = strings.TrimSpace(q.Get("to"))
	}
	if q.Get("until") != "" {
		page.Until = q.Get("until")
	}
	return p, d, page, nil
}

// folder makes the pages; Wrong says what cannot be.
func (s *Server) folder(r *http.Request) (map[string][]byte, *consulted, error) {
	p, d, page, err := s.consulted(r)
	if err != nil {
		return nil, nil, err
	}
	in := consult.Input{Policy: p, Decision: d, To: page.To, Process: page.Process}
	switch err := in.Until.UnmarshalText([]byte(page.Until)); {
	case err != nil || in.Until.End(p.Location).Before(s.o.Now()):
		page.Wrong = "consult.bad-until"
	case page.To != "" && !consult.GoodTo(page.To):
		page.Wrong = "consult.bad-to"
	case page.Process != "" && !consult.GoodProcess(page.Process):
		page.Wrong = "consult.bad-process"
	}
	if page.Wrong != "" {
		return nil, page, nil
	}
	if who := p.Charter.City.Responsible; who.Address != "" {
		in.Post = who.Name + ", " + who.Address
	}
	x, err := s.dossier(langOf(r))
	if err != nil {
		return nil, nil, err
	}
	in.Answers = x.in.Answers
	if in.InForce, err = s.desk.inForce(); err != nil {
		return nil, nil, err
	}
	if in.Pictures, err = s.consultPictures(r.Context(), p, d); err != nil {
		return nil, nil, err
	}
	files, err := consult.Folder(in)
	return files, page, err
}

// consultPictures are none where the street lacks what the decision needs.
func (s *Server) consultPictures(
	ctx context.Context, p *bundle.Policy, d *bundle.Decision,
) (map[string][]byte, error) {
	pictures, err := charts.Of(ctx, p, d, charts.StreetOf(d), s.speech,
		func(l explain.Lang) string { return say(l, "see.street") })
	if lack := (*simulate.Lacks)(nil); errors.As(err, &lack) {
		return nil, nil
	}
	return pictures, err
}

// consultFolder sends the pages as one file to unpack on a web server.
func (s *Server) consultFolder(w http.ResponseWriter, r *http.Request) error {
	files, page, err := s.folder(r)
	if err != nil {
		return err
	}
	if page.Wrong != "" {
		return s.showWith(w, r, http.StatusUnprocessableEntity, "consult", page)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := z.Create("consultation-" + page.ID + "/" + name)
		if err == nil {
			_, err = f.Write(files[name])
		}
		if err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="consultation-`+page.ID+`.zip"`)
	_, err = w.Write(b.Bytes())
	return err
}

// consultPage shows a file of the folder as the public would see it.
func (s *Server) consultPage(w http.ResponseWriter, r *http.Request) error {
	files, page, err := s.folder(r)
	if err != nil {
		return err
	}
	raw := files[r.PathValue("file")]
	if page.Wrong != "" {
		return s.showWith(w, r, http.StatusUnprocessableEntity, "consult", page)
	}
	if raw == nil {
		return errMissing
	}
	for name := range files { // another language of the page is of what was typed, too
		if path.Ext(name) == ".html" {
			raw = bytes.ReplaceAll(raw, []byte(`href="`+name+`"`),
				[]byte(`href="`+name+html.EscapeString(page.Query())+`"`))
		}
	}
	kind := mime.TypeByExtension(path.Ext(r.PathValue("file")))
	if path.Ext(r.PathValue("file")) == ".yaml" {
		kind = "text/plain; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	_, err = w.Write(raw)
	return err
}

// At is the sentence that is wrong with a field.
func (c *consulted) At(key string) string {
	if c.Wrong == key {
		return key
	}
	return ""
}

// consultAnswers counts and lists what came back. It is kept nowhere.
func (s *Server) consultAnswers(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseMultipartForm(maxBody); err != nil {
		return err
	}
	_, _, page, err := s.consulted(r)
	if err != nil {
		return err
	}
	raw, name := []byte(r.PostForm.Get("text")), "1"
	if f, head, err := r.FormFile("file"); err == nil {
		defer f.Close()
		if head.Size > 0 {
			if raw, err = io.ReadAll(f); err != nil {
				return err
			}
		}
	}
	l := langOf(r)
	list, err := consult.ParseAnswers(name, raw)
	if err != nil {
		page.Wrong, page.Text = "consult.unread", r.PostForm.Get("text")
		return s.showWith(w, r, http.StatusUnprocessableEntity, "consult", page)
	}
	page.Asked = true
	counts := consult.Counts(list)
	for _, o := range consult.Opinions {
		page.Counts = append(page.Counts, counted{say(l, "consult.opinion."+o), counts[o]})
	}
	for _, a := range list {
		page.List = append(page.List, said{say(l, "consult.opinion."+a.Opinion), a.Useful, a.Worry, a.Change})
	}
	return s.show(w, r, "consult", page)
}

// query is an address's part that keeps what the form says.
func (c *consulted) Query() string {
	return "?" + url.Values{"to": {c.To}, "until": {c.Until}, "process": {c.Process}}.Encode()
}
