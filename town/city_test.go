package town

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/firmware-sim/street"
)

// TestSensorsSpeakTheRegister: the simulator's example city is the register's, and a register that says
// otherwise is obeyed.
func TestSensorsSpeakTheRegister(t *testing.T) {
	o := &Options{Dir: t.TempDir()}
	path := filepath.Join(o.Dir, "register.yaml")
	write := func(text string) []street.Sensor {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		list, err := o.sensors()
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	text := string(portalba.Register)
	if got := write(text); !reflect.DeepEqual(got, street.Portalba()) {
		t.Errorf("the register says %+v; the simulator %+v", got, street.Portalba())
	}
	without := strings.Replace(text, `preset: senml-json, device: "02005efffe0015e5", `, "", 1)
	for _, s := range write(without) {
		if s.ID == "noise-port" && (s.As != "" || s.Device != "") {
			t.Errorf("%s speaks %s, which its register does not say", s.ID, s.As)
		}
	}
	if err := os.WriteFile(path, []byte("sensors: {"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := o.sensors(); err == nil {
		t.Error("a register that cannot be read is no error")
	}
}
