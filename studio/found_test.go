package studio

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/check"
	"sluice/policy/explain"
	"sluice/policy/rego"
	"sluice/register"
	"sluice/test/raced"
)

// openEmpty is a studio over a directory that is not there.
func openEmpty(t *testing.T, dir string) *Server {
	t.Helper()
	raced.Skip(t)
	s, err := Open(Options{Dir: dir, Addr: "127.0.0.1:0", Rules: rego.InProcess(),
		Kinds: portalba.Policy()["kinds.yaml"],
		Now:   func() time.Time { return time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// town is what is written on the page.
func town(t *testing.T) url.Values {
	t.Helper()
	return url.Values{"members": {"3"}, "zones": {"1"}, "do": {"found"},
		"city.name": {"Vila-seca d'Àger"}, "city.languages": {"", "ca", "en"}, "city.responsible.name": {"Ajuntament"},
		"city.dpo.name": {"Delegada"}, "members.0.name": {"Anna Puig, alcaldessa"}, "members.0.keys": {key(t)},
		"members.2.name": {"Bru"}, "members.2.keys": {key(t)},
		"zones.0.name": {"La Plaça"}, "zones.0.lat": {"41,387"}, "zones.0.lon": {"2.17"}, "zones.0.side": {"200"}}
}

// found sends the page's form.
func (s *Server) foundWith(form url.Values) (int, string) {
	return s.answer(s.request("POST", "/found", form.Encode()))
}

// TestFoundATown: every page leads to the one on which the town is founded; what it then writes is a
// policy in which check finds nothing wrong, with comments, quorums for its members and a zone of the
// right size, in each language. A second town is not founded over it.
func TestFoundATown(t *testing.T) {
	for l := range explain.Languages {
		dir := filepath.Join(t.TempDir(), "new", "council")
		s := openEmpty(t, dir)
		if !s.Founding() || !s.Made() {
			t.Fatal("a directory that is not there is founded already")
		}
		for _, path := range []string{"/", "/vote", "/draft/x", "/file/charter"} {
			r := s.request("GET", path, "")
			if got, _ := s.answer(r); got != http.StatusSeeOther {
				t.Errorf("%s is %d", path, got)
			}
		}
		r := s.request("POST", "/found", town(t).Encode())
		r.URL.Path = s.base(explain.Lang(l)) + "/found"
		if got, page := s.answer(r); got != http.StatusSeeOther {
			t.Fatalf("%d: %s", got, page)
		}
		charter, council := s.onDisk(t, "charter.yaml"), s.onDisk(t, "council.yaml")
		for _, want := range []string{`id: "vila-seca-d-ager"`, "languages: [ca, en]", "min_units: 10",
			"quorums: {enact: 2, weaken: 2, charter: 2, roster: 2, suspend: 1}", "responsible:",
			"# " + say(explain.Lang(l), "found.file.quorums")} {
			if !strings.Contains(charter, want) {
				t.Errorf("the charter has no %s:\n%s", want, charter)
			}
		}
		if !strings.Contains(council, "anna-puig") || strings.Count(council, "ssh-ed25519") != 2 {
			t.Errorf("the council is\n%s", council)
		}
		zones, err := register.ParseZones(zonesName, []byte(s.onDisk(t, zonesName)))
		if err != nil || zones.NameIn("la-placa", "ca") != "La Plaça" {
			t.Errorf("the zones are %v, %v", zones, err)
		}
		files, err := s.desk.Files()
		if err != nil {
			t.Fatal(err)
		}
		found, _ := check.Directory(t.Context(), s.o.Rules, files, nil, s.today())
		for _, f := range found {
			if what, _ := f.Text(0); !f.Warning() {
				t.Errorf("%s:%d: %s", f.File, f.Line, what)
			}
		}
		_, page := s.answer(s.request("GET", "/", ""))
		shows(t, page, `class="done"><a[^>]*>The town is founded`, "Write the first decision",
			`<li>Fill in what is still to be written`, `<li>Assess its impact`)
		if got, _ := s.foundWith(town(t)); got != http.StatusConflict || s.onDisk(t, "charter.yaml") != charter {
			t.Errorf("a second town is %d", got)
		}
	}
}

// TestNoTown: what is missing or wrong is said at its field, what was written stays in the form, and
// nothing is written to the directory.
func TestNoTown(t *testing.T) {
	dir := t.TempDir()
	s := openEmpty(t, dir)
	same := key(t)
	for _, c := range []struct{ name, value, field, want string }{
		{"city.name", "", "city-name", "Write the name of the city"},
		{"city.name", strings.Repeat("x", 81), "city-name", "too long"},
		{"city.id", "Vila Seca", "city-id", "."},
		{"city.timezone", "Europe/Nowhere", "city-timezone", "."},
		{"city.languages", "", "city-languages", "."},
		{"city.responsible.name", "", "city-responsible-name", "who answers"},
		{"city.dpo.name", "", "city-dpo-name", "data-protection officer"},
		{"city.dpo.email", "x", "city-dpo-email", "no address of mail"},
		{"members.0.keys", "", "members-0-keys", "one line of the file"},
		{"members.0.name", "", "members-0-name", "the member&#39;s name"},
		{"members.0.keys", "ssh-ed25519 AAAA", "members-0-keys", "cannot be used"},
		{"members.0.keys", "ssh-dss AAAAB3NzaC1kc3MAAACB", "members-0-keys", "cannot be used"},
		{"members.0.keys", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk", "members-0-keys", "no public key"},
		{"members.0.keys", same, "members-1-keys", "the same key"},
		{"members.0.name", "Bru", "members-1-id", "."},
		{"quorums.enact", "3", "quorums-enact", "council.yaml has 2"},
		{"quorums.enact", "0", "quorums-enact", "nobody would have to agree"},
		{"min_units", "0", "min_units", "."},
		{"notice_days", "400", "notice_days", "as long as the longest"},
		{"zones.0.name", "", "zones-0-name", "name with letters"},
		{"zones.0.lat", "91", "zones-0-lat", "latitude"},
		{"zones.0.lon", "east", "zones-0-lon", "longitude"},
		{"zones.0.side", "1", "zones-0-side", "metres"},
	} {
		form := town(t)
		if c.want == "the same key" {
			form.Set("members.2.keys", same)
		}
		form.Set(c.name, c.value)
		got, page := s.foundWith(form)
		if got != http.StatusUnprocessableEntity {
			t.Errorf("%s %q is %d", c.name, c.value, got)
			continue
		}
		shows(t, page, `(?s)id="f-`+c.field+`"[^>]*aria-invalid="true"|<fieldset[^>]*id="f-`+c.field+`"`, c.want,
			`href="#f-`+c.field+`"`, "Delegada|dpo")
		if strings.Contains(page, "b3BlbnNzaC1rZXk") {
			t.Error("a private key is shown again")
		}
	}
	if got, page := s.foundWith(url.Values{"do": {"found"}}); got != http.StatusUnprocessableEntity ||
		!strings.Contains(page, "at least one member") || !strings.Contains(page, `id="f-members-0-keys"`) {
		t.Errorf("nothing at all is %d: %s", got, page)
	}
	// What is said twice is said once; short names that were made of names are not fixed by it.
	form := town(t)
	form.Set("city.name", "")
	form.Set("members.0.keys", "")
	if _, page := s.foundWith(form); strings.Count(page, `<li><a href="#f-`) != 2 ||
		strings.Contains(page, `value="anna-puig"`) || !strings.Contains(page, `id="f-members-2-keys"`) {
		t.Errorf("two mistakes are\n%s", page)
	}
	form = town(t)
	form.Set("do", "add zones")
	if _, page := s.foundWith(form); !strings.Contains(page, `name="zones.1.name" value="" autocomplete="off" autofocus`) {
		t.Error("a new zone is not where the page opens")
	}
	for _, do := range []string{"add members", "add zones", "drop members.1", "drop zones.0", "drop zones.7",
		"add x", "x"} {
		form := town(t)
		form.Set("do", do)
		form.Set("members", "1000000")
		if got, page := s.foundWith(form); got != http.StatusOK || !strings.Contains(page, "Anna Puig") {
			t.Errorf("%s is %d", do, got)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestWhereATownIsFounded: not among other files, and beside zones that are there, which are used.
// A directory that was made for nothing goes again.
func TestWhereATownIsFounded(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir, Addr: "127.0.0.1:0"}); err == nil ||
		!strings.Contains(err.Error(), "other files") {
		t.Errorf("among other files: %v", err)
	}
	dir = t.TempDir()
	zones := portalba.Policy()[zonesName]
	if err := os.WriteFile(filepath.Join(dir, zonesName), zones, 0o644); err != nil {
		t.Fatal(err)
	}
	s := openEmpty(t, dir)
	if _, page := s.answer(s.request("GET", "/found", "")); strings.Contains(page, "zones.0.lat") {
		t.Error("it asks for zones that are there")
	}
	if got, page := s.foundWith(town(t)); got != http.StatusSeeOther || s.onDisk(t, zonesName) != string(zones) {
		t.Errorf("%d: %s", got, page)
	}
	dir = filepath.Join(t.TempDir(), "a", "b")
	if err := openEmpty(t, dir).Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); err == nil {
		t.Error("a directory is left in which nothing was founded")
	}
}
