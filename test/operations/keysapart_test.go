package operations

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/policy/council"
	"sluice/test/harness"
	"sluice/test/samples"
)

// TestKeysOfTheCouncil: a roster with terms, a revoked key and a number: signatures
// outside a term or by a revoked key do not count towards a quorum and stop none, and the text
// says the number.
func TestKeysOfTheCouncil(t *testing.T) {
	t.Parallel()
	desk := map[string]string{}
	for name, text := range harness.Small() {
		if rest, ok := strings.CutPrefix(name, "policy/"); ok {
			if strings.HasPrefix(rest, "decisions/") {
				text = harness.Today(text)
			}
			desk[rest] = text
		}
	}
	desk["charter.yaml"] = samples.Charter + "quorums: {enact: 4, weaken: 5, charter: 6, roster: 7, suspend: 2}\n"
	a := harness.Assemble(t, desk)
	a.Must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", a.Path("keys", "lost"))
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	roster := strings.NewReplacer("version: 1\n",
		"version: 7\nrevoked: ['"+strings.TrimSpace(harness.Read(t, a.Path("keys", "lost.pub")))+"']\n",
		"{id: anna,", "{id: anna, from: "+day(2)+",", "{id: bru,",
		"{id: bru, until: "+day(-2)+",").Replace(harness.Read(t, a.Path("council.yaml")))
	harness.Write(t, a.Path("council.yaml"), roster)
	a.Must(harness.Sluice, "motion", "create", "first")
	harness.Want(t, harness.Read(t, a.Path("motions", "first", "motion.txt")), `(?m)version.*\b7\b`)
	a.Sign("first", "anna", "bru", "dani", "emma", "ferran")
	for _, end := range []string{"", ".pub"} {
		a.Must("cp", a.Path("keys", "lost"+end), a.Path("keys", "carla"+end))
	}
	a.Sign("first", "carla")
	out, err := a.Try(harness.Sluice, "motion", "status", "first")
	if err == nil {
		t.Errorf("three valid signatures are enough\n%s", out)
	}
	for _, says := range []string{`anna\W.*was not in office`, `bru\W.*was not in office`,
		`carla.sig: V08: .*is revoked`, `3 of 4`} {
		harness.Want(t, out, says)
	}
	enacted := filepath.Join(a.Dir, "motions", "first", "first.sluice")
	out, err = a.Try(harness.Sluice, "motion", "enact", "first")
	if _, missing := os.Stat(enacted); err == nil || missing == nil {
		t.Errorf("six ballots of which three count are enacted: %v\n%s", err, out)
	}
	harness.Want(t, out, `3 members have signed; 4 are needed`)
	// Enough have signed: what the three others sent is told, and is not in what gateways take.
	a.Sign("first", "gemma")
	out = a.Must(harness.Sluice, "motion", "status", "first")
	raw := a.Must(harness.Sluice, "motion", "status", "--json", "first")
	if !strings.Contains(raw, `"signed": 4`) || strings.Count(raw, `"signed": true`) != 4 {
		t.Errorf("four have signed\n%s\n%s", out, raw)
	}
	out = a.Must(harness.Sluice, "motion", "enact", "first")
	for _, says := range []string{`ignored: .*anna was not in office`, `ignored: .*bru was not in office`,
		`ignored: .*carla.sig: V08: .*is revoked`, `signatures of Dani, Emma, Ferran and Gemma \(4 needed\)`} {
		harness.Want(t, out, says)
	}
	file, err := council.ReadFile([]byte(harness.Read(t, enacted)))
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"anna", "bru", "carla"} {
		if file["ballots/"+who+".sig"] != nil {
			t.Errorf("gateways are sent the ballot of %s, which they refuse", who)
		}
	}
	for file, edit := range map[string][3]string{
		"charter.yaml": {"min_units: 3", "min_units: 4", "of 6|6 of 7 members must sign \\(charter\\)"},
		"council.yaml": {"name: Dani", "name: Daniel", "of 7|7 of 7 members must sign \\(roster\\)"},
	} {
		text := harness.Read(t, a.Path(file))
		harness.Write(t, a.Path(file), strings.Replace(text, edit[0], edit[1], 1))
		harness.Want(t, a.Must(harness.Sluice, "motion", "create", "other-"+file[:7]), edit[2])
		harness.Write(t, a.Path(file), text)
	}
}

