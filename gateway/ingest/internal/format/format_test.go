package format

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
)

var received = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).UnixNano()

// shape has one field of each type.
func shape() *Shape {
	return NewShape([]string{"n", "f", "s", "b", "t"}, []string{"int", "float", "string", "bool", "time"}, nil, nil)
}

// notes writes down what a decoder says. It is a test's right to look.
type notes struct {
	shape *Shape
	out   []string
}

func (n *notes) Reading(r reading.Reading) {
	s := r.Stamp()
	text := time.Unix(0, s.Time).UTC().Format("15:04:05.999999999")
	if !s.Timed {
		text += "?"
	}
	if s.Sequenced {
		text += fmt.Sprintf(" #%d", s.Seq)
	}
	for i, name := range []string{"n", "f", "s", "b", "t"} {
		switch r.Type(i) {
		case reading.Number:
			text += fmt.Sprintf(" %s=%v", name, r.Number(i))
		case reading.Text:
			text += fmt.Sprintf(" %s=%s", name, r.Text(i))
		case reading.Bool:
			text += fmt.Sprintf(" %s=%v", name, r.Bool(i))
		}
	}
	n.out = append(n.out, text)
}

func (n *notes) Refused(f fault.Fault) { n.out = append(n.out, fmt.Sprintf("%s/%d", f.Code, f.Field)) }
func (n *notes) Dropped(f fault.Fault) { n.out = append(n.out, "-"+f.Code.String()) }
func (n *notes) Ignored()              { n.out = append(n.out, "ignored") }

// decode decodes at once, and then in parts of one and of three elements: it must come to
// the same.
func decode(payload string, s *Shape) string {
	n := &notes{shape: s}
	NewDecoder().Decode([]byte(payload), s, received, n)
	whole := strings.Join(n.out, "; ")
	d := NewDecoder()
	for _, each := range []int{1, 3} {
		n.out = nil
		for d.Begin([]byte(payload), s, received, n); d.Next(each); {
		}
		if parts := strings.Join(n.out, "; "); parts != whole {
			return fmt.Sprintf("at once %s, and in parts of %d %s", whole, each, parts)
		}
	}
	return whole
}

func TestNative(t *testing.T) {
	for payload, want := range map[string]string{
		`{"ts":"2026-03-02T10:00:01Z","seq":7,"fields":{"n":1,"f":2.5,"s":"x","b":true,"t":"1970-01-01T00:01:00Z"}}`: "10:00:01 #7 n=1 f=2.5 s=x b=true t=60",
		`{"fields":{"n":1}}`: "10:00:00? n=1",
		`{"ts":"2026-03-02T11:00:01.25+01:00","fields":{"b":false}}`:     "10:00:01.25 b=false",
		`[{"fields":{"n":1}},{"fields":{"n":"1"}},7,{"fields":{"n":3}}]`: "10:00:00? n=1; E101/0; E101/-1; 10:00:00? n=3",
		`{"fields":{"n":1,"other":2},"more":3}`:                          "-E103; -E103; 10:00:00? n=1",
		`{"fields":{"n":null,"f":1}}`:                                    "10:00:00? f=1",
		`{"fields":{"n":1,"n":1}}`:                                       "E104/0",
		`{"fields":{"n":1},"fields":{"f":1}}`:                            "E104/-1",
		`{"fields":{"n":1.5}}`:                                           "E200/0",
		`{"fields":{"n":1e300}}`:                                         "E200/0",
		`{"fields":{"f":nan}}`:                                           "E200/1",
		`{"fields":{"f":1e999}}`:                                         "E200/1",
		`{"fields":{"f":"nan"}}`:                                         "E101/1",
		`{"fields":{"b":1}}`:                                             "E101/3",
		`{"fields":{"t":"noon"}}`:                                        "E300/4",
		`{"fields":{"s":"` + strings.Repeat("x", 257) + `"}}`:            "E201/2",
		`{"fields":[]}`:                                                  "E101/-5",
		`{"seq":-1,"fields":{"n":1}}`:                                    "E101/-3",
		`{"seq":1.5,"fields":{"n":1}}`:                                   "E101/-3",
		`{"boot":{},"fields":{"n":1}}`:                                   "E101/-4",
		`{"ts":1772445600,"fields":{"n":1}}`:                             "E300/-2",
		`{"ts":"2026-02-30T10:00:00Z","fields":{"n":1}}`:                 "E300/-2",
		`{"fields":{}}`:                                                  "E102/-1",
		`{}`:                                                             "E102/-1",
		`{"laeq":71.5}`:                                                  "E102/-1",
		``:                                                               "E100/-1",
		`[]`:                                                             "E100/-1",
		`null`:                                                           "E100/-1",
		`{"fields":{"n":1}} trailing`:                                    "E100/-1",
		"\xff\xfe":                                                       "E100/-1",
		strings.Repeat(`{"a":`, 400):                                     "E100/-1",
	} {
		if got := decode(payload, shape()); got != want {
			t.Errorf("%.80s\n gives %s\n  want %s", payload, got, want)
		}
	}
}

