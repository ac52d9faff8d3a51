package intake

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

// inDirectory makes the register a directory of two files.
func inDirectory(c *harness.City, more string) {
	c.T.Helper()
	harness.Write(c.T, filepath.Join(c.Dir, "register", "a.yaml"),
		harness.Read(c.T, filepath.Join(c.Dir, "register.yaml")))
	harness.Write(c.T, filepath.Join(c.Dir, "register", "b.yaml"), more)
	harness.NoError(c.T, os.Remove(filepath.Join(c.Dir, "register.yaml")))
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(c.T, path,
		strings.Replace(harness.Read(c.T, path), "register: register.yaml", "register: register", 1))
}

// TestMappedSensors: fields are found by any JSON pointer, in a register of several
// files. An entry that maps what its kind has not harms no other sensor. What a
// vendor calls its topics and keys is not public.
func TestMappedSensors(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	inDirectory(c, `sensors:
  - {id: gate-2, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, topic: vendor/anna/up, map: {passed: /object/a~1b/0/n~0}}
  - {id: gate-3, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, map: {past: /object/anna}}
`)
	c.Begin()
	c.Link.Publish("vendor/anna/up", []byte(`{"object":{"a/b":[{"n~":7}]},"anna":1}`), false)
	c.Send("gate-3", harness.Gate(1, harness.Ten, 20))
	c.Send("gate-1", harness.Gate(1, harness.Ten, 100))
	c.Tick(harness.Ten.Add(time.Hour + 3*time.Minute))
	c.Stored()
	if got := c.FirstHour("gates", "passed"); got != 127 {
		t.Errorf("%v passed; want 127", got)
	}
	harness.Await(t, time.Minute, "the sensors to be listed", func() bool {
		return strings.Contains(string(c.Body("/api/v1/sensors")), "gate-2")
	})
	for _, path := range []string{"/api/v1/sensors", "/books/register.json", "/sensors/gate-2"} {
		if text := string(c.Body(path)); strings.Contains(text, "anna") || strings.Contains(text, "/object") {
			t.Errorf("%s shows a vendor's topic or pointer: %s", path, text)
		}
	}
	if log := c.Gateway.Err.String(); strings.Contains(log, "anna") ||
		!strings.Contains(log, "register entries map fields") {
		t.Errorf("the log says %s", log)
	}
}

// TestManySensors: twenty thousand sensors are up in a time that does not grow with
// their square, and cost nothing while nothing happens. The bounds are ten times
// what was measured.
func TestManySensors(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	var text strings.Builder
	text.WriteString("sensors:\n")
	for n := range 20_000 {
		fmt.Fprintf(&text, "  - {id: more-%05d, owner: o%d, kind: people-gate, zone: square, registered: "+
			"2026-01-01, purpose: {en: \"How many pass\"}}\n", n, n%3)
	}
	inDirectory(c, text.String())
	began := time.Now()
	c.Begin()
	took := time.Since(began)
	t.Logf("up after %v", took)
	if took > harness.Longer(60*time.Second) {
		t.Errorf("20,000 sensors are up after %v", took)
	}
	c.Link.Publish("city/v1/o1/more-10000/up", []byte(harness.Gate(1, harness.Ten, 5)), false)
	began = time.Now()
	c.Tick(harness.Ten.Add(time.Hour + 3*time.Minute))
	c.Stored()
	t.Logf("a window is released after %v", time.Since(began))
	if got := c.FirstHour("gates", "passed"); got != 5 {
		t.Errorf("%v passed; want 5", got)
	}
}

