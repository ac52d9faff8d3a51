package format

import (
	"strings"
	"testing"
	"time"

	"sluice/register/preset"
)

// TestUnitsOfSenML: a number is in the unit that its record says, or the pack; one that cannot become the kind's
// refuses the reading. Where a profile says what the device sends, it is that.
func TestUnitsOfSenML(t *testing.T) {
	s := NewShape([]string{"n", "f", "s"}, []string{"int", "float", "float"}, nil, nil)
	s.Measure([]string{"hPa", "Cel", ""})
	for payload, want := range map[string]string{
		`[{"n":"n","v":101300,"u":"Pa"}]`:                                   "10:00:00? n=1013",
		`[{"n":"n","v":1013,"u":"hPa"},{"n":"f","v":300.15,"u":"K"}]`:       "10:00:00? n=1013 f=27",
		`[{"bu":"K","n":"f","v":273.15},{"n":"n","v":1013,"u":"hPa"}]`:      "10:00:00? n=1013 f=0",
		`[{"bu":"K","n":"f","v":300.15},{"n":"f","v":27,"u":"Cel","t":-1}]`: "10:00:00? f=27; 09:59:59? f=27",
		`[{"n":"f","v":27}]`:                                                 "10:00:00? f=27",
		`[{"n":"f","v":27,"u":""}]`:                                          "10:00:00? f=27",
		`[{"n":"s","v":27,"u":"anything"}]`:                                  "10:00:00? s=27",
		`[{"n":"f","v":27,"u":"hPa"}]`:                                       "E202/1",
		`[{"n":"f","v":27,"u":"widgets"},{"n":"f","v":27,"t":-1,"u":"Cel"}]`: "E202/1; 09:59:59? f=27",
		`[{"n":"f","v":27,"u":7}]`:                                           "E106/-1",
		`[{"bu":7,"n":"f","v":27}]`:                                          "E106/-1",
		`[{"n":"f","v":27,"u":"K","u":"Cel"}]`:                               "E104/-1",
	} {
		if got := decode(payload, s); got != want {
			t.Errorf("%s gives %s; want %s", payload, got, want)
		}
	}
	loud := NewShape([]string{"n", "f"}, []string{"float", "float"}, nil, nil)
	loud.Measure([]string{"dB(A)", "%"})
	if got := decode(`[{"n":"n","v":61.5,"u":"dB"},{"n":"f","v":0.6,"u":"/"}]`, loud); got != "10:00:00? n=61.5 f=60" {
		t.Error(got)
	}
	p := preset.Builtin().Presets.Of("senml-json")
	profile, err := preset.ParseProfile("p.yaml", []byte("profile: p\nfields:\n  n: {pointer: /p, unit: kPa}\n"+
		"  f: {pointer: /t, scale: 0.1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	e := NewEnvelope(p, time.UTC)
	s.Wrap(e, profile, nil, []string{"hPa", "Cel", ""})
	got, d := &notes{shape: s}, NewDecoder()
	d.BeginWrapped([]byte(`[{"n":"p","v":101.3,"u":"Pa"},{"n":"t","v":3001.5,"u":"K"}]`), Wrapped{Envelope: e, Shape: s},
		received, got)
	for d.Next(1) {
	}
	if text := strings.Join(got.out, "; "); text != "10:00:00? n=1013 f=27" {
		t.Error(text)
	}
}
