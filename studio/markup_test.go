package studio

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// markup is what a title could say to a browser, in each place of a page.
const markup = `"'></title></textarea></script><script>alert(1)</script><img src=x onerror=alert(2)>{{.City}}`

// TestMarkupIsText: titles, names of zones and of files, and what a form has sent, are text on every page.
func TestMarkupIsText(t *testing.T) {
	s := open(t)
	quoted := `'` + strings.ReplaceAll(markup, "'", "''") + `'`
	for file, change := range map[string][2]string{
		"decisions/2026-14-footfall.yaml": {`"Footfall in the old town"`, quoted},
		"charter.yaml":                    {"name: ", "name: " + quoted + " #"},
	} {
		raw := s.onDisk(t, file)
		if !strings.Contains(raw, change[0]) {
			t.Fatalf("%s lacks %s", file, change[0])
		}
		changed := strings.Replace(raw, change[0], change[1], 1)
		if err := os.WriteFile(filepath.Join(s.o.Dir, file), []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	odd := filepath.Join(s.o.Dir, "decisions", "<script>alert(1)<&'\"].yaml")
	if err := os.WriteFile(odd, []byte("title: "+quoted+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, body := s.answer(s.request("GET", "/", "")); strings.Contains(body, "<script>alert") ||
		!strings.Contains(body, "&lt;script&gt;alert") || !strings.Contains(body, "rename it") {
		t.Errorf("a file's name: %s", body)
	}
	if err := os.Remove(odd); err != nil {
		t.Fatal(err)
	}
	q := url.QueryEscape(markup)
	shown := 0
	for _, path := range []string{"/", "/draft/2026-14-footfall", "/file/charter",
		"/see/2026-14-footfall?passes=" + q + "&street=" + q, "/see/2026-14-footfall/result?street=" + q,
		"/new?like=" + q, "/dpia", "/consult", "/consult/2026-14?to=" + q + "&until=" + q + "&process=" + q,
		"/vote", "/" + url.PathEscape(markup)} {
		code, body := s.answer(s.request("GET", path, ""))
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") || code >= 500 {
			t.Errorf("%s: %d %s", path, code, body)
		}
		if strings.Contains(body, "&lt;script&gt;alert") {
			shown++
		}
	}
	if shown < 8 {
		t.Errorf("only %d pages show it", shown)
	}
	code, body := s.send("/new", url.Values{"id": {markup}, "like": {markup}})
	if code != 422 || strings.Contains(body, "<script>alert") || !strings.Contains(body, "&lt;script&gt;alert") {
		t.Errorf("a new one: %d %.500s", code, body)
	}
	w := s.uploads(t, "<script>alert(1).csv", markup, "a,b\n"+markup+"\n")
	if body := w.Body.String(); w.Code != 422 || strings.Contains(body, "<script>alert") {
		t.Errorf("readings: %d %.500s", w.Code, body)
	}
}
