package sensors

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// owned has counters of three owners on one square, and a bound that two of them divide.
func owned(parts string) map[string]string {
	files := harness.Small()
	files["policy/decisions/devices.yaml"] = strings.Replace(files["policy/decisions/devices.yaml"],
		"max_contributions: 1}", parts+"}", 1)
	files["register.yaml"] += `  - {id: tram-1, owner: tram, kind: wifi-counter, zone: square, registered: 2026-01-01}
  - {id: other-1, owner: other, kind: wifi-counter, zone: square, registered: 2026-01-01}
`
	return files
}

// pass lets devices from one to another pass a counter at an hour.
func pass(c *harness.City, owner, sensor string, at time.Time, from, to int) {
	c.T.Helper()
	var list []string
	for n := from; n < to; n++ {
		list = append(list,
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:10:00:%02x","rssi":-50}}`,
				at.Format(time.RFC3339), n, n))
	}
	c.Link.Publish("city/v1/"+owner+"/"+sensor+"/up", []byte("["+strings.Join(list, ",")+"]"), false)
	if err := c.Link.Flush(); err != nil {
		c.T.Fatal(err)
	}
}

// TestForgedByAnOwner: one owner floods forty identifiers before their devices pass at
// another owner's counter. Where each has a part of the bound for itself, they count
// there as if nobody had forged them, also over a crash; where all share it, they do not.
// An owner without a part counts nowhere, and is told that no decision covers it.
func TestForgedByAnOwner(t *testing.T) {
	t.Parallel()
	for parts, want := range map[string]int{
		"max_contributions: 1": 0, "max_contributions: 2, by_owner: {acme: 1, tram: 1}": 30,
	} {
		t.Run(parts, func(t *testing.T) {
			t.Parallel()
			c := harness.Found(t, owned(parts))
			c.Begin()
			pass(c, "acme", "wifi-1", harness.Ten.Add(time.Minute), 0, 40) // the forger's
			pass(c, "tram", "tram-1", harness.Ten.Add(time.Minute), 0, 10) // which spend what tram has of them
			pass(c, "other", "other-1", harness.Ten.Add(time.Minute), 100, 150)
			c.Tick(harness.Ten.Add(time.Hour + 3*time.Minute))
			c.Gateway.Kill()
			c.Run()
			pass(c, "acme", "wifi-1", harness.Ten.Add(time.Hour+time.Minute), 0, 40)
			pass(c, "tram", "tram-1", harness.Ten.Add(time.Hour+2*time.Minute), 0, 40)
			c.Tick(harness.Ten.Add(2*time.Hour + 3*time.Minute))
			c.Stored()
			refused := c.Metric(`sluice_readings_total{code="E401",state="refused"}`)
			if want == 0 {
				for _, i := range c.Some("devices", harness.Ten.Add(time.Hour), harness.Ten.Add(2*time.Hour)) {
					if i.Value != nil {
						t.Errorf("where all share the bound, %v devices count after they were forged", *i.Value)
					}
				}
				if refused != 0 {
					t.Errorf("%v readings are refused; all owners count", refused)
				}
				return
			}
			first := c.FirstHour("devices", "devices")
			second := harness.Value(t, c.Items("devices", harness.Ten.Add(time.Hour), harness.Ten.Add(2*time.Hour)),
				harness.Ten.Add(time.Hour),
				"devices")
			if first < 37 || first > 43 || second < float64(want-3) || second > float64(want+3) {
				t.Errorf("%v and %v devices count; want 40, of whom two tell, and %d, give or take noise of scale 0.1",
					first, second, want)
			}
			if refused != 50 {
				t.Errorf("%v readings of an owner without a part are refused with E401; want 50", refused)
			}
			if code, out := harness.Verb(t, "verify", c.Opendata); code != 0 {
				t.Errorf("verify: %d\n%s", code, out)
			}
			if code, out := harness.ExitOf(t, "register", "check", filepath.Join(c.Dir, "register.yaml"), "--policy",
				filepath.Join(c.Dir, "policy")); code != 0 || !strings.Contains(out, "note: by_owner of decision") {
				t.Errorf("register check: %d\n%s", code, out)
			}
		})
	}
}

// TestUnknownOwner: an owner of by_owner whom the register does not know is said, with the
// decision's file and line.
func TestUnknownOwner(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, owned("max_contributions: 2, by_owner: {acme: 1, tarm: 1}"))
	code, out := harness.ExitOf(t, "register", "check", filepath.Join(c.Dir, "register.yaml"), "--policy",
		filepath.Join(c.Dir, "policy"))
	if code != 1 || !strings.Contains(out, `devices.yaml, line 15: by_owner of decision "2" names "tarm"`) {
		t.Errorf("exit %d: %s", code, out)
	}
}
