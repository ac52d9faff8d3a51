package influx

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/store"
)

// TestNoForeignTextInAQuery: what is no id never reaches InfluxDB.
func TestNoForeignTextInAQuery(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	s, err := Open(Config{URL: server.URL, Org: "o", Bucket: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	for _, bad := range []string{`x" or true`, "x\ny", `${secret}`, `x\`, "", `")`, "é", strings.Repeat("x", 400)} {
		for what, q := range map[string]store.Query{
			"stream": {Stream: bad}, "cell": {Stream: "s", Cells: []string{bad}},
			"measure": {Stream: "s", Measures: []string{"m", bad}},
		} {
			q.To, q.Limit = time.Now(), 1
			if _, err := s.Observations(ctx, q); !errors.Is(err, errWord) {
				t.Errorf("%s %q gives %v; want it refused", what, bad, err)
			}
		}
		if _, err := s.ClosedUntil(ctx, bad); !errors.Is(err, errWord) {
			t.Errorf("ClosedUntil of %q gives %v; want it refused", bad, err)
		}
	}
	if asked > 0 {
		t.Errorf("InfluxDB was asked %d times", asked)
	}
}

// TestErrorsSayWhatToDo: and not what was written.
func TestErrorsSayWhatToDo(t *testing.T) {
	status := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"code":"x","message":"about point 71.5"}`))
	}))
	s, err := Open(Config{URL: server.URL, Org: "o", Bucket: "b"})
	if err != nil {
		t.Fatal(err)
	}
	v := 71.5
	list := []store.Observation{{Stream: "s", Start: time.Now(), End: time.Now(), Cell: "c", Measure: "m", Value: &v,
		Low: &v, High: &v}}
	for code, want := range map[int]string{401: "token_file", 404: "flux-enabled", 400: "retention", 500: "own log",
		302: "own log"} {
		status = code
		if err := s.Write(context.Background(), list); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "71.5") {
			t.Errorf("%d gives %v; want a hint about %s", code, err, want)
		}
	}
	server.Close()
	if err := s.Write(context.Background(), list); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("without a server: %v", err)
	}
	if s.Write(context.Background(), []store.Observation{{Stream: "sim_x"}}) == nil {
		t.Error("a stream that could be taken for a simulation's was written")
	}
}

// TestQuestionsSideBySide: two that begin at once share nothing; the race detector sees it
// where they do.
func TestQuestionsSideBySide(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	defer server.Close()
	s, err := Open(Config{URL: server.URL, Org: "o", Bucket: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := s.ClosedUntil(t.Context(), "s"); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
}
