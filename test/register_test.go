package test

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
)

// inDirectory makes the register a directory of two files.
func inDirectory(c *city, more string) {
	c.t.Helper()
	write(c.t, filepath.Join(c.dir, "register", "a.yaml"), read(c.t, filepath.Join(c.dir, "register.yaml")))
	write(c.t, filepath.Join(c.dir, "register", "b.yaml"), more)
	fine(c.t, os.Remove(filepath.Join(c.dir, "register.yaml")))
	path := filepath.Join(c.dir, "gateway.yaml")
	write(c.t, path, strings.Replace(read(c.t, path), "register: register.yaml", "register: register", 1))
}

// TestMappedSensors: fields are found by any JSON pointer, in a register of several
// files. An entry that maps what its kind has not harms no other sensor. What a
// vendor calls its topics and keys is not public.
func TestMappedSensors(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	inDirectory(c, `sensors:
  - {id: gate-2, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, topic: vendor/anna/up, map: {passed: /object/a~1b/0/n~0}}
  - {id: gate-3, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, map: {past: /object/anna}}
`)
	c.begin()
	c.link.Publish("vendor/anna/up", []byte(`{"object":{"a/b":[{"n~":7}]},"anna":1}`), false)
	c.send("gate-3", gate(1, ten, 20))
	c.send("gate-1", gate(1, ten, 100))
	c.tick(ten.Add(time.Hour + 3*time.Minute))
	c.stored()
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 127 {
		t.Errorf("%v passed; want 127", got)
	}
	await(t, time.Minute, "the sensors to be listed", func() bool {
		return strings.Contains(string(c.body("/api/v1/sensors")), "gate-2")
	})
	for _, path := range []string{"/api/v1/sensors", "/books/register.json", "/sensors/gate-2"} {
		if text := string(c.body(path)); strings.Contains(text, "anna") || strings.Contains(text, "/object") {
			t.Errorf("%s shows a vendor's topic or pointer: %s", path, text)
		}
	}
	if log := c.gateway.err.String(); strings.Contains(log, "anna") ||
		!strings.Contains(log, "register entries map fields") {
		t.Errorf("the log says %s", log)
	}
}

// TestManySensors: twenty thousand sensors are up in a time that does not grow with
// their square, and cost nothing while nothing happens. The bounds are ten times
// what was measured.
func TestManySensors(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	var text strings.Builder
	text.WriteString("sensors:\n")
	for n := range 20_000 {
		fmt.Fprintf(&text, "  - {id: more-%05d, owner: o%d, kind: people-gate, zone: square, registered: "+
			"2026-01-01, purpose: {en: \"How many pass\"}}\n", n, n%3)
	}
	inDirectory(c, text.String())
	began := time.Now()
	c.begin()
	took := time.Since(began)
	t.Logf("up after %v", took)
	if took > longer(60*time.Second) {
		t.Errorf("20,000 sensors are up after %v", took)
	}
	c.link.Publish("city/v1/o1/more-10000/up", []byte(gate(1, ten, 5)), false)
	began = time.Now()
	c.tick(ten.Add(time.Hour + 3*time.Minute))
	c.stored()
	t.Logf("a window is released after %v", time.Since(began))
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 5 {
		t.Errorf("%v passed; want 5", got)
	}
}

