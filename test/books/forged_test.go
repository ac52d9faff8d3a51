package books

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"

	"sluice/store"
	"sluice/test/harness"
)

// liar is an open-data server that shows more rows of the stream gates.
func liar(c *harness.City, rows []store.Observation) string {
	to, err := url.Parse(c.Opendata)
	if err != nil {
		c.T.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/streams/gates/observations" || r.URL.Query().Has("cursor") {
			proxy.ServeHTTP(w, r)
			return
		}
		var page struct {
			Items []any   `json:"items"`
			Next  *string `json:"next"`
		}
		resp, err := http.Get(c.Opendata + r.URL.RequestURI())
		if err == nil {
			err = errors.Join(json.NewDecoder(resp.Body).Decode(&page), resp.Body.Close())
		}
		for _, o := range rows {
			page.Items = append(page.Items, o)
		}
		if err == nil {
			err = json.NewEncoder(w).Encode(page)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	c.T.Cleanup(s.Close)
	return s.URL
}
