package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoBooksAddNothingUp: a server without public books is no city without mistakes, and
// books without a line have nothing that could be wrong. docs/verify.py says the same.
func TestNoBooksAddNothingUp(t *testing.T) {
	dir := t.TempDir()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	for name, text := range map[string]string{"api/v1/streams": `{"streams":[]}`, "books/gateways.json": `{"gateways":[]}`} {
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
			if got, out := way(); got != code || !strings.Contains(out, words) || strings.Contains(strings.ToLower(out), "everything adds up") {
				t.Errorf("%s: %d, %s", name, got, out)
			}
		}
	}
	said(4, "there are no public books at "+server.URL)
	write(t, filepath.Join(dir, "books/city.json"), `{"id":"x","name":"X","timezone":"UTC"}`)
	said(0, "othing has been released yet")
}