// TestRegisterCheck: the verb says everything that is wrong, with file and line.
func TestRegisterCheck(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	inDirectory(c, "sensors:\n  - {id: more, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n")
	dir, policy := filepath.Join(c.Dir, "register"), filepath.Join(c.Dir, "policy")
	if code, out := harness.ExitOf(t, "register", "check", dir, "--policy", policy); code != 0 ||
		!strings.Contains(out, "7 sensors. Nothing is wrong.") {
		t.Errorf("exit %d: %s", code, out)
	}
	harness.Write(t, filepath.Join(dir, "b.yaml"), `sensors:
  - {id: more, owner: acme, kind: people-gat, zone: circle, registered: 2026-01-01}
  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}
  - {id: x, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, topic: "a\nuser mallory"}
  - {id: y, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, until: 2025-01-01}
  - {id: z, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01
`)
	code, out := harness.ExitOf(t, "register", "check", dir, "--policy", policy)
	for _, want := range []string{
		"b.yaml, line 2 (more): the policy has no zone \"circle\"",
		"b.yaml, line 2 (more): the policy has no kind \"people-gat\"",
		"b.yaml, line 3 (gate-1): this id is taken in " + filepath.Join(dir, "a.yaml") + ", line 2",
		"b.yaml, line 4 (x): topic must not hold control characters",
		"b.yaml, line 5 (y): until is before registered", "b.yaml: [6:", "sluice: 6 mistakes",
	} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("exit %d; want %s in\n%s", code, want, out)
		}
	}
	if code, out := harness.ExitOf(t, "register", "check", dir, "--json"); code != 1 ||
		strings.Count(out, `"line":`) != 4 {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out := harness.ExitOf(t, "register", "check", dir, "--policy", filepath.Join(dir, "nowhere")); code != 3 {
		t.Errorf("a policy that is not there: %d\n%s", code, out)
	}
	if code, out := harness.ExitOf(t, "register", "check", filepath.Join(dir, "none.yaml")); code != 3 {
		t.Errorf("exit %d: %s", code, out)
	}
	// And neither a gateway nor an access list is made of it.
	for _, args := range [][]string{{"sensor", "acl", "--register", dir, "--dir", c.Dir},
		{"gateway", "-c", filepath.Join(c.Dir, "gateway.yaml")}} {
		if code, out := harness.ExitOf(t, args...); code != 3 || !strings.Contains(out, "b.yaml, line 3 (gate-1)") {
			t.Errorf("%v: exit %d: %s", args, code, out)
		}
	}
}

// TestPolicyCheckRegister: policy check says of a register, line by line, what register
// check says beside the same policy.
func TestPolicyCheckRegister(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	harness.Write(t, bad, `sensors:
  - {id: a, owner: acme, kind: noise-meter, zone: circle, registered: 2026-01-01}
  - {id: b, owner: acme, kind: noise-metre, zone: port, registered: 2026-01-01}
  - {id: c, owner: acme, kind: noise-meter, zone: port, registered: 2026-01-01, map: {leq: /x}}
`)
	code, alone := harness.ExitOf(t, "register", "check", bad, "--policy", "../../configs/portalba/policy")
	alone, _, ended := strings.Cut(alone, "sluice: 3 mistakes")
	if code != 1 || !ended {
		t.Fatalf("register check: exit %d: %s", code, alone)
	}
	for _, language := range []string{"en", "es"} {
		if code, out := harness.ExitOf(t, "policy", "check", "../../configs/portalba/policy", "--register", bad,
			"--lang",
			language); code != 1 || !strings.HasPrefix(out, alone) || strings.Contains(out, "Nothing is wrong") {
			t.Errorf("exit %d: %s\nwant first %s", code, out, alone)
		}
	}
	if code, out := harness.ExitOf(t, "policy", "check", "../../configs/portalba/policy", "--register", bad,
		"--json"); code != 1 || strings.Count(out, "bad.yaml\"") != 3 {
		t.Errorf("as JSON: exit %d: %s", code, out)
	}
	if code, out := harness.ExitOf(t, "policy", "check", "../../configs/portalba/policy", "--register",
		"../../configs/portalba/register.yaml"); code != 0 {
		t.Errorf("with a good one: exit %d: %s", code, out)
	}
	if code, out := harness.ExitOf(t, "policy", "check", "../../configs/portalba/policy", "--register",
		bad+".none"); code != 3 {
		t.Errorf("without one: exit %d: %s", code, out)
	}
	if code, out := harness.ExitOf(t, "policy", "check", t.TempDir(), "--register", bad); code != 1 {
		t.Errorf("without a policy: exit %d: %s", code, out)
	}
}

