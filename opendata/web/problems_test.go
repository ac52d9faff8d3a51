package web

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/news"
	"sluice/opendata/query"
)

// answered are the types of problems that any package of open data answers with, by their
// calls. One whose type is no constant is not allowed.
func answered(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 6 {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			case *ast.Ident:
				name = fun.Name
			}
			if name != "Problem" {
				return true
			}
			code, ok := call.Args[3].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s answers with a problem whose type is not written there", path)
				return true
			}
			text, err := strconv.Unquote(code.Value)
			if err != nil {
				t.Error(err)
			}
			out[text] = true
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestProblems: each type of problem that this server answers with is a page that says what
// it means and what to do, in each language and for programs, and is in the list; no other is.
func TestProblems(t *testing.T) {
	dir := books.Dir(t.TempDir())
	if err := dir.Put("city.json", []byte(`{"name":"Portalba"}`)); err != nil {
		t.Fatal(err)
	}
	source := &query.Source{Books: books.Reader{Source: dir}}
	w, err := New(source, httpcache.New(), news.New(source), Place{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	w.Routes(mux)
	ask := func(path, accept string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		r.Header.Set("Accept", accept)
		out := httptest.NewRecorder()
		mux.ServeHTTP(out, r)
		return out.Code, out.Body.String()
	}
	used := answered(t)
	if len(used) < 7 {
		t.Fatalf("only %v were found; the search is broken", used)
	}
	_, list := ask("/problems?lang=en", "text/html")
	for code := range used {
		said := map[string]bool{}
		for _, lang := range i18n.Codes {
			status, page := ask("/problems/"+code+"?lang="+lang, "text/html,application/xhtml+xml,*/*;q=0.8")
			if status != http.StatusOK || !strings.Contains(page, "/problems/"+code) ||
				!strings.Contains(page, "<html lang=\""+lang) {
				t.Errorf("/problems/%s in %s is %d", code, lang, status)
			}
			status, text := ask("/problems/"+code+"?lang="+lang, "application/problem+json, application/json")
			var one trouble
			if err := json.Unmarshal([]byte(text), &one); err != nil || status != http.StatusOK ||
				one.Type != "/problems/"+code || one.Means == "" || one.Mend == "" {
				t.Errorf("/problems/%s for programs in %s is %d %s (%v)", code, lang, status, text, err)
			}
			said[one.Means+one.Mend] = true
		}
		if len(said) != len(i18n.Codes) {
			t.Errorf("/problems/%s says the same in several languages", code)
		}
		if !strings.Contains(list, "/problems/"+code) {
			t.Errorf("/problems does not list %s", code)
		}
	}
	var all struct{ Problems, Items []trouble }
	if status, text := ask("/problems", "application/json"); status != http.StatusOK ||
		json.Unmarshal([]byte(text), &all) != nil || len(all.Items) != len(used) || len(all.Problems) != len(used) {
		t.Errorf("/problems for programs is %d %s", status, text)
	}
	// A language that there is not is an error everywhere, as in feeds.
	for _, path := range []string{"/?lang=xx", "/imprint?lang=", "/card.png?lang=EN", "/problems?lang=fr"} {
		if status, text := ask(path, "text/html"); status != http.StatusBadRequest || !strings.Contains(text, "lang") {
			t.Errorf("%s is %d", path, status)
		}
	}
	for _, path := range []string{"/problems/none", "/problems/x/y"} {
		if status, _ := ask(path, "text/html"); status != http.StatusNotFound {
			t.Errorf("%s is %d", path, status)
		}
	}
}

// TestStreamsLeadsOn: the address that one would try first leads to the list.
func TestStreamsLeadsOn(t *testing.T) {
	for path, want := range map[string]string{"/streams": "/#streams", "/streams?lang=ca": "/?lang=ca#streams",
		"/streams?lang=//evil.example": "/#streams"} {
		out := httptest.NewRecorder()
		toStreams(out, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if out.Code != http.StatusFound || out.Header().Get("Location") != want {
			t.Errorf("%s leads to %d %s", path, out.Code, out.Header().Get("Location"))
		}
	}
}
