package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/opendata/i18n"
)

// TestSystems: what a sensor speaks is said by its name; every preset that comes with the program has one.
func TestSystems(t *testing.T) {
	for _, x := range [][3]string{
		{"en", "chirpstack-v4", "ChirpStack v4 through LoRaWAN"},
		{"ca", "ttn-v3", "The Things Stack v3 per LoRaWAN"},
		{"es", "zigbee2mqtt", "Zigbee2MQTT por Zigbee"},
		{"ca", "sparkplug-b", "Eclipse Sparkplug B"},
		{"en", "our-own", "our-own"},
	} {
		if got := system(i18n.In(x[0]), x[1]); got != x[2] {
			t.Errorf("%s in %s is %q; want %q", x[1], x[0], got, x[2])
		}
	}
	shipped := 0
	err := fs.WalkDir(os.DirFS("../../register/preset"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && path != "." {
			return fs.SkipDir
		}
		if id, ok := strings.CutSuffix(filepath.Base(path), ".yaml"); ok {
			if shipped++; systems[id] == "" {
				t.Errorf("the preset %s has no name here", id)
			}
		}
		return nil
	})
	if err != nil || shipped != len(systems) {
		t.Errorf("%d presets are shipped, %d have names here (%v)", shipped, len(systems), err)
	}
}