// exitOf runs a verb and returns its exit code and what it says.
func exitOf(t *testing.T, args ...string) (int, string) {
	t.Helper()
	out, err := exec.Command(sluice, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

// TestRegisterCheck: the verb says everything that is wrong, with file and line.
func TestRegisterCheck(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	inDirectory(c, "sensors:\n  - {id: more, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n")
	dir, policy := filepath.Join(c.dir, "register"), filepath.Join(c.dir, "policy")
	if code, out := exitOf(t, "register", "check", dir, "--policy", policy); code != 0 ||
		!strings.Contains(out, "7 sensors. Nothing is wrong.") {
		t.Errorf("exit %d: %s", code, out)
	}
	write(t, filepath.Join(dir, "b.yaml"), `sensors:
  - {id: more, owner: acme, kind: people-gat, zone: circle, registered: 2026-01-01}
  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}
  - {id: x, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, topic: "a\nuser mallory"}
  - {id: y, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, until: 2025-01-01}
  - {id: z, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01
`)
	code, out := exitOf(t, "register", "check", dir, "--policy", policy)
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
	if code, out := exitOf(t, "register", "check", dir, "--json"); code != 1 || strings.Count(out, `"line":`) != 4 {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out := exitOf(t, "register", "check", dir, "--policy", filepath.Join(dir, "nowhere")); code != 3 {
		t.Errorf("a policy that is not there: %d\n%s", code, out)
	}
	if code, out := exitOf(t, "register", "check", filepath.Join(dir, "none.yaml")); code != 3 {
		t.Errorf("exit %d: %s", code, out)
	}
	// And neither a gateway nor an access list is made of it.
	for _, args := range [][]string{{"sensor", "acl", "--register", dir, "--dir", c.dir},
		{"gateway", "-c", filepath.Join(c.dir, "gateway.yaml")}} {
		if code, out := exitOf(t, args...); code != 3 || !strings.Contains(out, "b.yaml, line 3 (gate-1)") {
			t.Errorf("%v: exit %d: %s", args, code, out)
		}
	}
}

// TestPolicyCheckRegister: policy check says of a register, line by line, what register
// check says beside the same policy.
func TestPolicyCheckRegister(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, bad, `sensors:
  - {id: a, owner: acme, kind: noise-meter, zone: circle, registered: 2026-01-01}
  - {id: b, owner: acme, kind: noise-metre, zone: port, registered: 2026-01-01}
  - {id: c, owner: acme, kind: noise-meter, zone: port, registered: 2026-01-01, map: {leq: /x}}
`)
	code, alone := exitOf(t, "register", "check", bad, "--policy", "../configs/portalba/policy")
	alone, _, ended := strings.Cut(alone, "sluice: 3 mistakes")
	if code != 1 || !ended {
		t.Fatalf("register check: exit %d: %s", code, alone)
	}
	for _, language := range []string{"en", "es"} {
		if code, out := exitOf(t, "policy", "check", "../configs/portalba/policy", "--register", bad, "--lang",
			language); code != 1 || !strings.HasPrefix(out, alone) || strings.Contains(out, "Nothing is wrong") {
			t.Errorf("exit %d: %s\nwant first %s", code, out, alone)
		}
	}
	if code, out := exitOf(t, "policy", "check", "../configs/portalba/policy", "--register", bad, "--json"); code != 1 || strings.Count(out, "bad.yaml\"") != 3 {
		t.Errorf("as JSON: exit %d: %s", code, out)
	}
	if code, out := exitOf(t, "policy", "check", "../configs/portalba/policy", "--register",
		"../configs/portalba/register.yaml"); code != 0 {
		t.Errorf("with a good one: exit %d: %s", code, out)
	}
	if code, out := exitOf(t, "policy", "check", "../configs/portalba/policy", "--register", bad+".none"); code != 3 {
		t.Errorf("without one: exit %d: %s", code, out)
	}
	if code, out := exitOf(t, "policy", "check", t.TempDir(), "--register", bad); code != 1 {
		t.Errorf("without a policy: exit %d: %s", code, out)
	}
}

// TestAccessTwice: a second run makes passwords for those who have none, and none is
// set that cannot be shown.
func TestAccessTwice(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	inDirectory(c, "sensors:\n")
	args := []string{"sensor", "acl", "--register", filepath.Join(c.dir, "register"), "--dir", c.dir}
	away := filepath.Join(c.dir, "away")
	if code, out := exitOf(t, "sensor", "acl", "--register", filepath.Join(c.dir, "register"), "--dir", away); code != 3 || out != "sluice: the directory "+away+" is not there, so no password was made; mkdir -p "+away+"\n" {
		t.Errorf("in a directory that is not there: exit %d: %s", code, out)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := exec.Command(sluice, args...)
	cmd.Stdout = full
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("passwords that nobody saw: %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "passwords")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("passwords were set that nobody saw: %v", err)
	}
	if code, out := exitOf(t, args...); code != 0 || !strings.Contains(out, "6 sensors, 6 new passwords") ||
		strings.Count(out, "\n") != 7 {
		t.Errorf("exit %d: %s", code, out)
	}
	first := read(t, filepath.Join(c.dir, "passwords"))
	write(t, filepath.Join(c.dir, "register", "b.yaml"),
		"sensors:\n  - {id: more, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n")
	if code, out := exitOf(t, args...); code != 0 || !strings.Contains(out, "7 sensors, 1 new password,") ||
		!strings.HasPrefix(out, "more ") {
		t.Errorf("exit %d: %s", code, out)
	}
	for line := range strings.Lines(first) {
		if !strings.Contains(read(t, filepath.Join(c.dir, "passwords")), line) {
			t.Error("a password was made anew")
		}
	}
}

// hangup has the gateway read its files anew, and waits until it has said how that
// went for the nth time.
func (c *city) hangup(says string, times int) {
	c.t.Helper()
	if err := c.gateway.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		c.t.Fatal(err)
	}
	await(c.t, time.Minute, "the gateway to say "+says, func() bool {
		return strings.Count(c.gateway.err.String(), says) >= times
	})
}

// TestReadAnew: at SIGHUP the gateway takes the register and passwords as they are
// now, and loses neither an open window nor a connection; what is broken changes
// nothing.
func TestReadAnew(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	inDirectory(c, "sensors:\n  - {id: gone, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n")
	secrets := func() map[string]string {
		out := run(t, sluice, "sensor", "acl", "--register", filepath.Join(c.dir, "register"), "--dir", c.dir)
		all := map[string]string{}
		for line := range strings.Lines(out) {
			if id, password, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				all[id] = password
			}
		}
		return all
	}
	first := secrets()
	path := filepath.Join(c.dir, "gateway.yaml")
	write(t, path,
		strings.Replace(read(t, path), fmt.Sprintf("listen: {mqtt: %q}", c.mqtt),
			fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}", c.mqtt), 1))
	sh := fmt.Sprintf("clock:%s",
		strings.SplitN(strings.SplitAfterN(read(t, filepath.Join(c.dir, "passwords")), "gate-1:", 2)[1], "\n", 2)[0])
	withClock := func() {
		writeSecret(t, filepath.Join(c.dir, "passwords"), read(t, filepath.Join(c.dir, "passwords"))+sh+"\n")
	}
	withClock()
	c.run()
	c.serve()
	clock, err := device.ConnectAs("tcp://"+c.mqtt, "clock", "clock", first["gate-1"])
	if err != nil {
		t.Fatal(err)
	}
	c.link = clock
	t.Cleanup(clock.Close)
	c.tick(ten)
	as := func(id, password string) *device.Link {
		t.Helper()
		link, err := device.ConnectAs("tcp://"+c.mqtt, id, id, password)
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
	send(old, "gate-1", gate(1, ten, 1))
	send(as("gone", first["gone"]), "gone", gate(1, ten, 10))

	// A broken register changes nothing, and is said with its line.
	write(t, filepath.Join(c.dir, "register", "b.yaml"),
		"sensors:\n  - {id: new, owner: acme, kind: people-gate, zone: square}\n")
	c.hangup("nothing is changed", 1)
	if log := c.gateway.err.String(); !strings.Contains(log, "b.yaml, line 2 (new): registered is missing") {
		t.Errorf("the log says %s", log)
	}
	send(old, "gate-1", gate(2, ten, 100))

	write(t, filepath.Join(c.dir, "register", "b.yaml"),
		"sensors:\n  - {id: new, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n")
	fresh := secrets()
	withClock()
	c.hangup("are read anew", 1)
	send(old, "gate-1", gate(3, ten, 1000))
	send(as("new", fresh["new"]), "new", gate(1, ten, 10000))
	if _, err := device.ConnectAs("tcp://"+c.mqtt, "gone", "gone", first["gone"]); err == nil {
		t.Error("a sensor that is in the register no more still gets in")
	}
	c.tick(ten.Add(time.Hour + 3*time.Minute))
	c.stored()
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 11111 {
		t.Errorf("%v passed; want 11111", got)
	}
	await(t, time.Minute, "the public register to be the new one", func() bool {
		text := string(c.body("/api/v1/sensors"))
		return strings.Contains(text, `"new"`) && !strings.Contains(text, `"gone"`)
	})
	withoutSensors(c)
}

// withoutSensors: a register that has become empty is taken, and said loudly; one that stays
// empty is not.
func withoutSensors(c *city) {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.dir, "register", "*.yaml"))
	if err != nil || len(files) < 2 {
		c.t.Fatal(files, err)
	}
	before := strings.Count(strings.Join([]string{read(c.t, files[0]), read(c.t, files[1])}, ""), "{id:")
	for _, file := range files {
		write(c.t, file, "sensors: []\n")
	}
	c.hangup("are read anew", 2)
	c.hangup("are read anew", 3)
	if log := c.gateway.err.String(); strings.Count(log, "the register has become empty") != 1 ||
		!strings.Contains(log, fmt.Sprintf(`"sensors_before":%d`, before)) &&
			!strings.Contains(log, fmt.Sprintf("sensors_before=%d", before)) {
		c.t.Errorf("of %d sensors that are gone the log says %s", before, log)
	}
}

// TestForeignTopicsAtABroker: a thousand topics of vendors' own are more than one
// SUBSCRIBE, and one that is added later is read after SIGHUP.
func TestForeignTopicsAtABroker(t *testing.T) {
	t.Parallel()
	broker := newMosquitto(t, "")
	c := found(t, small())
	var text strings.Builder
	text.WriteString("sensors:\n")
	for n := range 1200 {
		fmt.Fprintf(&text, "  - {id: more-%d, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, "+
			"topic: vendor/%d/%s}\n", n, n, strings.Repeat("x", 60))
	}
	inDirectory(c, text.String())
	c.through(broker.addr)
	c.run()
	c.serve()
	c.brokerUp(true)
	c.connect()
	c.tick(ten)
	send := func(topic string, n int) {
		c.link.Publish(topic, []byte(gate(n, ten, n)), false)
		if err := c.link.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	send("vendor/0/"+strings.Repeat("x", 60), 1)
	send("vendor/1199/"+strings.Repeat("x", 60), 10)
	c.received(2)
	fmt.Fprintf(&text,
		"  - {id: later, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, topic: vendor/later}\n")
	write(t, filepath.Join(c.dir, "register", "b.yaml"), text.String())
	c.hangup("are read anew", 1)
	c.gateway.find(`(?s)the broker is there.*the broker is there`)
	send("vendor/later", 100)
	c.received(3)
}
