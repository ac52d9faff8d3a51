package sparkplug

import (
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device/dialect"
	"sluice/firmware-sim/street"
)

// TestOther talks with an edge node that others have written: data that nobody understands, the
// command that asks for births, the births, and data that are understood.
func TestOther(t *testing.T) {
	sensors := []street.Sensor{{ID: "n1", Owner: "acme", Zone: "rambla", Kind: street.Noise, As: "sparkplug-b"},
		{ID: "a1", Owner: "acme", Zone: "rambla", Kind: street.Air, As: "sparkplug-b"}}
	dialect.Identify(sensors, 1)
	speakers, _, err := dialect.Speakers(sensors, 1, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	edge, e, now := speakers[0], New(), time.UnixMilli(1486144502122)
	edge.Start(now) // which nobody hears
	say := func(at time.Time) string {
		var out []string
		for _, m := range edge.Say(0, []dialect.Reading{{Time: at, Fields: map[string]any{"laeq": 61.25}}}) {
			out = append(out, take(t, e, m.Topic, m.Payload, at.UnixNano()))
		}
		return strings.Join(out, "\n")
	}
	got := say(now)
	if strings.Contains(got, "61.25") || !strings.HasSuffix(got, " rebirth") {
		t.Fatal("without a birth:", got)
	}
	node, _ := ParseTopic(edge.Say(0, []dialect.Reading{{Time: now}})[0].Topic)
	topic, command := Rebirth(node, now.UnixMilli())
	commanded := edge.(dialect.Commanded)
	if topic != commanded.Commands() {
		t.Errorf("%s is not %s", topic, commanded.Commands())
	}
	births := commanded.Command(command, now)
	if len(births) != 3 {
		t.Fatalf("%d births", len(births))
	}
	for _, m := range births {
		if got := take(t, e, m.Topic, m.Payload, now.UnixNano()); strings.HasSuffix(got, "?") {
			t.Error(got)
		}
	}
	want := `{"timestamp":1486144503122,"seq":3,"readings":[{"timestamp":1486144503122,"metrics":{"laeq":61.25}}]}`
	if got := say(now.Add(time.Second)); got != want {
		t.Errorf("after the births %s\nwant %s", got, want)
	}
	last := edge.(dialect.Willed).Session()
	if got := take(t, e, last.Topic, last.Payload, now.UnixNano()); got != "" {
		t.Error(got)
	}
}
