package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/test/raced"
)

// TestNoBooksAddNothingUp: a server without public books is no city without mistakes, and
// books without a line have nothing that could be wrong. docs/verify.py says the same.
func TestNoBooksAddNothingUp(t *testing.T) {
	raced.Also(t)
	dir := t.TempDir()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	for name, text := range map[string]string{"api/v1/streams": `{"streams":[]}`,
		"books/gateways.json": `{"gateways":[]}`} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), text)
	}
	ways := map[string]func() (int, string){
		"verify":        func() (int, string) { return sluice("verify", server.URL) },
		"ledger verify": func() (int, string) { return sluice("ledger", "verify", server.URL) },
		"verify.py": func() (int, string) {
			cmd := exec.Command("python3", "../../docs/verify.py", server.URL)
			out, _ := cmd.CombinedOutput()
			return cmd.ProcessState.ExitCode(), string(out)
		},
	}
	said := func(code int, words string) {
		t.Helper()
		for name, way := range ways {
			if got, out := way(); got != code || !strings.Contains(out, words) ||
				strings.Contains(strings.ToLower(out), "everything adds up") {
				t.Errorf("%s: %d, %s", name, got, out)
			}
		}
	}
	said(4, "there are no public books at "+server.URL)
	write(t, filepath.Join(dir, "books/city.json"), `{"id":"x","name":"X","timezone":"UTC"}`)
	said(0, "othing has been released yet")
}

// TestListOfGateways: what a server says of its gateways leads nowhere but to their books.
func TestListOfGateways(t *testing.T) {
	for _, path := range []string{"/books/gateways/", "/books/gateways/a/../../secret", "http://127.0.0.1:1/books",
		"//elsewhere/books/gateways/a", "/secret", ""} {
		raw, err := json.Marshal(
			map[string]any{"gateways": []map[string]string{{"books": "/books/gateways/one"}, {"books": path}}})
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/books/gateways.json" {
				t.Errorf("for %q it asks for %s", path, r.URL.Path)
			}
			_, _ = w.Write(raw)
		}))
		if list, err := openEach(s.URL); err == nil {
			t.Errorf("%q is taken: %v", path, list)
		}
		s.Close()
	}
}