// TestValid: a number that the kind does not call valid refuses its reading, native and in
// SenML, and both ends are valid.
func TestValid(t *testing.T) {
	s := shape()
	s.Limit(0, -3, 5)
	s.Limit(1, 20, 140)
	for payload, want := range map[string]string{
		`{"fields":{"n":5,"f":20}}`:                      "10:00:00? n=5 f=20",
		`{"fields":{"n":-3,"f":140}}`:                    "10:00:00? n=-3 f=140",
		`{"fields":{"n":6,"f":20}}`:                      "E202/0",
		`{"fields":{"f":19.999999999}}`:                  "E202/1",
		`{"fields":{"f":140.00000001}}`:                  "E202/1",
		`{"fields":{"f":1e999}}`:                         "E200/1",
		`{"fields":{"f":nan}}`:                           "E200/1",
		`[{"fields":{"f":-1}},{"fields":{"f":50}}]`:      "E202/1; 10:00:00? f=50",
		`[{"n":"f","v":150,"bv":-20},{"n":"f","v":200}]`: "10:00:00? f=130; E202/1",
		`[{"n":"f","v":1}]`:                              "E202/1",
	} {
		if got := decode(payload, s); got != want {
			t.Errorf("%s\n gives %s\n  want %s", payload, got, want)
		}
	}
}

func TestPointers(t *testing.T) {
	s := NewShape([]string{"n", "f"}, []string{"int", "float"}, nil,
		map[string]string{"n": "/data/0/rssi@1m", "f": "/a~1b"})
	if got := decode(`{"ts":"2026-03-02T10:00:01Z","data":[{"rssi@1m":-5}],"a/b":2,"x":{}}`, s); got != "10:00:01 n=-5 f=2" {
		t.Errorf("got %s", got)
	}
}

// TestOfWhat: what is said before a reading has begun is of none, whatever came before: its
// number would be told to the sensor of another message. And a sensor whose fields are
// mapped is not told to write an object of fields.
func TestOfWhat(t *testing.T) {
	d, n := NewDecoder(), &notes{}
	d.Decode([]byte(`{"seq":7,"fields":{"f":1}}`), shape(), received, n)
	if s := d.Stamp(); !s.Sequenced || s.Seq != 7 {
		t.Fatalf("the stamp is %+v", s)
	}
	for _, payload := range []string{`{"seq":8`, `[7]`, `{}`, `"x"`, strings.Repeat(" ", MaxMessage+1)} {
		d.Decode([]byte(`{"seq":7,"fields":{"f":1}}`), shape(), received, n)
		d.Decode([]byte(payload), shape(), received, n)
		if s := d.Stamp(); s.Sequenced {
			t.Errorf("%.10s is refused as number %d", payload, s.Seq)
		}
	}
	mapped := NewShape([]string{"n"}, []string{"int"}, nil, map[string]string{"n": "/data"})
	for s, want := range map[*Shape]fault.Code{mapped: fault.NotMapped, shape(): fault.NoFields} {
		got := &faults{}
		d.Decode([]byte(`{"odd":1}`), s, received, got)
		if len(got.list) != 1 || got.list[0].Code != want {
			t.Errorf("without a field it is told %v; want %v", got.list, want)
		}
	}
}

// faults are what a decoder refuses.
type faults struct{ list []fault.Fault }

func (f *faults) Reading(reading.Reading) {}
func (f *faults) Refused(x fault.Fault)   { f.list = append(f.list, x) }
func (f *faults) Dropped(fault.Fault)     {}
func (*faults) Ignored()                  {}

