package studio

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/policy/council"
)

// TestSeeInForce: what was enacted stands beside a draft, and where the draft's decision is a new one,
// nothing does.
func TestSeeInForce(t *testing.T) {
	s, keys := chamber(t)
	if _, body := s.asks(seeFootfall+"/result", "beside=force&times=2"); strings.Count(body, "<svg") != 1 {
		t.Error("something is in force before anything is enacted")
	}
	if code, body := s.send("/vote", url.Values{"id": {"first"}}); code != 303 {
		t.Fatalf("%d\n%s", code, body)
	}
	text, err := os.ReadFile(filepath.Join(s.o.Dir, "motions/first/motion.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"anna", "bru"} {
		sig := signed(t, keys[member], text, council.NamespaceOf("portalba"))
		if code, body := s.hand(t, "first", map[string][]byte{"motion.txt.sig": sig}); code != 303 {
			t.Fatalf("%d\n%s", code, body)
		}
	}
	if code, body := s.send("/vote/first/enact", nil); code != 303 {
		t.Fatalf("%d\n%s", code, body)
	}
	code, body := s.asks(seeFootfall, "beside=force&times=2")
	if code != 200 || strings.Count(body, "<svg") != 2 || !strings.Contains(body, "<h2>what is in force</h2>") {
		t.Errorf("%d: what is in force is not beside it", code)
	}
	raw := strings.NewReplacer(`"2026-14"`, `"2026-99"`, "stream: footfall", "stream: steps").
		Replace(string(s.raw(t, "decisions/2026-14-footfall.yaml")))
	if err := s.desk.Write("decisions/2026-99.yaml", none, []byte(raw)); err != nil {
		t.Fatal(err)
	}
	if code, body = s.asks("/see/2026-99", "beside=force"); code != 200 || strings.Count(body, "<svg") != 1 {
		t.Errorf("%d: a new decision has something in force beside it", code)
	}
}

// raw is a file of the directory.
func (s *Server) raw(t *testing.T, name string) []byte {
	t.Helper()
	raw, _, err := s.desk.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
