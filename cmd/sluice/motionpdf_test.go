package main

import (
	"path/filepath"
	"strings"
	"testing"

	"sluice/policy/explain"
	"sluice/test/program"
)

// TestNoBrowserNoPDF: where nothing prints, what to do instead is said, in the language asked for.
func TestNoBrowserNoPDF(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for _, x := range []struct {
		lang explain.Lang
		want string
	}{{0, "neither is on this machine"}, {1, "no n'hi ha cap"}, {2, "no hay ninguno"}} {
		_, err := printed(t.Context(), newLocale(x.lang), []byte("<p>x</p>"))
		if err == nil || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), ".html") {
			t.Errorf("%d: %v", x.lang, err)
		}
	}
	if err := program.Write(filepath.Join(dir, "chromium"), []byte("#!/bin/sh\nexit 1\n")); err != nil {
		t.Fatal(err)
	}
	_, err := printed(t.Context(), newLocale(0), []byte("<p>x</p>"))
	if err == nil || !strings.Contains(err.Error(), "chromium did not print the page") {
		t.Errorf("a browser that fails: %v", err)
	}
}