func TestSenML(t *testing.T) {
	base := fmt.Sprint(received / 1e9)
	for payload, want := range map[string]string{
		`[{"bn":"urn:dev:mac:02005e000001:","bt":` + base +
			`,"n":"f","v":21.5},{"n":"n","v":60},{"n":"f","v":21.6,"t":60}]`: "10:00:00 n=60 f=21.5; 10:01:00 f=21.6",
		`[{"n":"s","vs":"a"},{"n":"n","v":1},{"n":"s","vs":"b"},{"n":"n","v":2}]`: "10:00:00? n=1 s=a; 10:00:00? n=2 s=b",
		`[{"n":"f","v":1,"t":-10}]`:                   "09:59:50? f=1",
		`[{"bv":20,"n":"f","v":1.5}]`:                 "10:00:00? f=21.5",
		`[{"n":"b","vb":true,"t":` + base + `.5}]`:    "10:00:00.5 b=true",
		`[{"n":"other","v":1},{"n":"f","v":1}]`:       "-E103; 10:00:00? f=1",
		`[{"n":"s","v":1}]`:                           "E101/2",
		`[{"n":"n","v":1.5}]`:                         "E200/0",
		`[{"n":"f","v":1,"vs":"x"}]`:                  "E106/-1",
		`[{"bver":11,"n":"f","v":1}]`:                 "E106/-1",
		`[{"bver":10,"n":"f","v":1}]`:                 "10:00:00? f=1",
		`[{"n":"f","v":1},{"n":"n","v":1,"must_":1}]`: "E106/-1",
		`[{"n":"f","v":"1"}]`:                         "E106/-1",
		`[{"n":"f","v":1,"t":1e12}]`:                  "E300/-1",
		`[{"bn":"x"}]`:                                "E102/-1",
		`[{"n":"f","v":1,"extra":2}]`:                 "10:00:00? f=1",
		// One that cannot be read refuses itself; what is beside it counts.
		`[{"n":"s","vs":"a"},{"n":"n","v":1},{"n":"s","vs":"b","v":2},{"n":"n","v":2},{"n":"s","vs":"c"}]`: "10:00:00? n=1 s=a; E106/-1; 10:00:00? s=c",
		`[{"n":"s","v":"b"},{"n":"s","vs":"c"}]`:                                                           "E106/-1; 10:00:00? s=c",
		`[{"n":"s","x_":1},{"n":"s","vs":"c"}]`:                                                            "E106/-1; 10:00:00? s=c",
		`[{"n":"n","v":1},{"n":"f","v":1,"t":1e12},{"n":"n","v":2}]`:                                       "10:00:00? n=1; E300/-1; 10:00:00? n=2",
		// Where it is not known what belongs together, the pack is.
		`[{"n":"n","v":1},{"n":7,"v":1}]`:           "E106/-1",
		`[{"n":"n","v":1},{"n":"f","v":1,"t":""}]`:  "E106/-1",
		`[{"n":"n","v":1},{"n":"f","v":1,"bt":{}}]`: "E106/-1",
		`[{"n":"n","v":1},7]`:                       "E106/-1",
	} {
		if got := decode(payload, shape()); got != want {
			t.Errorf("%s\n gives %s\n  want %s", payload, got, want)
		}
	}
}

func TestTooMany(t *testing.T) {
	for _, one := range []string{`{"fields":{"n":1}}`, `{"n":"n","v":1}`} {
		got := decode("["+strings.Repeat(one+",", MaxReadings+1)+one+"]", shape())
		if refused, taken := strings.Count(got, "E105"), strings.Count(got, "n=1"); refused != 2 ||
			taken != MaxReadings {
			t.Errorf("of two too many, %d are refused, and %d taken", refused, taken)
		}
	}
	if got := decode(`{"fields":{"s":"`+strings.Repeat("x", MaxMessage)+`"}}`, shape()); got != "E105/-1" {
		t.Errorf("got %.80s", got)
	}
}

// FuzzDecode: no payload panics, and what is handed over keeps to its type.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"ts":"2026-03-02T10:00:01Z","seq":7,"boot":"x","fields":{"n":1,"f":2.5,"s":"x","b":true}}`,
		`[{"bn":"a","bt":1772445600,"n":"f","v":21.5},{"n":"n","v":60,"t":-1}]`, `[{"fields":{"n":nan}},{}]`,
	} {
		f.Add([]byte(s))
	}
	d := NewDecoder()
	s := shape()
	f.Fuzz(func(t *testing.T, payload []byte) {
		d.Decode(payload, s, received, checker{t})
	})
}

