package yamldoc

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/internal/civil"
)

// device is an entry with a field of each sort that a register has.
type device struct {
	ID         string            `yaml:"id"`
	Owner      string            `yaml:"owner"`
	Lat        *float64          `yaml:"lat"`
	Map        map[string]string `yaml:"map"`
	Registered civil.Date        `yaml:"registered"`
	Purpose    map[string]string `yaml:"purpose"`
}

// TestQuick: what is read quickly is what the parser reads, and only what it reads.
func TestQuick(t *testing.T) {
	quicker := 0
	rapid.Check(t, func(r *rapid.T) {
		word := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_.@/-]{0,8}`), rapid.StringMatching(`[a-z]{1,4}`),
			rapid.StringMatching(`"[ -~àçñÀ·]{0,9}"`), rapid.StringMatching(`[ -~]{0,6}`),
			rapid.StringMatching(`[0-9.eExXoO+_-]{1,6}`),
			rapid.SampledFrom([]string{"true", "No", "null", "~", "on", "nan", "Inf", ".inf", "0x1f", "1e3",
				"2026-01-01", "2026-02-31", "20260101", `""`, "a: b", "a #b", "é", "a\u00a0b", "{}", "[a]", "a\tb",
				"e1", "x\u202e", "y", "1"}),
		)
		// Most of an entry is as it should be, and one thing of it perhaps is not.
		good := map[string][]string{
			"id": {"a-1", `"b 2"`}, "owner": {"o.p@q", `"x: y"`, "no1"}, "map": {"{x: /a/b}", `{x: y, n1: "z"}`},
			"registered": {"2026-01-01", "2024-02-29"}, "purpose": {`{en: "How, many"}`, `{ca: "Plaça Nova, 1"}`},
			"lat": {"41.3874", "-0.5", "0", "-180", "2.10"},
		}
		keys := rapid.Permutation([]string{"id", "owner", "map", "registered", "purpose", "lat"}).Draw(r, "keys")
		keys = keys[:rapid.IntRange(1, 6).Draw(r, "n")]
		odd := rapid.IntRange(0, 8).Draw(r, "odd")
		var pairs []string
		for n, k := range keys {
			v := rapid.SampledFrom(good[k]).Draw(r, "good")
			switch {
			case odd != n:
			case k == "map" || k == "purpose":
				v = fmt.Sprintf("{%s: %s, b: %s}", word.Draw(r, "inner"), word.Draw(r, "value"), word.Draw(r, "other"))
			default:
				v = word.Draw(r, "value")
			}
			pairs = append(pairs, k+": "+v)
		}
		if odd == 6 {
			pairs = append(pairs,
				rapid.SampledFrom([]string{"id: a", "lat: 1.5", "Id: a", "none: a", "map: {}",
					"purpose: {a: b, a: c}"}).Draw(r, "more"))
		}
		raw := []byte(rapid.SampledFrom([]string{"", "  ", "    "}).Draw(r, "indent") + "- {" +
			strings.Join(pairs, rapid.SampledFrom([]string{", ", ", ", ", ", ",", ",  "}).Draw(r, "between")) + "}" +
			rapid.SampledFrom([]string{"\n", "\n", "", " \r\n", "\n\n", " # x\n", "\t\n"}).Draw(r, "end"))
		var fast, slow device
		if !quickly(raw, reflect.ValueOf(&fast).Elem()) {
			if !reflect.DeepEqual(fast, device{}) {
				r.Fatalf("%q is not read quickly, and leaves %+v", raw, fast)
			}
			return
		}
		quicker++
		e := entry{raw: raw}
		if err := e.parse(&slow); err != nil {
			r.Fatalf("%q is read quickly, and the parser says %v", raw, err)
		}
		if !reflect.DeepEqual(fast, slow) {
			r.Fatalf("%q is %+v quickly and %+v slowly", raw, fast, slow)
		}
	})
	t.Logf("%d were read quickly", quicker)
	if quicker == 0 {
		t.Error("nothing was read quickly")
	}
}

// TestQuickIsQuicker: the common entry takes no more than half the parser's time; it took
// a tenth when this was written.
func TestQuickIsQuicker(t *testing.T) {
	raw := []byte(
		"  - {id: more-00001, owner: o1, registered: 2026-01-01, map: {passed: a}, purpose: {en: \"How many pass\"}}\n")
	var d device
	if !quickly(raw, reflect.ValueOf(&d).Elem()) || d.Purpose["en"] != "How many pass" || d.ID != "more-00001" {
		t.Fatalf("the common entry is not read quickly: %+v", d)
	}
	e := entry{raw: raw}
	least := func(f func()) time.Duration {
		best := time.Hour
		for range 50 {
			began := time.Now()
			for range 20 {
				f()
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	fast, slow := least(func() { _ = e.decode(&d) }), least(func() { _ = e.parse(&d) })
	t.Logf("%v quickly, %v by the parser", fast/20, slow/20)
	if 2*fast > slow {
		t.Errorf("%v quickly, %v by the parser", fast/20, slow/20)
	}
}

// TestNotQuick: what is a mistake, or means something else than it looks like, is the
// parser's.
func TestNotQuick(t *testing.T) {
	for _, text := range []string{
		"{id: true}", "{id: No}", "{id: null}", "{id: 12}", "{id: 1e3}", "{id: 2026-01-01}", "{id: a, id: b}",
		"{none: a}", "{Id: a}", "{lat: 01}", "{lat: 1.}", "{lat: .5}", "{lat: -0}", "{lat: 1e3}", `{lat: "1"}`, "{lat: +1}", "{lat: 1.2.3}", "{lat: 1 }",
		"{lat: 1234567890123456}", "{lat: -}", "{lat: a}", `{id: "a\u00a0b"}`, `{id: "a\ufeff"}`,
		"{map: {no: a}}", "{map: {a: 1}}", "{map: {a: b, a: c}}", "{map: a}", "{id: {a: b}}", `{id: "a\n"}`,
		`{id: "a}`, "{registered: 2026-02-31}",
		"{registered: a}", "{id:a}", "{id: a}x", "{id: a", "{id: a, }", "{id: a,owner: b}", "{id: a # b}", "{id: ~}",
		"{id: }", "{}", "{id: .inf}", "id: a", "{id: *a}",
	} {
		var d device
		if quickly([]byte("  - "+text+"\n"), reflect.ValueOf(&d).Elem()) {
			t.Errorf("%s is read quickly", text)
		}
	}
}
