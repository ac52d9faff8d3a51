package policy

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestMotionsForOtherGateways: a gateway that a motion is not for keeps its policy,
// follows the chain, also over a restart and with a roster that was voted elsewhere,
// and takes what comes for it next.
func TestMotionsForOtherGateways(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	a.Enact("founding", inbox, harness.Members[:4]...)
	c.Run()
	harness.Await(t, 20*time.Second, "the first policy", func() bool { return c.Version() == 1 })

	// The second motion is for another gateway, and gives carla's seat away.
	roster := harness.Read(t, a.Path("council.yaml"))
	a.Must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hugo", "-f", a.Path("keys", "hugo"))
	carla := strings.TrimSpace(harness.Read(t, a.Path("keys", "carla.pub")))
	harness.Write(t, a.Path("council.yaml"),
		strings.NewReplacer("id: carla, name: Carla", "id: hugo, name: Hugo", carla,
			strings.TrimSpace(harness.Read(t, a.Path("keys", "hugo.pub")))).Replace(roster))
	a.Must(harness.Sluice, "motion", "create", "elsewhere", "--gateways", "edge-9")
	a.Sign("elsewhere", harness.Members[:6]...)
	a.Must(harness.Sluice, "motion", "enact", "elsewhere", "--inbox", inbox)
	harness.Await(t, 20*time.Second, "the gateway to follow", func() bool {
		return strings.Contains(c.Gateway.Err.String(), "a motion is in force at other gateways")
	})
	if v := c.Version(); v != 1 {
		t.Errorf("version %v is in force; want 1", v)
	}
	c.Gateway.Kill()
	c.Run()
	harness.Await(t, 20*time.Second, "the first policy, after a restart", func() bool { return c.Version() == 1 })

	// The third is for all, and hugo's vote counts.
	file := a.Path("decisions", "devices.yaml")
	harness.Write(t, file, strings.Replace(harness.Read(t, file), "min_units: 5", "min_units: 6", 1))
	a.Must(harness.Sluice, "motion", "create", "all", "--gateways", "all")
	a.Sign("all", "anna", "bru", "hugo", "dani", "emma")
	a.Must(harness.Sluice, "motion", "enact", "all", "--inbox", inbox)
	harness.Await(t, 20*time.Second, "the third policy", func() bool { return c.Version() == 3 })
	if strings.Contains(c.Gateway.Err.String(), "a motion is refused") {
		t.Errorf("something was refused:\n%s", harness.Tail(c.Gateway.Err.String()))
	}
	harness.Await(t, 20*time.Second, "the third policy to be laid out", func() bool {
		return strings.TrimSpace(harness.Read(t, filepath.Join(c.Dir, "state", "policy", "current"))) == "3"
	})
}
