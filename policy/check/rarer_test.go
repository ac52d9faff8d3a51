package check_test

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"sluice/configs/portalba"
	"sluice/policy/explain"
)

// TestRarerMistakes are those that no single edit of the example makes as it stands.
func TestRarerMistakes(t *testing.T) {
	var values []string
	for n := range 2000 {
		values = append(values, fmt.Sprint("v", n))
	}
	protect := string(portalba.Policy()[footfall])
	_, protect, _ = strings.Cut(protect, "\nprotect:")
	protect, _, _ = strings.Cut(protect, "\nforget_after:")
	public, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public())
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	for _, m := range []struct{ rule, file, old, new string }{
		{"S00", "zones.geojson", "", ""},
		{"D12", footfall, "\nprotect:" + protect, ""},
		{"D15", footfall, "by: [zone]", "by: [zone, {field: rssi, values: [" + strings.Join(values, ", ") + "]}]"},
		{"D99", "charter.yaml", "timezone: Europe/Madrid", "timezone: Mars/Olympus"},
		{"K01", "charter.yaml", "enact: 4", "enact: 4"}, // with one member
		{"K04", "council.yaml", key, key[:40]},
		{"K04", "council.yaml", "]}\n", "]}\n  - {id: bru, name: Bru, keys: [" + key + "]}\n"},
		{"D10", "council.yaml", "]}\n", "]}\n  - {id: anna, name: Bru, keys: [" + key + "]}\n"},
	} {
		files := portalba.Policy()
		if m.rule[0] == 'K' || m.file == "council.yaml" {
			files["council.yaml"] = []byte("members:\n  - {id: anna, name: Anna, keys: [" + key + "]}\n")
		}
		if !strings.Contains(string(files[m.file]), m.old) {
			t.Fatalf("%s does not hold %q", m.file, m.old)
		}
		files[m.file] = []byte(strings.Replace(string(files[m.file]), m.old, m.new, 1))
		if m.old == "" {
			delete(files, m.file)
		}
		found, _ := run(files)
		hit := false
		for _, f := range found {
			if f.Rule != m.rule || f.File != m.file {
				continue
			}
			hit = true
			for l := range explain.Languages {
				if what, mend := f.Text(explain.Lang(l)); what == "" || strings.Contains(what+mend, "%!") {
					t.Errorf("%s in %s: %q, %q", f.Rule, explain.Languages[l], what, mend)
				}
			}
		}
		if !hit {
			t.Errorf("%s is not found in %s: %+v", m.rule, m.file, found)
		}
	}
}
