package opendata

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/plaza"
)

// ask sends a request as a client that can do nothing by itself, until the answer is another than
// that the store cannot be read just now, which is what a machine says that others hold up for seconds.
func ask(q *plaza.Plaza, method, path string, header http.Header) (*http.Response, []byte) {
	q.T.Helper()
	for begun := time.Now(); ; time.Sleep(time.Second) {
		resp, body := askOnce(q, method, path, header)
		if !harness.HeldUp(resp.StatusCode) || time.Since(begun) > harness.Patience {
			return resp, body
		}
		q.T.Logf("%s %.200s: the store cannot be read just now", method, path)
	}
}

func askOnce(q *plaza.Plaza, method, path string, header http.Header) (*http.Response, []byte) {
	q.T.Helper()
	req, err := http.NewRequestWithContext(q.T.Context(), method, q.Base+path, nil)
	if err != nil {
		q.T.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		q.T.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		q.T.Fatal(err)
	}
	return resp, body
}

// crowd opens so many connections from one address, says the same on each and then
// nothing more.
func crowd(t *testing.T, q *plaza.Plaza, from string, number int, say string) []net.Conn {
	t.Helper()
	var list []net.Conn
	for range number {
		list = append(list, dialFrom(t, q, from, say))
	}
	return list
}

func dialFrom(t *testing.T, q *plaza.Plaza, from, say string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: harness.Patience}
	c, err := d.Dial("tcp", strings.TrimPrefix(q.Base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
	_, _ = io.WriteString(c, say) // it may be closed already
	return c
}

// visits asks so often, on connections that are kept where the server keeps them, and
// returns how long the slowest in a hundred took. Half of the times it comes anew.
func visits(t *testing.T, q *plaza.Plaza, from string, number int) time.Duration {
	t.Helper()
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext,
		MaxIdleConnsPerHost: 1}
	client := &http.Client{Transport: transport, Timeout: harness.Patience}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, number)
	for n := range took {
		if n%2 == 0 {
			client.CloseIdleConnections()
		}
		begun := time.Now()
		resp, err := client.Get(q.Base + "/api/v1/streams/steps/observations?limit=50")
		if err != nil {
			t.Fatalf("visitor from %s: %v", from, err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("visitor from %s got %d (%v)", from, resp.StatusCode, err)
		}
		took[n] = time.Since(begun)
	}
	slices.Sort(took)
	return took[number*99/100]
}

// TestSlowClients: more clients of one address than there may be, of every sort that
// does nothing, keep nobody waiting, neither elsewhere nor at their own address, and all
// of them are cut off. The bound, for machines that do other things besides, is ten
// times what make bench-abuse aims at.
func TestSlowClients(t *testing.T) {
	all := "GET /api/v1/streams/steps/observations?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n"
	var slow []net.Conn
	for name, say := range map[string]string{
		"silent":       "",
		"slow header":  "GET / HTTP/1.1\r\nX-Slow: ",
		"idle":         "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"slow readers": strings.Repeat(all, 40),
	} {
		q := plaza.New(t)
		calm := visits(t, q, "127.0.0.2", 200)
		slow = append(slow, crowd(t, q, "127.0.0.1", 1100, say)...)
		for _, from := range []string{"127.0.0.2", "127.0.0.1"} {
			beside := visits(t, q, from, 200)
			t.Logf("%s: p99 from %s is %s, and was %s", name, from, beside, calm)
			if beside > max(20*calm, harness.Longer(200*time.Millisecond)) {
				t.Errorf("%s: a visitor from %s waits %s beside them, and %s without", name, from, beside, calm)
			}
		}
	}
	harness.Await(t, 45*time.Second, "all to be cut off", func() bool {
		time.Sleep(200 * time.Millisecond)
		slow = slices.DeleteFunc(slow, func(c net.Conn) bool { _, err := c.Write([]byte("x")); return err != nil })
		return len(slow) == 0
	})
}

// TestOddRequests: what only reads is told no in one way, whatever it is asked, and
// never waits for a body.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	for _, x := range []struct {
		request string
		status  int
		over    bool // the connection
	}{
		{"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 204, false},
		{"OPTIONS /api/v1/streams HTTP/1.1\r\nHost: x\r\n\r\n", 204, false},
		{"OPTIONS /api/v1/streams HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 405, true},
		{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", 405, true},
		{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 400, true},
		{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", 400, true},
		{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz " +
			"HTTP/1.1\r\nHost: x\r\n\r\n", 400, true},
		{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true},
		{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200, false},
	} {
		c := dialFrom(t, q, "127.0.0.1", x.request)
		begun := time.Now()
		_ = c.SetReadDeadline(begun.Add(harness.Longer(8 * time.Second)))
		in := bufio.NewReader(c)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Errorf("%q: %v", x.request, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != x.status || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q is %d with %v (%v)", x.request, resp.StatusCode, resp.Header, err)
		}
		if x.status >= 400 &&
			(resp.Header.Get("Content-Type") != "application/problem+json" ||
				!strings.Contains(string(body), `"status":`+fmt.Sprint(x.status))) {
			t.Errorf("%q is refused with %s", x.request, body)
		}
		if resp.Close != x.over {
			t.Errorf("%q: the connection ends: %v", x.request, resp.Close)
		}
		if !x.over {
			continue
		}
		if rest, err := io.ReadAll(in); len(rest) > 0 ||
			errors.As(err, new(net.Error)) && time.Since(begun) > harness.Longer(5*time.Second) {
			t.Errorf("%q: the connection went on for %s and said %q (%v)", x.request, time.Since(begun), rest, err)
		}
	}
}

// TestErrorsAsHTTP: HEAD of an error has the headers of GET, errors are short whatever
// was asked, and every answer keeps pages of others out.
func TestErrorsAsHTTP(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	for path, status := range map[string]int{
		"/nothing": 404, "/api/v1/nothing": 404, "/api/v1/streams?x=1": 400, "/streams/steps?span=x": 400,
		"/api/v1/streams/none/observations":                               404,
		"/api/v1/" + strings.Repeat("x", 9_000):                           404,
		"/api/v1/streams/" + strings.Repeat("x", 9_000) + "/observations": 404, "/": 200, "/healthz": 200,
	} {
		resp, body := ask(q, "GET", path, nil)
		head, none := ask(q, "HEAD", path, nil)
		if resp.StatusCode != status || head.StatusCode != status || len(none) > 0 ||
			head.ContentLength != int64(len(body)) ||
			head.Header.Get("Content-Type") != resp.Header.Get("Content-Type") {
			t.Errorf("%.40s: GET is %d with %d bytes, HEAD is %d with %d", path, resp.StatusCode, len(body),
				head.StatusCode, head.ContentLength)
		}
		if status >= 400 && len(body) > 2000 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/") {
			t.Errorf("%.40s is refused with %d bytes", path, len(body))
		}
		for name, want := range map[string]string{
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "cross-origin",
			"Permissions-Policy": "geolocation=()", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
		} {
			if !strings.Contains(resp.Header.Get(name), want) {
				t.Errorf("%.40s has %s: %q", path, name, resp.Header.Get(name))
			}
		}
	}
}
