package sensors

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestWireMap finds fields by JSON pointers, as the register of lab maps them.
func TestWireMap(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, lab())
	c.Begin()
	documented(t, "With `map: {field: /json/pointer}` in the register a field is found by JSON pointer (RFC 6901) "+
		"from the reading's root instead, whatever its depth, in objects and arrays, with `~1` for `/` and `~0` for "+
		"`~` in a key: `{\"ts\":…,\"data\":[{\"rssi@1m\":-5}]}` works with `/data/0/rssi@1m`.")
	becomes(c, "lab-2", `{"ts":"2026-03-02T10:00:00Z","data":[{"rssi@1m":-5}],"a/b":{"x~y":[0,2.5]}}`, "ok")
	becomes(c, "lab-5", `{"ts":"2026-03-02T10:00:00Z","":7,"deep":{"":{"ünï":1}}}`, "ok") // empty keys are keys
	becomes(c, "lab-2", `{"ts":"2026-03-02T10:00:01Z","data":[],"a/b":{"x~y":[0]}}`, "E102")
	becomes(c, "lab-2", `{"ts":"2026-03-02T10:00:02Z","data":[{"rssi@1m":{"v":1}}]}`, "E101") // an object is no number
	becomes(c, "lab-2", `{"ts":"2026-03-02T10:00:03Z","data":[{"rssi@1m":"-5"}]}`, "E101")    // nor is text

	documented(t, "Fields that are not mapped are under `fields` as always.")
	becomes(c, "lab-2", `{"ts":"2026-03-02T10:00:04Z","data":[{"rssi@1m":-5}],"fields":{"b":"no"}}`, "E101")
	documented(t, "Other keys of a mapped reading are left alone; a pointer may also take `/ts`, `/seq` or `/boot`, "+
		"which then mean nothing else.")
	becomes(c, "lab-2",
		`{"ts":"2026-03-02T10:00:05Z","data":[{"rssi@1m":-5,"noise":[1]},{"rssi@1m":"x"}],"more":{"a":1}}`, "ok")
	for range 2 { // seq is a field here, so equal ones are no repetition
		if got := outcome(c, 1, func() { publish(c, "vendor/three", `{"seq":3}`) }); strings.TrimSpace(got) != "ok" {
			t.Errorf("a field that is called seq: %s", got)
		}
	}
	documented(t, "An index counts places: where a vendor's order may change, it maps another value.")
	becomes(c, "lab-2", `{"ts":"2026-03-02T10:00:06Z","data":[{"other":1},{"rssi@1m":-5}]}`, "E102")
	documented(t, "A field that the kind does not have is dropped, and the sensor is told (E409).")
	becomes(c, "lab-4", `{"ts":"2026-03-02T10:00:00Z","x":1000,"y":{"deep":1}}`, "ok")
	if got := fmt.Sprint(sums(c, "lab", "i", "f")); got != "[1003 3.5]" { // -5 +7 -5 +3 +3 +1000; 2.5 + 1
		t.Errorf("the lab's sums are %s; want [1003 3.5]", got)
	}
}

// publish sends to a topic of any name.
func publish(c *harness.City, topic, payload string) {
	c.T.Helper()
	c.Link.Publish(topic, []byte(payload), false)
	if err := c.Link.Flush(); err != nil {
		c.T.Fatal(err)
	}
}