// TestKeysOfCases: each key of tests/*.yaml makes a case fail that says the opposite.
func TestKeysOfCases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range harness.Small() {
		if rest, ok := strings.CutPrefix(name, "policy/"); ok {
			harness.Write(t, filepath.Join(dir, rest), text)
		}
	}
	harness.Run(t, "cp", "../../configs/portalba/policy/council.yaml", dir)
	devices := filepath.Join(dir, "decisions/devices.yaml")
	harness.Write(t, devices,
		strings.NewReplacer("epsilon: 20", "epsilon: 8", "max_contributions: 1}",
			"max_contributions: 1, by_owner: {acme: 1}}", "keep: [device, rssi]",
			"keep: [device, rssi]\ngeneralise: [{field: rssi, step: 10}]").Replace(harness.Read(t, devices)))
	harness.Write(t, filepath.Join(dir, "decisions/low.yaml"),
		strings.NewReplacer(`"2"`, `"9"`, "stream: devices", "stream: low", "min_units: 5",
			"min_units: 2").Replace(harness.Read(t, devices)))
	const base = "tests:\n  - name: a case\n    given: {kind: wifi-counter, zone: square, owner: acme, with: " +
		"[device, rssi, note]}\n    on: 2026-05-01\n" +
		"    then: {counted: [device], generalised: [rssi], dropped: [note], published: {devices: PT1H}, refused: " +
		"[C05]}\n"
	verdict := func(from, to string) error {
		if !strings.Contains(base, from) {
			t.Errorf("there is no %q", from)
		}
		harness.Write(t, filepath.Join(dir, "tests/case.yaml"), strings.Replace(base, from, to, 1))
		return exec.Command(harness.Sluice, "policy", "test", dir).Run()
	}
	if verdict("a case", "the same") != nil {
		t.Errorf("%s", harness.Run(t, harness.Sluice, "policy", "test", dir))
	}
	for from, to := range map[string]string{
		"owner: acme": "owner: tram", "with: [device, rssi, note]": "with: [rssi, note]",
		"on: 2026-05-01": "on: 2027-05-01", "generalised: [rssi]": "kept: [rssi]",
		"refused: [C05]": "refused: [C08]", "counted: [device]": "counted: [rssi]",
		"dropped: [note]": "dropped: [device]", "devices: PT1H": "devices: PT2H",
		"kind: wifi-counter": "kind: people-gate", "zone: square": "zone: nowhere",
	} {
		if verdict(from, to) == nil {
			t.Errorf("with %q instead of %q the case holds, too", to, from)
		}
	}
}

// TestKeysOfBrokerAndStore: the session's own name, the certificate without which the
// broker lets nobody in, and the token and organisation with
// which a database lets gateway and open data in.
func TestKeysOfBrokerAndStore(t *testing.T) {
	t.Parallel()
	certs, secure := t.TempDir(), harness.FreePort(t)
	ca := harness.NewAuthority(t, certs)
	ca.Issue("server", "localhost")
	ca.Issue("edge", "edge")
	broker := harness.NewMosquitto(t, fmt.Sprintf("listener %s 127.0.0.1\ncafile %[2]s/ca.crt\ncertfile "+
		"%[2]s/server.crt\nkeyfile %[2]s/server.key\nrequire_certificate true\nallow_anonymous true\n", secure, certs))
	db := harness.NewInflux(t)
	to, err := url.Parse(db.Url)
	if err != nil {
		t.Fatal(err)
	}
	var let atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(to)
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v2/") &&
			(r.Header.Get("Authorization") != "Token editor:horse" || r.URL.Query().Get("org") != "keytown") {
			http.Error(w, `{"code":"unauthorized","message":"who is it?"}`, http.StatusUnauthorized)
			return
		}
		let.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(guarded.Close)
	c := harness.Found(t, harness.Small())
	c.Through(broker.Addr)
	c.KeepIn(guarded.URL)
	harness.WriteSecret(t, filepath.Join(c.Dir, "token"), "editor:horse\n")
	for _, name := range []string{"gateway.yaml", "opendata.yaml"} {
		path := filepath.Join(c.Dir, name)
		harness.Write(t, path,
			strings.NewReplacer("org: city,", "org: keytown, token_file: token,",
				"mqtt: {broker: \"tcp://"+broker.Addr+"\"}",
				"mqtt: {client_id: edge-of-keys, broker: \"tls://localhost:"+secure+"\", ca: "+certs+"/ca.crt, cert: "+
					certs+"/edge.crt, key: "+certs+"/edge.key}").Replace(harness.Read(t, path)))
	}
	heard := harness.Listen(t, broker.Addr, "city/v1/edge-of-keys/marker")
	c.Run()
	c.BrokerUp(true)
	c.Serve()
	harness.Await(t, 20*time.Second, "a marker by the session's name", func() bool { return heard.String() != "" })
	c.Connect()
	c.Tick(harness.Ten)
	c.Send("gate-1", harness.Gate(1, harness.Ten, 5))
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.At(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	if got := c.FirstHour("gates", "passed"); got != 5 || let.Load() == 0 {
		t.Errorf("passed is %v, by %d requests", got, let.Load())
	}
}