type checker struct{ t *testing.T }

func (c checker) Reading(r reading.Reading) {
	want := []reading.Type{reading.Number, reading.Number, reading.Text, reading.Bool, reading.Number}
	for i, w := range want {
		if got := r.Type(i); got != reading.Absent && got != w {
			c.t.Errorf("field %d has type %d", i, got)
		}
		if r.Type(i) == reading.Number && r.Number(i) != r.Number(i) {
			c.t.Error("NaN came through")
		}
	}
	if r.Empty() {
		c.t.Error("an empty reading came through")
	}
}
func (checker) Refused(fault.Fault) {}
func (checker) Ignored()            {}
func (checker) Dropped(fault.Fault) {}

// FuzzTime holds the hand-written parser to time.Parse.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-03-02T10:00:01Z", "2024-02-29T23:59:59.123456789+13:45",
		"1970-01-01T00:00:00-00:01", "2026-03-02T10:00:60Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseTime([]byte(s))
		want, err := time.Parse(time.RFC3339Nano, s)
		if ok && (err != nil || want.UnixNano() != got) {
			t.Errorf("%q is %d; time.Parse says %v (%v)", s, got, want, err)
		}
		// Go's parser is laxer: commas, one-digit hours, more digits, other years.
		strict := err == nil && want.Format(time.RFC3339Nano) == s
		if strict && !ok && want.Year() >= 1971 && want.Year() <= 2261 {
			t.Errorf("%q was refused", s)
		}
	})
}

// TestForeignPayloads: messages in the formats of other systems never panic, and none is
// taken for a native reading that it is not, whatever their fields are called.
func TestForeignPayloads(t *testing.T) {
	for name, payload := range map[string]string{
		"a number alone":         `21.5`,
		"a word alone":           `ON`,
		"nothing":                ``,
		"a list of numbers":      `[1,2,3]`,
		"Tasmota":                `{"Time":"2026-03-02T10:00:00","ENERGY":{"Total":7.25,"Power":12,"n":3},"n":3}`,
		"Zigbee2MQTT":            `{"battery":97,"linkquality":80,"occupancy":true,"n":1,"f":2.5}`,
		"ESPHome discovery":      `{"name":"Hall","stat_t":"hall/sensor/state","dev":{"ids":"a0b1","n":"x"},"uniq_id":"hall-n"}`,
		"ChirpStack uplink":      `{"deduplicationId":"4f","time":"2026-03-02T10:00:00Z","deviceInfo":{"devEui":"0102030405060708"},"fCnt":9,"data":"AQID","object":{"n":4,"fields":{"n":5}}}`,
		"The Things Stack":       `{"end_device_ids":{"device_id":"d"},"uplink_message":{"f_port":1,"decoded_payload":{"n":4}}}`,
		"airRohr":                `{"esp8266id":"123","software_version":"X","sensordatavalues":[{"value_type":"n","value":"3.1"},{"value_type":"P1","value":"8"}]}`,
		"a camera's event":       `{"type":"new","before":null,"after":{"id":"1.2-a","label":"car","sub_label":["AB-123",0.9],"n":2}}`,
		"GBFS":                   `{"last_updated":1772445600,"ttl":60,"version":"2.3","data":{"stations":[{"station_id":"a","n":4}]}}`,
		"NGSI-LD":                `{"id":"urn:ngsi-ld:Device:n","type":"Device","n":{"type":"Property","value":4},"fields":"n"}`,
		"SensorThings":           `{"result":4,"phenomenonTime":"2026-03-02T10:00:00Z","parameters":{"n":4}}`,
		"a telegram of a meter":  "/XXX5\\2\r\n\r\n1-0:1.8.1(000123.456*kWh)\r\n!1A2B\r\n",
		"CSV":                    "n,f\n1,2.5\n",
		"line protocol":          "air,n=1 f=2.5 1772445600000000000",
		"XML":                    `<m><n>1</n></m>`,
		"CBOR":                   "\xa2\x61n\x01\x61f\xf9\x3c\x00",
		"a native one with more": `{"ts":"2026-03-02T10:00:00Z","seq":1,"n":3,"payload":{"fields":{"n":4}}}`,
	} {
		got := decode(payload, shape())
		if strings.Contains(got, "=") {
			t.Errorf("%s gives %s", name, got)
		}
		if got == "" {
			t.Errorf("%s is neither taken nor refused", name)
		}
	}

}
