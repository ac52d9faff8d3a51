package studio

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// uploads sends a file of readings as a browser does.
func (s *Server) uploads(t *testing.T, name, columns, text string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	file, err := form.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(file, text)
	if form.WriteField("columns", columns) != nil || form.Close() != nil {
		t.Fatal("no form")
	}
	r := s.request("POST", seeFootfall+"/readings", b.String())
	r.Header.Set("Content-Type", form.FormDataContentType())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// readingsOf are two days of a street, 120 devices an hour in the afternoon.
func readingsOf() string {
	var b strings.Builder
	b.WriteString("when,place,mac,rssi\n")
	for day := 3; day <= 4; day++ {
		for n := range 8 * 120 {
			fmt.Fprintf(&b, "2026-03-%02d %02d:%02d:00,rambla,02:00:00:%02x:%02x:%02x,-60\n", day, 12+n/120, n%60, day,
				n>>8, n&0xff)
		}
	}
	return b.String()
}

// TestSeeReadings: a draft is tried on a file of readings, which is kept in memory and nowhere else.
func TestSeeReadings(t *testing.T) {
	s := open(t)
	before, err := os.ReadDir(s.o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	const columns = "ts=when,sensor=place,field.device=mac,field.rssi=rssi"
	w := s.uploads(t, "street.csv", columns, readingsOf())
	_, query, _ := strings.Cut(w.Header().Get("Location"), "?")
	if w.Code != 303 || !strings.HasPrefix(query, "street=") {
		t.Fatal(w.Code, w.Body)
	}
	code, body := s.asks(seeFootfall, query)
	for _, want := range []string{"street.csv", "Nobody is missed", ">120<", "Published: "} {
		if code != 200 || !strings.Contains(body, want) {
			t.Errorf("%d, without %q", code, want)
		}
	}
	for _, c := range [][3]string{
		{"street.csv", "ts=time,sensor=place,field.device=mac", "there is no column"},
		{"street.csv", "everything", "--map"},
		{"street.csv", "ts=when,sensor=mac,field.device=mac", "no row of the file is of a zone"},
		{"street.jsonl", columns, "The file cannot be used"},
	} {
		if w := s.uploads(t, c[0], c[1], readingsOf()); w.Code != 422 || !strings.Contains(w.Body.String(), c[2]) {
			t.Errorf("%q: %d, without %q", c[1], w.Code, c[2])
		}
	}
	if w := s.uploads(t, "long.csv", columns, strings.Repeat("x", maxBody)); w.Code != 413 {
		t.Errorf("a file that is too long: %d", w.Code)
	}
	for range maxRecordings + 2 {
		s.recordings.put(&recorded{id: fmt.Sprint(len(s.recordings.list), "-")})
	}
	if n := len(s.recordings.all()); n > maxRecordings {
		t.Errorf("%d recordings are kept", n)
	}
	if code, body := s.asks(seeFootfall, query); code != 200 || strings.Contains(body, "street.csv") {
		t.Errorf("%d: a recording that is no longer kept", code)
	}
	after, err := os.ReadDir(s.o.Dir)
	if err != nil || len(after) != len(before) {
		t.Errorf("the directory has %d entries, and had %d: %v", len(after), len(before), err)
	}
}