// TestAccessTwice: a second run makes passwords for those who have none, and none is
// set that cannot be shown.
func TestAccessTwice(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	inDirectory(c, "sensors:\n")
	args := []string{"sensor", "acl", "--register", filepath.Join(c.Dir, "register"), "--dir", c.Dir}
	away := filepath.Join(c.Dir, "away")
	if code, out := harness.ExitOf(t, "sensor", "acl", "--register", filepath.Join(c.Dir, "register"), "--dir",
		away); code != 3 || out != "sluice: the directory "+away+" is not there, so no password was made; mkdir -p "+
		away+"\n" {
		t.Errorf("in a directory that is not there: exit %d: %s", code, out)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := exec.Command(harness.Sluice, args...)
	cmd.Stdout = full
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("passwords that nobody saw: %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "passwords")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("passwords were set that nobody saw: %v", err)
	}
	if code, out := harness.ExitOf(t, args...); code != 0 || !strings.Contains(out, "6 sensors, 6 new passwords") ||
		strings.Count(out, "\n") != 7 {
		t.Errorf("exit %d: %s", code, out)
	}
	first := harness.Read(t, filepath.Join(c.Dir, "passwords"))
	harness.Write(t, filepath.Join(c.Dir, "register", "b.yaml"),
		"sensors:\n  - {id: more, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n")
	if code, out := harness.ExitOf(t, args...); code != 0 || !strings.Contains(out, "7 sensors, 1 new password,") ||
		!strings.HasPrefix(out, "more ") {
		t.Errorf("exit %d: %s", code, out)
	}
	for line := range strings.Lines(first) {
		if !strings.Contains(harness.Read(t, filepath.Join(c.Dir, "passwords")), line) {
			t.Error("a password was made anew")
		}
	}
}

// hangup has the gateway read its files anew, and waits until it has said how that
// went once more.
func hangup(c *harness.City, says string) {
	c.T.Helper()
	times := func() int { return strings.Count(c.Gateway.Err.String(), says) }
	before := times()
	if err := c.Gateway.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
		c.T.Fatal(err)
	}
	harness.Await(c.T, time.Minute, "the gateway to say "+says, func() bool { return times() > before })
}

// TestReadAnew: at SIGHUP the gateway takes the register and passwords as they are
// now, and loses neither an open window nor a connection; what is broken changes
// nothing.
func TestReadAnew(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	inDirectory(c, "sensors:\n  - {id: gone, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n")
	made := filepath.Join(c.Dir, "made") // elsewhere: what is saved is read
	harness.NoError(t, os.Mkdir(made, 0o700))
	secrets := func() map[string]string {
		out := harness.Run(t, harness.Sluice, "sensor", "acl", "--register", filepath.Join(c.Dir, "register"), "--dir",
			made)
		all := map[string]string{}
		for line := range strings.Lines(out) {
			if id, password, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				all[id] = password
			}
		}
		return all
	}
	first := secrets()
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path,
		strings.Replace(harness.Read(t, path), fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
			fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}", c.Mqtt), 1))
	sh := fmt.Sprintf("clock:%s",
		strings.SplitN(strings.SplitAfterN(harness.Read(t, filepath.Join(made, "passwords")), "gate-1:", 2)[1], "\n",
			2)[0])
	withClock := func() {
		harness.WriteSecret(t, filepath.Join(c.Dir, "passwords"),
			harness.Read(t, filepath.Join(made, "passwords"))+sh+"\n")
	}
	withClock()
	c.Run()
	c.Serve()
	clock, err := device.ConnectAs("tcp://"+c.Mqtt, "clock", "clock", first["gate-1"])
	if err != nil {
		t.Fatal(err)
	}
	c.Link = clock
	t.Cleanup(clock.Close)
	c.Tick(harness.Ten)
	as := func(id, password string) *device.Link {
		t.Helper()
		link, err := device.ConnectAs("tcp://"+c.Mqtt, id, id, password)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		t.Cleanup(link.Close)
		return link
	}
	send := func(l *device.Link, id, payload string) {
		t.Helper()
		l.Publish("city/v1/acme/"+id+"/up", []byte(payload), false)
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	old := as("gate-1", first["gate-1"])
	send(old, "gate-1", harness.Gate(1, harness.Ten, 1))
	send(as("gone", first["gone"]), "gone", harness.Gate(1, harness.Ten, 10))

	// A broken register changes nothing, and is said with its line.
	harness.Write(t, filepath.Join(c.Dir, "register", "b.yaml"),
		"sensors:\n  - {id: new, owner: acme, kind: people-gate, zone: square}\n")
	hangup(c, "nothing is changed")
	if log := c.Gateway.Err.String(); !strings.Contains(log, "b.yaml line=2 ") ||
		!strings.Contains(log, "registered is missing") {
		t.Errorf("the log says %s", log)
	}
	send(old, "gate-1", harness.Gate(2, harness.Ten, 100))

	harness.Write(t, filepath.Join(c.Dir, "register", "b.yaml"),
		"sensors:\n  - {id: new, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n")
	fresh := secrets()
	withClock()
	hangup(c, "are read anew")
	send(old, "gate-1", harness.Gate(3, harness.Ten, 1000))
	send(as("new", fresh["new"]), "new", harness.Gate(1, harness.Ten, 10000))
	if _, err := device.ConnectAs("tcp://"+c.Mqtt, "gone", "gone", first["gone"]); err == nil {
		t.Error("a sensor that is in the register no more still gets in")
	}
	c.Tick(harness.Ten.Add(time.Hour + 3*time.Minute))
	c.Stored()
	if got := c.FirstHour("gates", "passed"); got != 11111 {
		t.Errorf("%v passed; want 11111", got)
	}
	harness.Await(t, time.Minute, "the public register to be the new one", func() bool {
		text := string(c.Body("/api/v1/sensors"))
		return strings.Contains(text, `"new"`) && !strings.Contains(text, `"gone"`)
	})
	withoutSensors(c)
}

