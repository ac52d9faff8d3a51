package opendata

import (
	"bytes"
	"context"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sluice/test/raced"

	"sluice/books"
)

// TestFrames: other sites may frame what is made for that, and nothing else; each page says what it
// looks like where its address is sent, with a picture that is there.
func TestFrames(t *testing.T) {
	raced.Skip(t)
	s := storeOf(t)
	dir := gatewayBooks(t, s, "portalba", "edge-1", "a", 3)
	for file, v := range map[string]any{
		"streams.json": []books.Stream{{ID: "noise", Title: map[string]string{"en": "Noise"}, Every: "PT1H",
			Timezone: "UTC", Unit: "none", Decision: "1", Measures: []books.Measure{{Name: "level"}},
			Cells: []books.Cell{{ID: "a", Zone: "a"}}}},
		"decisions.json": []books.Decision{{ID: "1", Title: map[string]string{"en": "Noise"}, State: books.InForce,
			From: "2026-01-01", Until: "2026-12-31"}},
		"register.json": books.Register{},
	} {
		if err := dir.PutJSON(file, v); err != nil {
			t.Fatal(err)
		}
	}
	srv, err := Open(Config{HTTP: "127.0.0.1:0", URL: "https://data.example"}, s, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	get := func(path string) (*http.Response, string) {
		t.Helper()
		resp, err := http.Get("http://" + srv.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	for path, want := range map[string]string{
		"/": "frame-ancestors 'none'", "/streams/noise": "frame-ancestors 'none'",
		"/streams/noise?x=/embed/": "frame-ancestors 'none'",
		"/embed/streams/noise":     "frame-ancestors *", "/embed/streams/none": "frame-ancestors *",
	} {
		if resp, _ := get(path); !strings.Contains(resp.Header.Get("Content-Security-Policy"), want) {
			t.Errorf("%s: %s", path, resp.Header)
		}
	}
	_, chart := get("/embed/streams/noise?lang=ca")
	_, number := get("/embed/streams/noise?show=number")
	if !strings.Contains(chart, "<svg") || strings.Contains(number, "<svg") || strings.Contains(chart, "<nav") ||
		!strings.Contains(chart, `href="https://data.example/streams/noise`) ||
		!strings.Contains(number, `href="https://data.example/decisions/1`) {
		t.Errorf("the frames are\n%s\n%s", chart, number)
	}
	if resp, _ := get("/embed/streams/noise?show=all"); resp.StatusCode != http.StatusBadRequest {
		t.Error(resp.Status)
	}
	image := regexp.MustCompile(`<meta property="og:image" content="https://data.example([^"]+)">`)
	for path, card := range map[string]string{"/": "/card.png", "/privacy": "/card.png",
		"/decisions/1":   "/decisions/1/card.png",
		"/streams/noise": "/streams/noise/chart.png"} {
		_, page := get(path)
		m := image.FindStringSubmatch(page)
		if m == nil || !strings.HasPrefix(m[1], card) ||
			!strings.Contains(page, `<meta property="og:title" content="`) {
			t.Errorf("%s names the picture %v", path, m)
			continue
		}
		resp, raw := get(strings.ReplaceAll(m[1], "&amp;", "&"))
		if img, err := png.Decode(bytes.NewReader([]byte(raw))); err != nil || img.Bounds().Dx() < 1000 {
			t.Errorf("%s: the picture %s: %v, %s", path, m[1], err, resp.Status)
		}
	}
	_, page := get("/streams/noise?lang=es")
	if !strings.Contains(page, "&lt;iframe src=&#34;https://data.example/embed/streams/noise") {
		t.Error("the page does not say how it is framed")
	}
}
