package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/test/samples"
)

// TestKeysOfTheCouncil: a roster with terms, a revoked key and a number: signatures
// outside a term or by a revoked key do not count, and the text says the number.
func TestKeysOfTheCouncil(t *testing.T) {
	t.Parallel()
	desk := map[string]string{}
	for name, text := range small() {
		if rest, ok := strings.CutPrefix(name, "policy/"); ok {
			if strings.HasPrefix(rest, "decisions/") {
				text = today(text)
			}
			desk[rest] = text
		}
	}
	desk["charter.yaml"] = samples.Charter + "quorums: {enact: 4, weaken: 5, charter: 6, roster: 7, suspend: 2}\n"
	a := assemble(t, desk)
	a.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", a.path("keys", "lost"))
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	roster := strings.NewReplacer("version: 1\n",
		"version: 7\nrevoked: ['"+strings.TrimSpace(read(t, a.path("keys", "lost.pub")))+"']\n",
		"{id: anna,", "{id: anna, from: "+day(2)+",", "{id: bru,",
		"{id: bru, until: "+day(-2)+",").Replace(read(t, a.path("council.yaml")))
	write(t, a.path("council.yaml"), roster)
	a.must(sluice, "motion", "create", "first")
	want(t, read(t, a.path("motions", "first", "motion.txt")), `(?m)version.*\b7\b`)
	a.sign("first", "anna", "bru", "dani", "emma", "ferran")
	for _, end := range []string{"", ".pub"} {
		a.must("cp", a.path("keys", "lost"+end), a.path("keys", "carla"+end))
	}
	a.sign("first", "carla")
	out, err := a.try(sluice, "motion", "status", "first")
	if err == nil {
		t.Errorf("three valid signatures are enough\n%s", out)
	}
	for _, says := range []string{`anna\W.*was not in office`, `bru\W.*was not in office`,
		`carla.sig: V08: .*is revoked`, `3 of 4`} {
		want(t, out, says)
	}
	a.sign("first", "gemma") // enough have signed, and three others wrongly: in words and in JSON it cannot be enacted
	out, err = a.try(sluice, "motion", "status", "first")
	raw, jsonErr := a.try(sluice, "motion", "status", "--json", "first")
	if err == nil || jsonErr == nil || !strings.Contains(raw, `"signed": 4`) {
		t.Errorf("%v and %v\n%s\n%s", err, jsonErr, out, raw)
	}
	a.must("sh", "-c", "cd motions/first/ballots && rm anna.sig bru.sig carla.sig")
	a.must(sluice, "motion", "enact", "first")
	for file, edit := range map[string][3]string{
		"charter.yaml": {"min_units: 3", "min_units: 4", "of 6|6 of 7 members must sign \\(charter\\)"},
		"council.yaml": {"name: Dani", "name: Daniel", "of 7|7 of 7 members must sign \\(roster\\)"},
	} {
		text := read(t, a.path(file))
		write(t, a.path(file), strings.Replace(text, edit[0], edit[1], 1))
		want(t, a.must(sluice, "motion", "create", "other-"+file[:7]), edit[2])
		write(t, a.path(file), text)
	}
}

// TestKeysOfCases: each key of tests/*.yaml makes a case fail that says the opposite.
func TestKeysOfCases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range small() {
		if rest, ok := strings.CutPrefix(name, "policy/"); ok {
			write(t, filepath.Join(dir, rest), text)
		}
	}
	run(t, "cp", "../configs/portalba/policy/council.yaml", dir)
	devices := filepath.Join(dir, "decisions/devices.yaml")
	write(t, devices,
		strings.NewReplacer("epsilon: 20", "epsilon: 8", "max_contributions: 1}",
			"max_contributions: 1, by_owner: {acme: 1}}", "keep: [device, rssi]",
			"keep: [device, rssi]\ngeneralise: [{field: rssi, step: 10}]").Replace(read(t, devices)))
	write(t, filepath.Join(dir, "decisions/low.yaml"),
		strings.NewReplacer(`"2"`, `"9"`, "stream: devices", "stream: low", "min_units: 5",
			"min_units: 2").Replace(read(t, devices)))
	const base = "tests:\n  - name: a case\n    given: {kind: wifi-counter, zone: square, owner: acme, with: " +
		"[device, rssi, note]}\n    on: 2026-05-01\n" +
		"    then: {counted: [device], generalised: [rssi], dropped: [note], published: {devices: PT1H}, refused: " +
		"[C05]}\n"
	verdict := func(from, to string) error {
		if !strings.Contains(base, from) {
			t.Errorf("there is no %q", from)
		}
		write(t, filepath.Join(dir, "tests/case.yaml"), strings.Replace(base, from, to, 1))
		return exec.Command(sluice, "policy", "test", dir).Run()
	}
	if verdict("a case", "the same") != nil {
		t.Errorf("%s", run(t, sluice, "policy", "test", dir))
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
	certs, secure := t.TempDir(), freePort(t)
	ca := newAuthority(t, certs)
	ca.issue("server", "localhost")
	ca.issue("edge", "edge")
	broker := newMosquitto(t, fmt.Sprintf("listener %s 127.0.0.1\ncafile %[2]s/ca.crt\ncertfile "+
		"%[2]s/server.crt\nkeyfile %[2]s/server.key\nrequire_certificate true\nallow_anonymous true\n", secure, certs))
	db := newInflux(t)
	to, err := url.Parse(db.url)
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
	c := found(t, small())
	c.through(broker.addr)
	c.keepIn(guarded.URL)
	writeSecret(t, filepath.Join(c.dir, "token"), "editor:horse\n")
	for _, name := range []string{"gateway.yaml", "opendata.yaml"} {
		path := filepath.Join(c.dir, name)
		write(t, path,
			strings.NewReplacer("org: city,", "org: keytown, token_file: token,",
				"mqtt: {broker: \"tcp://"+broker.addr+"\"}",
				"mqtt: {client_id: edge-of-keys, broker: \"tls://localhost:"+secure+"\", ca: "+certs+"/ca.crt, cert: "+
					certs+"/edge.crt, key: "+certs+"/edge.key}").Replace(read(t, path)))
	}
	heard := listen(t, broker.addr, "city/v1/edge-of-keys/marker")
	c.run()
	c.brokerUp(true)
	c.serve()
	await(t, 20*time.Second, "a marker by the session's name", func() bool { return heard.String() != "" })
	c.connect()
	c.tick(ten)
	c.send("gate-1", gate(1, ten, 5))
	c.tick(ten.Add(2 * time.Hour))
	c.at(ten.Add(2 * time.Hour))
	c.stored()
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 5 || let.Load() == 0 {
		t.Errorf("passed is %v, by %d requests", got, let.Load())
	}
}

// TestPresetsAreRefused: the word is kept for what is to come, and says so today.
func TestPresetsAreRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "register.yaml")
	write(t, file, "sensors:\n  - {id: a, owner: acme, kind: k, zone: z, registered: 2026-01-01, preset: vendor-1}\n")
	out, err := exec.Command(sluice, "register", "check", file).CombinedOutput()
	if err == nil {
		t.Error("a preset is taken")
	}
	want(t, string(out), `register.yaml, line 2 .*this version has no presets`)
}
