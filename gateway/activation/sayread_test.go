package activation

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"sluice/gateway/config"
	"sluice/register"
)

// sensors is a register of some sensors, in zones that begin with their ids.
func sensors(ids ...string) *register.Register {
	reg := &register.Register{}
	for _, id := range ids {
		reg.Sensors = append(reg.Sensors, register.Sensor{ID: id, Zone: id[:1]})
	}
	return reg
}

// TestSayRead: the log has who has come and gone, and warns where most are gone.
func TestSayRead(t *testing.T) {
	for want, x := range map[string]struct{ before, now *register.Register }{
		"level=INFO sensors=2 new=2 gone=0":                            {nil, sensors("a", "b")},
		"level=INFO sensors=3 new=2 gone=1":                            {sensors("a", "b"), sensors("b", "c", "d")},
		"level=WARN before=3 gone=2 level=INFO sensors=1 new=0 gone=2": {sensors("a", "b", "c"), sensors("b")},
		"empty level=WARN before=1 level=INFO sensors=0 new=0 gone=1":  {sensors("a"), sensors()},
		"level=INFO sensors=0 new=0 gone=0":                            {sensors(), sensors()},
		"level=WARN before=2 gone=2 level=INFO sensors=2 new=2 gone=2": {sensors("a", "b"), sensors("c", "d")},
		"level=INFO sensors=1 new=0 gone=1":                            {sensors("a", "b"), sensors("b")},
	} {
		var log bytes.Buffer
		p := New(new(config.Config), nil, nil, nil, func() {}, slog.New(slog.NewTextHandler(&log, nil)))
		p.sayRead(x.before, x.now)
		rest := strings.ReplaceAll(log.String(), "sensors_before", "before")
		for _, word := range strings.Fields(want) {
			if at := strings.Index(rest, word); at < 0 {
				t.Errorf("no %q of %q in\n%s", word, want, &log)
			}
		}
		if strings.Contains(rest, "WARN") != strings.Contains(want, "WARN") {
			t.Errorf("want %q; the log says\n%s", want, &log)
		}
	}
}

// TestAstray: who stands in no zone of the policy is told of.
func TestAstray(t *testing.T) {
	zones, err := register.ParseZones("z", []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a",`+
		`"properties":{"name":"A"},"geometry":{"type":"Polygon","coordinates":[[[2,41],[2.01,41],[2.01,41.01],[2,41]]]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	reg := sensors("a1", "a2", "b1")
	reg.Sensors = append(reg.Sensors, register.Sensor{ID: "by-coordinates"})
	if n := astray(reg, zones); n != 1 {
		t.Errorf("%d sensors are astray; want 1", n)
	}
}
