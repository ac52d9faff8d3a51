package opendata

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/plaza"
)

// observation is one of SensorThings, with its Datastream.
type observation struct {
	ID             string `json:"@iot.id"`
	PhenomenonTime string
	Result         float64
	ResultQuality  struct{ Low, High float64 }
	Datastream     struct {
		Properties struct{ Stream, Measure, Cell string }
	}
}

// TestSensorThingsIsTheAPI: with both stores, what the API says is published and what
// SensorThings has are the same numbers, and HTTP is the same as elsewhere.
func TestSensorThingsIsTheAPI(t *testing.T) {
	t.Parallel()
	plaza.InStores(t, func(t *testing.T, q *plaza.Plaza) {
		var want []string
		for _, stream := range []string{"steps", "noise"} {
			path := "/api/v1/streams/" + stream + "/observations?limit=1000&from=2026-03-01"
			for _, x := range harness.ReadAll(t, q.Base, path) {
				if x.Value != nil {
					want = append(want, fmt.Sprint(stream, x.Measure, x.Cell, x.Start.Format(time.RFC3339), "/",
						x.End.Format(time.RFC3339), *x.Value, *x.Low, *x.High))
				}
			}
		}
		slices.Sort(want)
		for _, order := range []string{"", "&$orderby=phenomenonTime%20desc"} {
			var got []string
			next := "/v1.1/Observations?$expand=Datastream&$top=250" + order
			for next != "" {
				resp, body := ask(q, http.MethodGet, strings.TrimPrefix(next, "https://data.portalba.example"), nil)
				var page struct {
					Value []observation
					Next  string `json:"@iot.nextLink"`
				}
				if err := json.Unmarshal(body, &page); err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("%s is %d, %v: %.300s", next, resp.StatusCode, err, body)
				}
				for _, o := range page.Value {
					of := o.Datastream.Properties
					start, end, _ := strings.Cut(o.PhenomenonTime, "/")
					got = append(got, fmt.Sprint(of.Stream, of.Measure, of.Cell, start, "/", end, o.Result,
						o.ResultQuality.Low, o.ResultQuality.High))
				}
				next = page.Next
			}
			if slices.Sort(got); len(want) < 400 || !slices.Equal(got, want) {
				t.Errorf("there are %d; the API has %d", len(got), len(want))
			}
		}
		http11(t, q)
	})
}

// http11 looks at headers, methods and problems.
func http11(t *testing.T, q *plaza.Plaza) {
	t.Helper()
	path := "/v1.1/Things?$count=true"
	resp, body := ask(q, "GET", path, nil)
	etag := resp.Header.Get("ETag")
	if etag == "" || resp.Header.Get("Access-Control-Allow-Origin") != "*" ||
		resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("it has %v", resp.Header)
	}
	if resp, _ := ask(q, "GET", path, http.Header{"If-None-Match": {etag}}); resp.StatusCode != http.StatusNotModified {
		t.Errorf("it is %d again", resp.StatusCode)
	}
	resp, small := ask(q, "GET", path, http.Header{"Accept-Encoding": {"gzip"}})
	if z, err := gzip.NewReader(bytes.NewReader(small)); err != nil {
		t.Error(err, resp.Header)
	} else if whole, err := io.ReadAll(z); err != nil || !bytes.Equal(whole, body) {
		t.Errorf("compressed it is %s, %v", whole, err)
	}
	for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} {
		if resp, _ := ask(q, method, "/v1.1/Things('a')", nil); resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s is %d", method, resp.StatusCode)
		}
	}
	for path, want := range map[string]int{
		"/v1.1/": 200, "/v1.1": 200, "/v1.1/Things('b')/Locations/$ref": 200, "/v1.1/Things(b)/name/$value": 200,
		"/v1.1/Nothing": 404, "/v1.1/Things('x')": 404, "/v1.1/Things?$top=x": 400,
		"/v1.1/Things?$filter=name%20eq": 400, "/v1.1/Things?$search=x": 501,
		"/v1.1/Things?x=1": 400, "/v1.1/Observations?$skiptoken='x'": 400,
		"/v1.1/Datastreams('steps%3Adevices%3APT1H%3Aa%3Afoot')/Observations": 200,
	} {
		resp, body := ask(q, "GET", path, nil)
		if mime := resp.Header.Get("Content-Type"); resp.StatusCode != want ||
			want >= 400 && mime != "application/problem+json" {
			t.Errorf("%s is %d, %s: %.300s", path, resp.StatusCode, mime, body)
		}
	}
	resp, _ = ask(q, "GET", "/v1.1/Observations?$resultFormat=CSV&$top=2", nil)
	if !strings.Contains(resp.Header.Get("Link"), "$skiptoken=") ||
		!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv") {
		t.Errorf("a file has %v", resp.Header)
	}
}