// TestWireSenML sends packs, the document's own among them.
func TestWireSenML(t *testing.T) {
	t.Parallel()
	files := lab()
	files["policy/kinds.yaml"] += "  weather:\n    fields: [{name: temperature, type: float, class: measurement}, " +
		"{name: humidity, type: float, class: measurement}]\n"
	files["policy/decisions/weather.yaml"] = strings.NewReplacer(`"9"`, `"10"`, "Lab", "Weather", "stream: lab",
		"stream: weather", "[lab]", "[weather]", "keep: [i, f]", "keep: [temperature, humidity]",
		"{name: i, of: sum(i)}, {name: f, of: sum(f)}",
		"{name: t, of: sum(temperature)}, {name: h, of: sum(humidity)}").Replace(files["policy/decisions/lab.yaml"])
	files["register.yaml"] += "  - {id: weather-1, owner: acme, kind: weather, zone: square, registered: 2026-01-01}\n"
	c := harness.Found(t, files)
	c.Begin()
	at := harness.Ten.Unix()
	c.Tick(harness.Ten.Add(5 * time.Minute))

	documented(t, "A pack in JSON (RFC 8428) on the same topic.",
		"A record's own name `n` is the field; the base name `bn` identifies the sender and is not used.")
	becomes(c, "lab-1", fmt.Sprintf(`[{"bn":"urn:dev:ow:i","bt":%d,"n":"i","v":1},{"n":"f","v":0.5}]`, at), "ok")
	documented(t, "Times below 2²⁸ are relative to receipt; a positive one is taken as receipt.")
	becomes(c, "lab-1", `[{"n":"i","v":1,"t":-60}]`, "ok")
	becomes(c, "lab-1", `[{"n":"i","v":1,"t":268435455}]`, "ok")   // 2^28 - 1: would be years ahead
	becomes(c, "lab-1", `[{"n":"i","v":1,"t":268435456}]`, "E002") // 1978, before the sensor was registered
	documented(t,
		"Two values in one record, a value that cannot be read, and a label that ends in `_` refuse their reading.")
	for _, bad := range []string{`{"n":"i","v":1,"vs":"x"}`, `{"n":"i","v":"1"}`, `{"n":"i","v":1,"must_":1}`} {
		becomes(c, "lab-1", `[`+bad+`,{"n":"i","v":1}]`, "E106 ok")
	}
	documented(t, "`bver` above 10, and a base field, name or time that cannot be read, refuse the whole pack: what "+
		"belongs together is not known then.")
	for _, bad := range []string{`"bver":11`, `"bt":"x"`, `"bv":{}`, `"n":7`, `"t":"x"`} {
		pack := `[{"n":"i","v":1},{"n":"i","v":1},{` + bad + `,"v":2}]`
		becomes(c, "lab-1", pack, "E106")
	}
	documented(t, "`s` and `bs` are ignored.")
	becomes(c, "lab-1", fmt.Sprintf(`[{"bs":100,"bt":%d,"n":"i","v":1,"s":5}]`, at+1), "ok")

	documented(t, "Records go into one reading until the time changes or a field comes again:",
		"[{\"bn\":\"urn:dev:mac:02005e000001:\",\"bt\":1795428000,\"n\":\"temperature\",\"v\":21.5},\n "+
			"{\"n\":\"humidity\",\"v\":60},\n {\"n\":\"temperature\",\"v\":21.6,\"t\":60}]", "is two readings.")
	example := sentenceThat(t, `[{"bn"`)
	becomes(c, "weather-1", strings.Replace(example, "1795428000", fmt.Sprint(at), 1), "ok×2")
	becomes(c, "weather-1", `[{"n":"temperature","v":1},{"n":"temperature","v":2},{"n":"humidity","v":3}]`, "ok×2")
	if got := fmt.Sprint(sums(c, "weather", "n", "t", "h")); got != "[4 46.1 63]" {
		t.Errorf("the weather's sums are %s; want [4 46.1 63]", got)
	}
	later := harness.Found(t, files)
	later.Run()
	later.Connect()
	later.Tick(time.Unix(1795428000, 0).Add(time.Minute))
	becomes(later, "weather-1", example, "ok×2")
}

// TestWireCBOR: what could be JSON may be CBOR.
func TestWireCBOR(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, lab())
	c.Begin()
	documented(t, "A reading, an array of them or a SenML pack may come in CBOR (RFC 8949) instead, on the same "+
		"topic: what begins with a map, an array or a tag of CBOR is read as the same in JSON would be, with SenML's "+
		"numbered labels.", "Byte strings are as `null`.")
	for _, one := range []struct{ hex, want string }{
		{"a1666669656c6473a26169016166fb3fe0000000000000", "ok"},           // {"fields": {"i": 1, "f": 0.5}}
		{"82a1666669656c6473a1616902a1666669656c6473a1616903", "ok×2"},     // [{"fields": {"i": 2}}, ...]
		{"82a2006169020aa2006166023903e7", "ok"},                           // [{0: "i", 2: 10}, {0: "f", 2: -1000}]
		{"a1666669656c6473a16169420102", "E102"},                           // {"fields": {"i": h'0102'}}
		{"a1666669656c6473a16169", "E100"},                                 // cut short
		{"a2666669656c6473a1616901666669656c6473a1616901", "E104"},         // fields twice
		{"a1666669656c6473a16169626162", "E101"},                           // a text
		{strings.Repeat("81", 200) + "00", "E100"},                         // any depth
		{"9b7fffffffffffffff", "E100"}, {"bf", "E100"}, {"d9d9f7", "E100"}, // and length
	} {
		raw, err := hex.DecodeString(one.hex)
		if err != nil {
			t.Fatal(err)
		}
		becomes(c, "lab-1", string(raw), one.want)
	}
	if got := fmt.Sprint(sums(c, "lab", "i", "f")); got != "[16 -999.5]" {
		t.Errorf("the sums are %s; want [16 -999.5]", got)
	}
}

// sentenceThat is the one unit of docs/wire.md that begins so.
func sentenceThat(t *testing.T, begins string) string {
	t.Helper()
	for _, s := range sentences(harness.Read(t, "../../docs/wire.md")) {
		if strings.HasPrefix(s, begins) {
			return s
		}
	}
	t.Fatalf("docs/wire.md has nothing that begins with %s", begins)
	return ""
}
