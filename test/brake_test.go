package test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheBrakeWorksWhileAMotionWaits: a suspension follows what is in force, and not
// what was voted and waits for its notice; the clerk and the log say what is void.
func TestTheBrakeWorksWhileAMotionWaits(t *testing.T) {
	t.Parallel()
	c, a, inbox := voted(t, 0)
	a.enact("founding", inbox, members[:4]...)
	charter := a.path("charter.yaml")
	write(t, charter, strings.Replace(read(t, charter), "notice_days: 0", "notice_days: 20", 1))
	a.enact("notice", inbox, members[:5]...)
	file := a.path("decisions", "devices.yaml")
	write(t, file, strings.Replace(read(t, file), "min_units: 5", "min_units: 4", 1))
	a.enact("looser", inbox, members[:5]...)
	c.run()
	await(t, 30*time.Second, "the motion to wait", func() bool {
		return c.version() == 2 && strings.Contains(c.gateway.err.String(), "waits for its time")
	})
	if out := a.must(sluice, "motion", "show"); !strings.Contains(out, "Version 3, motion looser, is in force from") ||
		!strings.Contains(out, "Version 2, motion notice, is in force since") {
		t.Errorf("motion show says\n%s", out)
	}
	if out := a.must(sluice, "motion", "create", "beside"); !strings.Contains(out, "It follows motion looser") {
		t.Errorf("motion create says\n%s", out)
	}
	// What makes something stronger needs no notice, but what it follows waits for twenty days.
	looser := read(t, file)
	write(t, file, strings.Replace(looser, "min_units: 4", "min_units: 6", 1))
	said := a.must(sluice, "motion", "create", "tighter")
	write(t, file, looser)
	if _, rest, ok := strings.Cut(said, "It takes effect on "); !ok {
		t.Errorf("motion create says\n%s", said)
	} else if at, err := time.Parse("2 January 2006", strings.Split(rest, ",")[0]); err != nil ||
		at.Before(time.Now().AddDate(0, 0, 19)) {
		t.Errorf("a motion that follows one that waits for twenty days takes effect at %v, %v", at, err)
	}
	out := a.must(sluice, "motion", "suspend", "1", "--reason", "a fault")
	if !strings.Contains(out, "WARNING: motion looser was voted and waits") || !strings.Contains(out, "version 3") {
		t.Errorf("motion suspend says\n%s", out)
	}
	a.sign("suspend-1-v3", members[:2]...)
	a.must(sluice, "motion", "enact", "suspend-1-v3", "--inbox", inbox)
	await(t, 30*time.Second, "the suspension", func() bool { return c.version() == 3 })
	if log := c.gateway.err.String(); !strings.Contains(log, "is void") || !strings.Contains(log, "motion=looser") {
		t.Errorf("the log does not say what is void:\n%s", tail(log))
	}
	// What was voted in vain can be voted anew, and the directory of motions still adds up.
	a.enact("looser-again", inbox, members[:5]...)
	if out := a.must(sluice, "motion", "show"); !strings.Contains(out, "Version 4, motion looser-again, is in force from") || !strings.Contains(out, "suspended") {
		t.Errorf("motion show says\n%s", out)
	}
	c.gateway.kill()
	c.run()
	await(t, 30*time.Second, "the suspension, after a restart", func() bool { return c.version() == 3 })
	if got := read(t, filepath.Join(c.dir, "state", "policy", "current")); strings.TrimSpace(got) != "3" {
		t.Errorf("version %s is laid out", got)
	}
}
