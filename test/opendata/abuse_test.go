package opendata

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata"
	"sluice/store/influx"
	"sluice/test/harness"
	"sluice/test/plaza"
)

// mark is in everything that the grammar makes.
const mark = "zq7x"

// grammar makes attempts on every language that is near: each symbol in braces is
// replaced by one of its productions.
var grammar = map[string][]string{
	"attempt": {"{before}{core}{after}", "{core}", "{core}{core}"},
	"before":  {"", "a", "\"", "'", "`", ")", "\\", "\x00", "%00", " ", "\n", "-->", "]]>", "}}"},
	"after":   {"", "\"", "'", "--", "//", "#", ";", "\r\n", "/*", "|", "&", "\x00", ","},
	"core":    {"{flux}", "{sql}", "{line}", "{path}", "{header}", "{template}", "{formula}", "{html}"},
	"flux": {"\") |> drop(columns: [\"" + mark + "\"]) //", "\" or r.cell == \"" + mark, "${" + mark + "}",
		"\") |> to(bucket: \"" + mark + "\")", "|> yield(name: \"" + mark + "\")"},
	"sql": {"' OR '" + mark + "'='" + mark, "'; DROP TABLE observation; --" + mark,
		"' UNION SELECT '" + mark + "', 1 --", "1) OR (1=1 /*" + mark + "*/",
		"\"; ATTACH DATABASE '/tmp/" + mark + "' AS x; --"},
	"line": {"noise,cell=b value=1 0\n" + mark, mark + ",a=b c=1i", "steps value=1\\," + mark},
	"path": {"../../../../etc/" + mark, "..%2f..%2f" + mark, "..\\..\\" + mark, "/etc/passwd/" + mark,
		"%2e%2e/" + mark, "....//" + mark, "file:///" + mark},
	"header": {"\r\nSet-Cookie: " + mark + "=1", "\nX-" + mark + ": 1", "%0d%0aLocation: //" + mark,
		"\r\n\r\n<html>" + mark},
	"template": {
		"{{.City}}" + mark, "{{printf \"" + mark + "\"}}", "${7*7}" + mark, "<%= " + mark + " %>", "#{" + mark + "}",
		"{{define \"main\"}}" + mark + "{{end}}",
	},
	"formula": {"=1+1" + mark, "@SUM(" + mark + ")", "+cmd|' /C " + mark + "'!A0", "-2+3+" + mark, "\t=" + mark},
	"html": {"<script>" + mark + "</script>", "\"><svg onload=" + mark + ">", "' onmouseover=" + mark,
		"javascript:" + mark, "<!--" + mark, "</script><b>" + mark},
}

func grow(r *rand.Rand, symbol string) string {
	text := grammar[symbol][r.IntN(len(grammar[symbol]))]
	for s := range grammar {
		for strings.Contains(text, "{"+s+"}") {
			text = strings.Replace(text, "{"+s+"}", grow(r, s), 1)
		}
	}
	return text
}

// places are where an attempt can be put, percent-encoded.
var places = []string{
	"/streams/%s", "/sensors/%s", "/sensors/%s/notice", "/decisions/%s", "/decisions/1/%s", "/decisions/%s/motion.txt",
	"/decisions/1/ballots/%s.sig", "/problems/%s", "/books/%s", "/books/decisions/%s", "/%s",
	"/api/v1/streams/%s/observations", "/api/v1/streams/%s/totals?over=time", "/api/v1/decisions/%s", "/api/%s",
	"/?lang=%s", "/?layer=%s", "/?%s=1", "/map?layer=%s", "/map?at=%s", "/sensors?zone=%s", "/sensors?kind=%s",
	"/sensors?after=%s",
	"/streams/steps?cell=%s", "/streams/steps?measure=%s", "/streams/steps?span=%s", "/streams/steps?day=%s",
	"/streams/steps?compare=%s", "/streams/%s/chart.svg", "/streams/steps/chart.svg?cell=%s",
	"/streams/steps/chart.png?to=%s", "/streams/steps?to=%s", "/streams/steps?page=%s", "/streams/steps?%s",
	"/api/v1/streams/steps/observations?cell=%s", "/api/v1/streams/steps/observations?measure=%s",
	"/api/v1/streams/steps/observations?from=%s", "/api/v1/streams/steps/observations?cursor=%s",
	"/api/v1/streams/steps/observations?format=%s", "/api/v1/streams/steps/observations?%s=1",
	"/api/v1/zones?stream=%s", "/api/v1/zones?stream=steps&measure=%s", "/api/v1/ledger?day=%s",
	"/api/v1/sensors?limit=%s",
	"/v1.1/%s", "/v1.1/Things('%s')", "/v1.1/Observations(%s)", "/v1.1/Things('a')/%s", "/v1.1?%s",
	"/v1.1/Observations?$filter=%s", "/v1.1/Observations?$filter=id%%20eq%%20'%s'", "/v1.1/Observations?%s=1",
	"/v1.1/Datastreams?$filter=contains(name,%%20'%s')", "/v1.1/Observations?$orderby=%s", "/v1.1/Things?$select=%s",
	"/v1.1/Things?$expand=%s", "/v1.1/Things?$expand=Datastreams($filter=%s)", "/v1.1/Observations?$skiptoken='%s'",
	"/v1.1/Observations?$resultFormat=%s", "/v1.1/Observations?$top=%s",
	"/v1.1/Locations?$filter=st_within(location,geography'%s')",
}

