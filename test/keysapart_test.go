package test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
	desk["charter.yaml"] = samples.Charter + "quorums: {enact: 4, weaken: 5, charter: 5, roster: 5, suspend: 2}\n"
	a := assemble(t, desk)
	a.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", a.path("keys", "lost"))
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	roster := strings.NewReplacer("version: 1\n", "version: 7\nrevoked: ['"+strings.TrimSpace(read(t, a.path("keys", "lost.pub")))+"']\n",
		"{id: anna,", "{id: anna, from: "+day(2)+",", "{id: bru,", "{id: bru, until: "+day(-2)+",").Replace(read(t, a.path("council.yaml")))
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
	for _, says := range []string{`anna\W.*was not in office`, `bru\W.*was not in office`, `carla.sig: V08: .*is revoked`, `3 of 4`} {
		want(t, out, says)
	}
}

// TestKeysOfBrokerAndStore: the session's own name, and the token and organisation with
// which a database lets gateway and open data in.
func TestKeysOfBrokerAndStore(t *testing.T) {
	t.Parallel()
	broker, db := newMosquitto(t, ""), newInflux(t)
	to, err := url.Parse(db.url)
	if err != nil {
		t.Fatal(err)
	}
	var let atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(to)
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v2/") && (r.Header.Get("Authorization") != "Token editor:horse" || r.URL.Query().Get("org") != "keytown") {
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
		write(t, path, strings.NewReplacer("org: city,", "org: keytown, token_file: token,", "mqtt: {broker:", "mqtt: {client_id: edge-of-keys, broker:").Replace(read(t, path)))
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
