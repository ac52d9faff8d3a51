package privacy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// listsNoHome expects the gate alone on the list, and so many homes and unknown.
func listsNoHome(c *harness.City, when string, homes, unknown int) {
	t := c.T
	t.Helper()
	var reg struct {
		Sensors []struct{ ID string }
		Homes   []struct{ Number int }
		Unknown []struct {
			Zone   string
			Number int
		}
	}
	harness.GetJSON(t, c.Opendata+"/api/v1/sensors", &reg)
	if len(reg.Sensors) != 1 || homes > 0 && (len(reg.Homes) != 1 || reg.Homes[0].Number != homes) ||
		homes == 0 && len(reg.Homes) > 0 || len(reg.Unknown) != 1 || reg.Unknown[0].Number != unknown ||
		reg.Unknown[0].Zone != "square" {
		t.Errorf("%s: %+v; want the gate, %d homes and %d unknown", when, reg, homes, unknown)
	}
	c.NamesNoHome(when)
}

// TestHomesStayHomes: whatever is missing, misspelt, suspended or gone, no book, page,
// answer, metric or log has the id, contact, place or topic of one home's sensor.
func TestHomesStayHomes(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.HomesTown())
	c.Run()
	c.Serve()
	c.Connect()
	c.NamesNoHome("before the first tick")
	c.Tick(harness.Ten)
	kinds, suspended := filepath.Join(c.Dir, "policy/kinds.yaml"), filepath.Join(c.Dir, "policy/suspended.yaml")
	register := func() string { _, _, body := harness.Get(t, c.Opendata+"/books/register.json"); return string(body) }
	numbers := func(when string, homes, unknown int) { listsNoHome(c, when, homes, unknown) }
	harness.Await(t, time.Minute, "the register", func() bool { return strings.Contains(register(), "gate-1") })
	numbers("as it should be", 4, 1)
	good := harness.Read(t, kinds)
	turn := 0
	change := func(when string, homes, unknown int, edit func()) {
		t.Helper()
		turn++
		edit()
		text := strings.Replace(harness.Read(t, kinds), "{name: passed,",
			fmt.Sprintf("{name: turn-%d, type: int, class: measurement}, {name: passed,", turn), 1)
		harness.Write(t, kinds, text)
		harness.Await(t, time.Minute, when, func() bool {
			return strings.Contains(register(), fmt.Sprintf(`"turn-%d"`, turn))
		})
		c.Send("meter-zq0", "{") // nobody is told
		numbers(when, homes, unknown)
	}
	change("suspended", 4, 1, func() {
		harness.Write(t, suspended, "suspended:\n  - {decision: \"4\", since: 2026-06-01, reason: a complaint}\n")
	})
	change("the unit of a kind is gone", 4, 1, func() {
		harness.NoError(t, os.Remove(filepath.Join(c.Dir, "policy/decisions/power.yaml")))
		harness.NoError(t, os.Remove(suspended))
		harness.Write(t, kinds, strings.Replace(good, "    units: [{sensor: true, stands_for: home}]\n", "", 1))
	})
	change("the kind is gone", 0, 5, func() {
		before, _, _ := strings.Cut(good, "  home-meter:")
		harness.Write(t, kinds, before)
	})
	change("the kind comes back as something else", 4, 1, func() {
		harness.Write(t, kinds,
			strings.Replace(good, "units: [{sensor: true, stands_for: home}]\n    fields: [",
				"units: [{field: id, stands_for: card}]\n    fields: [{name: id, type: string, class: identifier}, ",
				1))
	})
	c.Gateway.Kill()
	c.Run()
	change("after a restart", 4, 1, func() {})
	// A slip of the pen that makes another kind of a home's is no reason to show it.
	entries := harness.Read(t, filepath.Join(c.Dir, "register.yaml"))
	harness.Write(t, filepath.Join(c.Dir, "register.yaml"),
		strings.Replace(entries, "{id: meter-zq1, owner: acme, kind: home-meter,",
			"{id: meter-zq1, owner: acme, kind: people-gate,", 1))
	c.Gateway.Kill()
	c.Run()
	change("a home's sensor has a gate's kind", 3, 2, func() {})
	_, out := harness.ExitOf(t, "doctor", "-c", filepath.Join(c.Dir, "gateway.yaml"))
	if !strings.Contains(out, "1 sensor stood for a home and has another kind now: meter-zq1") {
		t.Errorf("doctor says\n%s", out)
	}
	harness.Write(t, filepath.Join(c.Dir, "register.yaml"), entries)
	c.Gateway.Kill()
	c.Run()
	change("the slip is mended", 4, 1, func() {})
	harness.NoError(t, os.Rename(filepath.Join(c.Dir, "policy"), filepath.Join(c.Dir, "away")))
	harness.Await(t, time.Minute, "the policy to be gone", func() bool {
		return strings.Contains(string(c.Body("/books/city.json")), "policy_taken_away") &&
			!strings.Contains(register(), `"fate":"kept"`)
	})
	numbers("without a policy", 4, 1)
	c.Gateway.Kill()
	c.Run()
	numbers("without a policy, after a restart", 4, 1)
}

// TestNoPolicyNoRegister: before any policy is in force nothing is listed singly.
func TestNoPolicyNoRegister(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.HomesTown())
	harness.NoError(t, os.RemoveAll(filepath.Join(c.Dir, "policy")))
	c.Begin()
	c.Send("gate-1", `{"fields":{"passed":1}}`)
	harness.Await(t, time.Minute, "the books", func() bool {
		return strings.Contains(string(c.Body("/books/city.json")), "no_policy")
	})
	c.NamesNoHome("without a policy")
	if strings.Contains(string(c.Body("/api/v1/sensors")), "gate-1") {
		t.Error("a sensor is listed before there is a policy")
	}
}

// TestDoctorNamesStrangers: the operator is told which entries are of unknown kind.
func TestDoctorNamesStrangers(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.HomesTown())
	p := harness.Start(t, harness.Sluice, "doctor", "-c", filepath.Join(c.Dir, "gateway.yaml"), "--json")
	<-p.Done
	p.Done <- nil
	if text := p.Out.String(); !strings.Contains(text, "meter-zq4") || strings.Contains(text, "meter-zq3") ||
		!strings.Contains(text, "mend kind in the register") {
		t.Errorf("doctor says %s", text)
	}
}