// TestInjections puts thousands of attempts into every part of a request, with both
// stores behind: none reaches a store's language, a header, a page, a log or a file.
func TestInjections(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	t.Run("sqlite", func(t *testing.T) { attack(t, plaza.New(t), rand.New(rand.NewPCG(seed, 1)), 3000) })
	t.Run("influx", func(t *testing.T) {
		db, bucket := harness.SharedInflux(t)
		var mu sync.Mutex
		var asked bytes.Buffer
		to, err := url.Parse(db)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(to)
		between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			mu.Lock()
			asked.Write(raw)
			mu.Unlock()
			r.Body = io.NopCloser(bytes.NewReader(raw))
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(between.Close)
		s, err := influx.Open(influx.Config{URL: between.URL, Org: "city", Bucket: bucket})
		if err != nil {
			t.Fatal(err)
		}
		q := &plaza.Plaza{T: t, Books: books.Dir(t.TempDir()), Write: s.Write, Read: s}
		q.Fill()
		q.Open(opendata.Config{})
		attack(t, q, rand.New(rand.NewPCG(seed, 2)), 250)
		mu.Lock()
		defer mu.Unlock()
		if !strings.Contains(asked.String(), `r._measurement == `) {
			t.Error("the test did not see what InfluxDB is asked")
		}
		if at := strings.Index(asked.String(), mark); at >= 0 {
			t.Errorf("an attempt reached InfluxDB: %s", asked.String()[max(0, at-200):at+50])
		}
	})
}

func attack(t *testing.T, q *plaza.Plaza, r *rand.Rand, times int) {
	t.Helper()
	all := "/api/v1/streams/steps/observations?limit=1000&from=2026-03-01"
	_, before := ask(q, "GET", all, nil)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for range times {
		attempt := grow(r, "attempt")
		var address string
		header := http.Header{}
		if r.IntN(4) == 0 {
			name := []string{"Accept", "Accept-Language", "Accept-Encoding", "If-None-Match", "X-Forwarded-Host",
				"X-Forwarded-For", "Range", "Cookie"}[r.IntN(8)]
			header[name] = []string{strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(attempt)}
			address = everyAnswer[r.IntN(len(everyAnswer))]
		} else {
			address = fmt.Sprintf(places[r.IntN(len(places))],
				[]string{url.PathEscape(attempt), url.QueryEscape(attempt)}[r.IntN(2)])
		}
		resp, body := attempted(t, client, q.Base+address, header)
		for begun := time.Now(); harness.HeldUp(resp.StatusCode) && time.Since(begun) < harness.Patience; {
			time.Sleep(time.Second)
			resp, body = attempted(t, client, q.Base+address, header)
		}
		if resp.StatusCode >= 500 {
			t.Errorf("%q is %d", address, resp.StatusCode)
		}
		unharmed(t, address, attempt, resp, body)
	}
	if _, after := ask(q, "GET", all, nil); !bytes.Equal(before, after) {
		t.Error("the store is not what it was")
	}
	if strings.Contains(q.Log.String(), mark) {
		t.Errorf("the log quotes an attempt: %.500s", q.Log.String())
	}
}

