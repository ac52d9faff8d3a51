package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/firmware-sim/device"
	"sluice/gateway"
	"sluice/policy/rego"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == gateway.RulesVerb { // the bench's gateway runs this very binary
		if rego.Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestKinds: whatever a kind is about, a device of it can be tried: what is right counts, and what is
// wrong is told, for homes too.
func TestKinds(t *testing.T) {
	t.Parallel()
	file := string(portalba.Policy()["kinds.yaml"]) + `
  home-meter:
    units: [{sensor: true, stands_for: home}]
    fields: [{name: kwh, type: float, unit: kWh, class: measurement, valid: [0, 1e6]}]
  tracker:
    heartbeat: PT90S
    fields: [{name: lat, type: float, class: location}, {name: "a:b@1.2", type: string, class: quasi-identifier},
             {name: plate, type: string, class: identifier, format: plate}, {name: secret, type: string, class: credential}]
`
	for kind, fields := range map[string]string{
		"wifi-counter": `{"device":"02:00:5e:00:00:01","rssi":-60}`, "card-reader": `{"card":"x","fare":"y"}`,
		"noise-meter": `{"laeq":60.5}`, "air-station": `{"pm10":3}`, "home-meter": `{"kwh":1.5}`, "tracker": `{"lat":1}`,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b, err := Open(t.Context(), Sensor{ID: "ear-1", Owner: "acme", Kind: kind}, "kinds.yaml", []byte(file),
				time.Now())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(b.dir); err == nil {
					t.Errorf("%s is still there", filepath.Base(b.dir))
				}
			}()
			link, err := device.ConnectAs("tcp://"+b.MQTT(), "ear", "ear-1", b.Password)
			if err != nil {
				t.Fatal(err)
			}
			defer link.Close()
			now := time.Now().UTC().Format(time.RFC3339)
			link.Publish(b.Sensor.UpTopic(), fmt.Appendf(nil, `{"ts":%q,"seq":1,"fields":%s}`, now, fields), false)
			link.Publish(b.Sensor.UpTopic(), fmt.Appendf(nil, `{"ts":%q,"seq":2,"fields":{"CANARY":"CANARY"},"CANARY":1}`,
				now), false)
			if err := link.Flush(); err != nil {
				t.Fatal(err)
			}
			var notes string
			for begun := time.Now(); !strings.Contains(notes, "E103") || b.Account().Accepted == 0; {
				if time.Since(begun) > 30*time.Second {
					t.Fatalf("%+v, %s", b.Account(), notes)
				}
				time.Sleep(50 * time.Millisecond)
				notes = fmt.Sprint(b.Notes())
			}
			if strings.Contains(notes, "CANARY") {
				t.Errorf("%s", notes)
			}
		})
	}
}

// TestRefusals: what cannot be tried is said before anything listens.
func TestRefusals(t *testing.T) {
	const file = "kinds:\n  ear: {fields: [{name: a, type: int, class: measurement}]}\n"
	for want, c := range map[string]struct {
		sensor Sensor
		file   string
	}{
		`has no kind "eye"; it has ear`: {Sensor{ID: "a", Owner: "b", Kind: "eye"}, file},
		"k.yaml:":                       {Sensor{ID: "a", Owner: "b", Kind: "ear"}, "kinds:\n  ear: {feelds: []}\n"},
		"have names":                    {Sensor{ID: "a/b", Owner: "b", Kind: "ear"}, file},
	} {
		if _, err := Open(t.Context(), c.sensor, "k.yaml", []byte(c.file), time.Now()); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestNotesAreBounded: whatever is told, no more places are remembered than there are.
func TestNotesAreBounded(t *testing.T) {
	b := &Bench{notes: make(map[place]Note)}
	for n := range maxNotes + 10 {
		b.hear(fmt.Appendf(nil, `{"codes":[{"code":"E103","pointer":"/%d","count":10}]}`, n))
	}
	b.hear([]byte(`{"codes":[{"code":"E103","pointer":"/0","count":10}]}`))
	b.hear([]byte(`no JSON`))
	if list := b.Notes(); len(list) != maxNotes || list[0].Count != 20 {
		t.Errorf("%d notes, the first of %d", len(list), list[0].Count)
	}
}
