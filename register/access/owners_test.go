package access

import (
	"strings"
	"testing"

	"sluice/register"
)

// TestOwnersMayWrite: an owner writes what the presets of its sensors have, and reads the commands for its
// edge nodes where it has some; the gateway reads the former and writes the latter.
func TestOwnersMayWrite(t *testing.T) {
	reg, err := register.Parse("register.yaml", []byte(`sensors:
  - {id: a, owner: lora, kind: k, zone: z, registered: 2026-01-01, preset: ttn-v3, device: app/a}
  - {id: b, owner: plant, kind: k, zone: z, registered: 2026-01-01, preset: sparkplug-b, device: g/n/b}
  - {id: c, owner: own, kind: k, zone: z, registered: 2026-01-01, preset: esphome, topic: "c/{field}"}
`))
	if err != nil {
		t.Fatal(err)
	}
	mosquitto, emqx := make(map[string]string), make(map[string]string)
	for _, block := range strings.Split(string(ACL(reg, "gateway")), "\nuser ")[1:] {
		user, rest, _ := strings.Cut(block, "\n")
		mosquitto[user] = rest
	}
	for _, line := range strings.Split(string(ACLForEMQX(reg, "gateway")), "\n") {
		if _, rest, named := strings.Cut(line, `{username, "`); named {
			user, rest, _ := strings.Cut(rest, `"`)
			emqx[user] += rest + "\n"
		}
	}
	for _, c := range []struct {
		user, topic string
		may         bool
	}{
		{"lora", "v3/+/devices/+/up", true}, {"lora", "spBv1.0", false},
		{"plant", "spBv1.0/+/DDATA/+/+", true}, {"plant", "spBv1.0/+/NCMD/+", true}, {"plant", "v3/", false},
		{"lora", "city/v1/lora/+/feedback", true}, {"lora", "city/v1/plant/", false}, {"c", "/+/feedback", false},
		{"c", "c/+", true}, {"c", "spBv1.0", false},
	} {
		for broker, list := range map[string]map[string]string{"mosquitto": mosquitto, "emqx": emqx} {
			if got := strings.Contains(list[c.user], c.topic); got != c.may {
				t.Errorf("%s: %s may %s: %v\n%s", broker, c.user, c.topic, got, list[c.user])
			}
		}
	}
}