// withoutSensors: a register that has become empty is taken, and said loudly; one that stays
// empty is not.
func withoutSensors(c *harness.City) {
	c.T.Helper()
	files, err := filepath.Glob(filepath.Join(c.Dir, "register", "*.yaml"))
	if err != nil || len(files) < 2 {
		c.T.Fatal(files, err)
	}
	before := strings.Count(strings.Join([]string{harness.Read(c.T, files[0]), harness.Read(c.T, files[1])}, ""),
		"{id:")
	for _, file := range files {
		harness.Write(c.T, file, "sensors: []\n")
	}
	hangup(c, "are read anew")
	hangup(c, "are read anew")
	if log := c.Gateway.Err.String(); strings.Count(log, "the register has become empty") != 1 ||
		!strings.Contains(log, fmt.Sprintf(`"sensors_before":%d`, before)) &&
			!strings.Contains(log, fmt.Sprintf("sensors_before=%d", before)) {
		c.T.Errorf("of %d sensors that are gone the log says %s", before, log)
	}
}

// TestForeignTopicsAtABroker: a thousand topics of vendors' own are more than one
// SUBSCRIBE, and one that is added later is read after SIGHUP.
func TestForeignTopicsAtABroker(t *testing.T) {
	t.Parallel()
	broker := harness.NewMosquitto(t, "")
	c := harness.Found(t, harness.Small())
	var text strings.Builder
	text.WriteString("sensors:\n")
	for n := range 1200 {
		fmt.Fprintf(&text, "  - {id: more-%d, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, "+
			"topic: vendor/%d/%s}\n", n, n, strings.Repeat("x", 60))
	}
	inDirectory(c, text.String())
	c.Through(broker.Addr)
	c.Run()
	c.Serve()
	c.BrokerUp(true)
	c.Connect()
	c.Tick(harness.Ten)
	send := func(topic string, n int) {
		c.Link.Publish(topic, []byte(harness.Gate(n, harness.Ten, n)), false)
		if err := c.Link.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	send("vendor/0/"+strings.Repeat("x", 60), 1)
	send("vendor/1199/"+strings.Repeat("x", 60), 10)
	c.Received(2)
	fmt.Fprintf(&text,
		"  - {id: later, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, topic: vendor/later}\n")
	harness.Write(t, filepath.Join(c.Dir, "register", "b.yaml"), text.String())
	hangup(c, "are read anew")
	c.Gateway.Find(`(?s)the broker is there.*the broker is there`)
	send("vendor/later", 100)
	c.Received(3)
}
