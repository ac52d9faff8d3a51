package policy

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestTheBrakeWorksWhileAMotionWaits: a suspension follows what is in force, and not
// what was voted and waits for its notice; the clerk and the log say what is void.
func TestTheBrakeWorksWhileAMotionWaits(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	a.Enact("founding", inbox, harness.Members[:4]...)
	charter := a.Path("charter.yaml")
	harness.Write(t, charter, strings.Replace(harness.Read(t, charter), "notice_days: 0", "notice_days: 20", 1))
	a.Enact("notice", inbox, harness.Members[:5]...)
	file := a.Path("decisions", "devices.yaml")
	harness.Write(t, file, strings.Replace(harness.Read(t, file), "min_units: 5", "min_units: 4", 1))
	a.Enact("looser", inbox, harness.Members[:5]...)
	c.Run()
	harness.Await(t, 30*time.Second, "the motion to wait", func() bool {
		return c.Version() == 2 && strings.Contains(c.Gateway.Err.String(), "waits for its time")
	})
	if out := a.Must(harness.Sluice, "motion", "show"); !strings.Contains(out,
		"Version 3, motion looser, is in force from") ||
		!strings.Contains(out, "Version 2, motion notice, is in force since") {
		t.Errorf("motion show says\n%s", out)
	}
	if out := a.Must(harness.Sluice, "motion", "create", "beside"); !strings.Contains(out, "It follows motion looser") {
		t.Errorf("motion create says\n%s", out)
	}
	// What makes something stronger needs no notice, but what it follows waits for twenty days.
	looser := harness.Read(t, file)
	harness.Write(t, file, strings.Replace(looser, "min_units: 4", "min_units: 6", 1))
	said := a.Must(harness.Sluice, "motion", "create", "tighter")
	harness.Write(t, file, looser)
	if _, rest, ok := strings.Cut(said, "It takes effect on "); !ok {
		t.Errorf("motion create says\n%s", said)
	} else if at, err := time.Parse("2 January 2006", strings.Split(rest, ",")[0]); err != nil ||
		at.Before(time.Now().AddDate(0, 0, 19)) {
		t.Errorf("a motion that follows one that waits for twenty days takes effect at %v, %v", at, err)
	}
	out := a.Must(harness.Sluice, "motion", "suspend", "1", "--reason", "a fault")
	if !strings.Contains(out, "WARNING: motion looser was voted and waits") || !strings.Contains(out, "version 3") {
		t.Errorf("motion suspend says\n%s", out)
	}
	a.Sign("suspend-1-v3", harness.Members[:2]...)
	a.Must(harness.Sluice, "motion", "enact", "suspend-1-v3", "--inbox", inbox)
	harness.Await(t, 30*time.Second, "the suspension", func() bool { return c.Version() == 3 })
	c.Gateway.Find(`is void.*motion=looser`)
	// What was voted in vain can be voted anew, and the directory of motions still adds up.
	a.Enact("looser-again", inbox, harness.Members[:5]...)
	if out := a.Must(harness.Sluice, "motion", "show"); !strings.Contains(out,
		"Version 4, motion looser-again, is in force from") || !strings.Contains(out, "suspended") {
		t.Errorf("motion show says\n%s", out)
	}
	c.Gateway.Kill()
	c.Run()
	harness.Await(t, 30*time.Second, "the suspension, after a restart", func() bool { return c.Version() == 3 })
	if got := harness.Read(t, filepath.Join(c.Dir, "state", "policy", "current")); strings.TrimSpace(got) != "3" {
		t.Errorf("version %s is laid out", got)
	}
}
