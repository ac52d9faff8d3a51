package studio

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/test/program"
)

// TestPapersAsPDF: a paper is offered as PDF where a browser prints, and where none does the page
// says what to do.
func TestPapersAsPDF(t *testing.T) {
	s, _ := chamber(t)
	if code, body := s.send("/vote", url.Values{"id": {"first"}}); code != 303 {
		t.Fatalf("%d\n%s", code, body)
	}
	path := t.TempDir()
	t.Setenv("PATH", path)
	for name, x := range map[string]struct {
		script string
		offers bool
		code   int
	}{
		"no browser":             {"", false, http.StatusServiceUnavailable},
		"a browser that fails":   {"exit 1", true, http.StatusServiceUnavailable},
		"a browser that prints":  {`for a; do case $a in --print-to-pdf=*) echo %PDF > "${a#*=}";; esac; done`, true, 200},
		"no browser any more":    {"", false, http.StatusServiceUnavailable},
		"one that is given back": {`for a; do case $a in --print-to-pdf=*) echo %PDF > "${a#*=}";; esac; done`, true, 200},
	} {
		browser := filepath.Join(path, "chromium")
		_ = os.Remove(browser)
		if x.script != "" {
			if err := program.Write(browser, []byte("#!/bin/sh\n"+x.script)); err != nil {
				t.Fatal(err)
			}
		}
		if _, body := s.answer(s.request("GET", "/vote/first", "")); strings.Contains(body, "page.pdf") != x.offers ||
			strings.Contains(body, "minutes.pdf") != x.offers ||
			strings.Contains(body, "open the page in any browser and print it") == x.offers {
			t.Errorf("%s: the page offers a PDF, or does not say what to do", name)
		}
		for _, paper := range []string{"page.pdf", "minutes.pdf?session=12"} {
			r := s.request("GET", "/vote/first/"+strings.Split(paper, "?")[0], "")
			r.URL.RawQuery = "session=12"
			code, body := s.answer(r)
			if code != x.code || (code == 200) != strings.HasPrefix(body, "%PDF") ||
				code != 200 && !strings.Contains(body, "Download the page (HTML)") {
				t.Errorf("%s: %s is %d %.300s", name, paper, code, body)
			}
		}
	}
}
