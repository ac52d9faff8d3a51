package sensors

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestSensorsDocument does what docs/sensors.md says: its entries make a register without a mistake, and the preset of
// one's own, put beside the register of a gateway that runs, is there with the next change of the register.
func TestSensorsDocument(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Tick(harness.Ten.Add(10 * time.Minute))
	entries, own, try := "", map[string]string{}, ""
	for _, b := range fenced.All(t, "docs/sensors.md") {
		switch text := b.Read(); {
		case b.Lang == "yaml" && strings.HasPrefix(text, "- {id: "):
			entries += text
		case b.Lang == "yaml":
			first, _, _ := strings.Cut(text, "\n")
			_, name, _ := strings.Cut(first, ": ")
			own[name+".yaml"] = text
		case strings.HasPrefix(text, "mosquitto_pub"):
			try = text
		case strings.HasPrefix(text, "sluice sensor check"):
			harness.Want(t, b.Run("../..", []string{filepath.Dir(harness.Sluice)}), `(?m)^1 message, .* would count`)
		default:
			t.Errorf("%s is run by nobody", b)
		}
	}
	town := filepath.Join(t.TempDir(), "register.yaml")
	harness.Write(t, town, "sensors:\n"+entries)
	for name, text := range own {
		harness.Write(t, filepath.Join(filepath.Dir(town), "presets", name), text)
		harness.Write(t, filepath.Join(c.Dir, "presets", name), text)
	}
	if code, out := harness.Verb(t, "register", "check", town); code != 0 {
		t.Errorf("the document's register ends with %d: %s", code, out)
	}

	_, last, _ := strings.Cut(entries, "- {id: counter-1")
	last, _, _ = strings.Cut(last, "- {id: ")
	harness.AppendTo(t, filepath.Join(c.Dir, "register.yaml"), "  - {id: counter-1"+last)
	shell := strings.ReplaceAll(try, "-h 127.0.0.1 -p 1883", "-h 127.0.0.1 -p "+strings.Split(c.Mqtt, ":")[1])
	harness.Await(t, harness.Patience, "the new preset's readings to count", func() bool {
		before := codesNow(c)["E001"]
		got := outcome(c, 1, func() { harness.Run(t, "sh", "-c", shell) })
		return strings.TrimSpace(got) != "E001" && codesNow(c)["E001"] == before
	})
}
