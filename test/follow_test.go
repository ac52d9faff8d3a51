package test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMotionsForOtherGateways: a gateway that a motion is not for keeps its policy,
// follows the chain, also over a restart and with a roster that was voted elsewhere,
// and takes what comes for it next.
func TestMotionsForOtherGateways(t *testing.T) {
	t.Parallel()
	c, a, inbox := voted(t, 0)
	a.enact("founding", inbox, members[:4]...)
	c.run()
	await(t, 20*time.Second, "the first policy", func() bool { return c.version() == 1 })

	// The second motion is for another gateway, and gives carla's seat away.
	roster := read(t, a.path("council.yaml"))
	a.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hugo", "-f", a.path("keys", "hugo"))
	carla := strings.TrimSpace(read(t, a.path("keys", "carla.pub")))
	write(t, a.path("council.yaml"),
		strings.NewReplacer("id: carla, name: Carla", "id: hugo, name: Hugo", carla,
			strings.TrimSpace(read(t, a.path("keys", "hugo.pub")))).Replace(roster))
	a.must(sluice, "motion", "create", "elsewhere", "--gateways", "edge-9")
	a.sign("elsewhere", members[:6]...)
	a.must(sluice, "motion", "enact", "elsewhere", "--inbox", inbox)
	await(t, 20*time.Second, "the gateway to follow", func() bool {
		return strings.Contains(c.gateway.err.String(), "a motion is in force at other gateways")
	})
	if v := c.version(); v != 1 {
		t.Errorf("version %v is in force; want 1", v)
	}
	c.gateway.kill()
	c.run()
	await(t, 20*time.Second, "the first policy, after a restart", func() bool { return c.version() == 1 })

	// The third is for all, and hugo's vote counts.
	file := a.path("decisions", "devices.yaml")
	write(t, file, strings.Replace(read(t, file), "min_units: 5", "min_units: 6", 1))
	a.must(sluice, "motion", "create", "all", "--gateways", "all")
	a.sign("all", "anna", "bru", "hugo", "dani", "emma")
	a.must(sluice, "motion", "enact", "all", "--inbox", inbox)
	await(t, 20*time.Second, "the third policy", func() bool { return c.version() == 3 })
	if strings.Contains(c.gateway.err.String(), "a motion is refused") {
		t.Errorf("something was refused:\n%s", tail(c.gateway.err.String()))
	}
	await(t, 20*time.Second, "the third policy to be laid out", func() bool {
		return strings.TrimSpace(read(t, filepath.Join(c.dir, "state", "policy", "current"))) == "3"
	})
}
