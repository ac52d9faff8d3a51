package ingest

import (
	"encoding/json"
	"testing"
)

// TestFeedbackNamesTheFirst: feedback names the seq of the first reading that something
// was wrong with, of that sensor's own, and says what the likeliest mistake is.
func TestFeedbackNamesTheFirst(t *testing.T) {
	i := still(t, footfall(t, 2))
	say := func(payload string) { i.decoder.Decode([]byte(payload), i.at.shape, 0, sink{i}) }
	say(`{"fields":{"device":7}}`)
	say(`{"seq":"0","fields":{"device":7}}`)
	say(`{"seq":41,"fields":{"device":7}}`)
	say(`{"seq":42,"fields":{"device":7}}`)
	say(`{"seq":43,"device":"x"}`)
	say(`{"fields":{"device":7},"more":1,"seq":44}`)
	say(`{"seq":44,`)
	l := letter{fields: i.at.fields, kind: "k", faults: i.feedback[i.at]}
	raw, err := l.body()
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Codes []struct {
			Code, Pointer, Rule, Fix string
			Seq                      *uint64
		}
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{"E100 /*": 0, "E101 /*": 0, "E101 /fields/device": 41, "E102 /*": 43, "E103 /*": 44}
	if len(body.Codes) != len(want) {
		t.Errorf("feedback is %s", raw)
	}
	for _, c := range body.Codes {
		if n := want[c.Code+" "+c.Pointer]; n == 0 && c.Seq != nil || n > 0 && (c.Seq == nil || *c.Seq != n) {
			t.Errorf("%s names seq %v; want %d", c.Code, c.Seq, n)
		}
		if c.Code == "E102" && (c.Rule != "wire format" || c.Fix != `put what is measured under fields: {"fields": {"NAME": VALUE}}`) {
			t.Errorf("who leaves fields out is told %q, %q", c.Rule, c.Fix)
		}
	}
}
