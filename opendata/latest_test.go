package opendata

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
)

// TestLatest: one address has the newest window of each gateway's cells, and one that of
// all streams, which is the same behind the stream's id.
func TestLatest(t *testing.T) {
	base := openCity(t, 5)
	const path = "/api/v1/streams/noise/latest"
	got := items(t, base, path)
	if len(got) != 2 || !strings.Contains(got[0], `"start":"2026-03-02T16:00:00Z"`) ||
		!strings.Contains(got[0], `"cell":"a"`) || !strings.Contains(got[1], `"start":"2026-03-02T15:00:00Z"`) {
		t.Fatalf("the newest are %q", got)
	}
	all := items(t, base, "/api/v1/latest")
	if len(all) != 2 || all[0] != `{"stream":"noise",`+got[0][1:] || all[1] != `{"stream":"noise",`+got[1][1:] {
		t.Errorf("of all streams they are %q", all)
	}
	for q, want := range map[string]int{"?cell=b": 1, "?measure=level&status=published": 2, "?status=withheld": 0,
		"?cell=a&cell=b&status=withheld&status=published": 2} {
		for _, path := range []string{path, "/api/v1/latest"} {
			if got := items(t, base, path+q); len(got) != want {
				t.Errorf("%s%s: %d; want %d", path, q, len(got), want)
			}
		}
	}
	for q, name := range map[string]string{"?cell=x9": "cell", "?measure=x9": "measure", "?status=x9": "status",
		"?from=x9": "query", "?format=x9": "format"} {
		for _, path := range []string{path, "/api/v1/latest"} {
			resp, body := fetch(t, base+path+q)
			if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), `"detail":"`+name+":") ||
				strings.Contains(string(body), "x9") {
				t.Errorf("%s%s: %d %s", path, q, resp.StatusCode, body)
			}
		}
	}
	resp, one := fetch(t, base+path)
	if _, again := fetch(t, base+path); string(one) != string(again) || resp.Header.Get("Etag") == "" {
		t.Error("the same question has not the same bytes, or no ETag")
	}
	if resp, _ := fetch(t, base+"/api/v1/streams/none/latest"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("of an unknown stream it is %d", resp.StatusCode)
	}
}

// TestSheet: the form for Excel has the columns of the other one, with semicolons, decimal
// commas and times that it takes for some.
func TestSheet(t *testing.T) {
	base := openCity(t, 5)
	for _, path := range []string{"/api/v1/latest?", "/api/v1/streams/noise/latest?", "/api/v1/streams?",
		"/api/v1/streams/noise/observations?limit=3&"} {
		_, plain := fetch(t, base+path+"format=csv")
		resp, sheet := fetch(t, base+path+"format=csv-excel")
		if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv") ||
			!strings.HasPrefix(string(sheet), "\uFEFF") || strings.Count(string(sheet), "\r\n") < 2 {
			t.Fatalf("%s: %.200q", path, sheet)
		}
		read := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(sheet), "\uFEFF")))
		read.Comma = ';'
		got, err := read.ReadAll()
		want, err2 := csv.NewReader(strings.NewReader(string(plain))).ReadAll()
		if err != nil || err2 != nil || len(got) != len(want) {
			t.Fatalf("%s: %v, %v", path, err, err2)
		}
		for n := range got {
			for i := range got[n] {
				same := got[n][i] == want[n][i]
				switch name := want[0][i]; {
				case n > 0 && strings.HasPrefix(name, "start_"):
					same = got[n][i] == want[n][i][:10]+" "+want[n][i][11:19]
				case n > 0 && name == "closed_until":
					same = got[n][i] == "2026-03-02 16:00:00"
				}
				if !same {
					t.Errorf("%s: %s is %q in one and %q in the other", path, want[0][i], got[n][i], want[n][i])
				}
			}
		}
	}
}