func attempted(t *testing.T, client *http.Client, address string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatalf("%q: %v", address, err)
	}
	req.Header = header
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%q: %v", address, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// unharmed holds an answer against what an attempt would have liked.
func unharmed(t *testing.T, address, attempt string, resp *http.Response, body []byte) {
	t.Helper()
	for name, values := range resp.Header {
		// of the mux, which cleans paths
		if strings.Contains(strings.ToLower(name+fmt.Sprint(values)), mark) && name != "Location" {
			t.Errorf("%q set the header %s: %v", address, name, values)
		}
	}
	if resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%q has headers %v", address, resp.Header)
	}
	mime := resp.Header.Get("Content-Type")
	if strings.HasPrefix(mime, "text/html") {
		if strings.ContainsAny(attempt, "<>\"'{") && bytes.Contains(body, []byte(attempt)) {
			t.Errorf("%q is shown as it is", address)
		}
		if n := bytes.Count(body, []byte("<script")); resp.StatusCode < 300 && n != 2 || n > 2 {
			t.Errorf("%q has %d scripts", address, n)
		}
		return
	}
	// A problem names the path, as it was encoded, and nothing else of the request.
	rest := bytes.ReplaceAll(body, []byte(strings.SplitN(address, "?", 2)[0]), nil)
	if bytes.Contains(rest, []byte(mark)) && !strings.HasPrefix(mime, "application/problem+json") {
		t.Errorf("%q is repeated in %s: %.300s", address, mime, body)
	}
	if bytes.Contains(rest, []byte(attempt)) && len(attempt) > 8 {
		t.Errorf("%q is repeated: %.300s", address, body)
	}
}

// TestRate asks too often: who does gets 429 and is told how long to wait, and
// nobody else is.
func TestRate(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	q.Stop()
	per := 2.0
	var cfg opendata.Config
	cfg.Rate.PerSecond = &per
	q.Open(cfg)
	many, last := 0, http.Header{}
	begun := time.Now()
	for range 40 {
		resp, body := ask(q, "GET", "/api/v1/streams", nil)
		if resp.Header.Get("RateLimit-Policy") != `"client";q=10;w=5` ||
			!strings.HasPrefix(resp.Header.Get("RateLimit"), `"client";r=`) {
			t.Fatalf("headers are %v", resp.Header)
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			many++
			last = resp.Header
			if resp.Header.Get("Content-Type") != "application/problem+json" ||
				!bytes.Contains(body, []byte("/problems/rate")) || resp.Header.Get("Retry-After") == "" {
				t.Errorf("429 is %s with %v", body, resp.Header)
			}
		}
	}
	if took := time.Since(begun).Seconds(); many < 29-int(2*took+1) || many > 30 {
		t.Errorf("%d of 40 requests in %.1f s were refused; want about 30", many, took)
	}
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 7)}}).Dial("tcp",
		strings.TrimPrefix(q.Base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/v1/streams HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Errorf("another client gets %q (%v)", line, err)
	}
	time.Sleep(1200 * time.Millisecond)
	if resp, _ := ask(q, "GET", "/api/v1/streams", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("after Retry-After of %s it is still %d", last.Get("Retry-After"), resp.StatusCode)
	}
}

// TestRateByDefault is off where only this machine can ask.
func TestRateByDefault(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	for range 300 {
		resp, _ := ask(q, "HEAD", "/api/v1/streams", nil)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("RateLimit") != "" {
			t.Fatalf("on loopback it is %d with %v", resp.StatusCode, resp.Header)
		}
	}
}

// TestLongRequests: what is too long is refused.
func TestLongRequests(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	for path, want := range map[string]int{
		"/api/v1/streams?format=" + strings.Repeat("x", 9_000): 400, "/streams/" + strings.Repeat("x", 5_000): 404,
	} {
		if resp, _ := ask(q, "GET", path, nil); resp.StatusCode != want {
			t.Errorf("%.30s... is %d; want %d", path, resp.StatusCode, want)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, q.Base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X", strings.Repeat("x", 40_000))
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return // cut off while it still sent
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 40 kB is %d; want 431", resp.StatusCode)
	}
}

// TestRepeatedIsNearlyStatic holds a repeated query against a handler that writes the
// same bytes from memory. The target, half, is make bench-http's; this is ten times wider.
func TestRepeatedIsNearlyStatic(t *testing.T) {
	q := plaza.New(t)
	path := "/api/v1/streams/steps/observations?limit=50"
	_, body := ask(q, "GET", path, nil)
	static := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(body) // the client may be gone
	}))
	defer static.Close()
	rate := func(address string) float64 {
		begun, n := time.Now(), 0
		for ; time.Since(begun) < time.Second; n++ {
			resp, err := http.Get(address)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("%s has %d bytes (%v)", address, len(got), err)
			}
		}
		return float64(n) / time.Since(begun).Seconds()
	}
	// A machine that others hold up for a second or ten says nothing of either: then again.
	var yardstick, ours float64
	for range 10 {
		yardstick, ours = rate(static.URL), rate(q.Base+path)
		t.Logf("static %.0f, repeated %.0f requests/s", yardstick, ours)
		if ours >= yardstick/20 {
			return
		}
	}
	t.Errorf("repeated queries come at %.0f a second, static bytes at %.0f", ours, yardstick)
}
