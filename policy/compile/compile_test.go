package compile_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/policy/rules"
	"sluice/register"
)

func TestExampleCity(t *testing.T) {
	ctx := context.Background()
	set, err := compile.Files(ctx, rego.InProcess(), portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range set.Decisions {
		for _, v := range set.Broken[d.Decision] {
			t.Error(v)
		}
	}
	reg, err := register.Parse("register.yaml", portalba.Register)
	if err != nil {
		t.Fatal(err)
	}
	for i := range reg.Sensors {
		plans, reasons, err := set.Plans(ctx, &reg.Sensors[i])
		if err != nil {
			t.Fatal(err)
		}
		if len(plans) != 1 || len(reasons) != 0 {
			t.Errorf("sensor %s has %d plans and reasons %v; want one plan", reg.Sensors[i].ID, len(plans), reasons)
		}
	}
}

// edit replaces text in one file of the example city.
func edit(t *testing.T, file, old, new string) bundle.Files {
	t.Helper()
	files := portalba.Policy()
	if !strings.Contains(string(files[file]), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	files[file] = []byte(strings.Replace(string(files[file]), old, new, 1))
	return files
}

const footfall = "decisions/2026-14-footfall.yaml"

func TestRefusedFiles(t *testing.T) {
	for _, c := range []struct{ name, file, old, new, want string }{
		{"unknown key", footfall, "keep:", "kep:", "unknown field"},
		{"bad duration", footfall, "every: PT1H", "every: hourly", "ISO 8601"},
		{"bad date", footfall, "until: 2027-05-31", "until: tomorrow", "date"},
		{"every does not divide a day", footfall, "every: PT1H", "every: PT7H", "divide a day"},
		{"epoch shorter than window", footfall, "forget_after: P1D", "forget_after: PT30M", "forget_after"},
		{"epsilon is not a number", footfall, "epsilon: 1", "epsilon: .nan", "epsilon"},
		{"negative delta", footfall, "delta: 1e-6", "delta: -1", "delta"},
		{"unknown measure", footfall, "distinct(unit)", "median(unit)", "of is one of"},
		{"two units", footfall, "stands_for: device}", "stands_for: device, sensor: home}", "unit is"},
		{"alias", footfall, "keep: [device, rssi]", "keep: &k [device, rssi]", "anchors"},
		{"timezone", "charter.yaml", "Europe/Madrid", "Mars/Base", "IANA"},
		{"class", "kinds.yaml", "class: free-text", "class: public", "class is one of"},
		{"zones", "zones.geojson", "FeatureCollection", "Collection", "GeoJSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := compile.Files(context.Background(), rego.InProcess(), edit(t, c.file, c.old, c.new))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
				t.Errorf("got %v; want an error about %q in %s", err, c.want, c.file)
			}
		})
	}
}

func TestBrokenCharterStopsOneDecisionOnly(t *testing.T) {
	set, err := compile.Files(context.Background(), rego.InProcess(),
		edit(t, footfall, "min_units: 10", "min_units: 3"))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Streams) != 3 {
		t.Errorf("%d streams are left; want 3", len(set.Streams))
	}
	for _, s := range set.Streams {
		if s.ID == "footfall" {
			t.Error("footfall runs although it breaks the charter")
		}
	}
}

// What a local module cannot do: anything but deny.
func TestFailClosed(t *testing.T) {
	for name, module := range map[string]string{
		"network":       "package sluice.local\nx := http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1\"})",
		"clock":         "package sluice.local\nx := time.now_ns()",
		"randomness":    "package sluice.local\nx := rand.intn(\"a\", 2)",
		"other package": "package sluice.plan\nplans := []",
		"syntax":        "package sluice.local\ndeny contains",
		"builtin error": "package sluice.local\ndeny contains {\"decision\": \"2026-14\", \"message\": \"x\"} if " +
			"to_number(\"x\") == 1",
		"conflicting":     "package sluice.local\ndeny := {1} if true\ndeny := {2} if true",
		"schema dial-out": "package sluice.local\nx := json.match_schema({}, {})",
	} {
		t.Run(name, func(t *testing.T) {
			files := portalba.Policy()
			files["local/x.rego"] = []byte(module)
			ctx := context.Background()
			set, err := compile.Files(ctx, rego.InProcess(), files)
			if err != nil {
				return
			}
			sensor := register.Sensor{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"}
			if plans, _, err := set.Plans(ctx, &sensor); err == nil {
				t.Errorf("the policy compiled and gave %d plans; want an error", len(plans))
			}
		})
	}
}

func TestHalfTheRulesPermitNothing(t *testing.T) {
	files := portalba.Policy()
	files["rules/charter.rego"] = []byte("package sluice.charter\nviolations := set()")
	if _, err := compile.Files(context.Background(), rego.InProcess(), files); err == nil {
		sensor := register.Sensor{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"}
		set, _ := compile.Files(context.Background(), rego.InProcess(), files)
		if plans, _, err := set.Plans(context.Background(), &sensor); err == nil || len(plans) > 0 {
			t.Error("without plan.rego there are plans; want an error")
		}
	}
}

func TestLocalDeny(t *testing.T) {
	files := portalba.Policy()
	files["local/august.rego"] = []byte(
		"package sluice.local\ndeny contains {\"decision\": \"2026-14\", \"message\": \"not in August\"}")
	ctx := context.Background()
	set, err := compile.Files(ctx, rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	plans, reasons, err := set.Plans(ctx, &register.Sensor{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"})
	if err != nil || len(plans) != 0 || len(reasons) != 1 || reasons[0].Rule != "L01" {
		t.Errorf("plans %v, reasons %v, error %v; want L01 and no plan", plans, reasons, err)
	}
}

func TestPackRoundTrip(t *testing.T) {
	files := portalba.Policy()
	packed, err := files.Pack()
	if err != nil {
		t.Fatal(err)
	}
	back, err := bundle.Unpack(packed)
	if err != nil || back.Digest() != files.Digest() {
		t.Errorf("unpacked digest differs (%v)", err)
	}
}

// TestSuspended: a suspended decision has no plan, whatever the rules say, and all
// its zones are withheld with the council's reason.
func TestSuspended(t *testing.T) {
	files := portalba.Policy()
	files["suspended.yaml"] = []byte("suspended:\n  - {decision: \"2026-14\", since: 2026-07-01, reason: a fault}\n")
	ctx := context.Background()
	set, err := compile.Files(ctx, rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	plans, reasons, err := set.Plans(ctx, &register.Sensor{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"})
	if err != nil || len(plans) != 0 || len(reasons) != 1 || reasons[0].Rule != "S01" {
		t.Errorf("plans %v, reasons %v, error %v; want S01 and no plan", plans, reasons, err)
	}
	s := set.Decision("2026-14").Stream
	held, err := set.Withhold(ctx, plan.Question{Stream: s, Start: s.From, End: s.From})
	if err != nil || len(held) != len(s.Zones) || held["port"] != "suspended: a fault" {
		t.Errorf("withheld %v (%v); want all zones", held, err)
	}
}

// TestOnly: a gateway runs its own zones and those of nobody; another's are left to
// that one, and a stream without any zone left is not run here.
func TestOnly(t *testing.T) {
	files := portalba.Policy()
	set, err := compile.Files(context.Background(), rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	var all *plan.Stream
	for _, s := range set.Streams {
		if s.ID == "footfall" {
			all = s
		}
	}
	if err := set.Only("edge-1"); err != nil || !slices.Contains(set.Streams, all) {
		t.Fatalf("without gateways in zones something changes: %v", err)
	}
	text := strings.Replace(string(files["zones.geojson"]), `"properties": {`, `"properties": {"gateway": "edge-2", `,
		1)
	if text == string(files["zones.geojson"]) {
		text = strings.Replace(string(files["zones.geojson"]), `"properties":{`, `"properties":{"gateway":"edge-2",`, 1)
	}
	files["zones.geojson"] = []byte(text)
	// two gateways cost twice
	files["charter.yaml"] = []byte(strings.Replace(string(files["charter.yaml"]), "device: 1", "device: 2", 1))
	for gateway, missing := range map[string]int{"edge-1": 1, "edge-2": 0} {
		set, err := compile.Files(context.Background(), rego.InProcess(), files)
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Only(gateway); err != nil {
			t.Fatal(err)
		}
		for _, s := range set.Streams {
			if s.ID != "footfall" {
				continue
			}
			if len(all.Zones)-len(s.Zones) != missing || len(s.Cells) != len(s.Zones) ||
				(s.Digest == all.Digest) != (missing == 0) {
				t.Errorf("%s runs %v of %v", gateway, s.Zones, all.Zones)
			}
		}
		for _, zone := range all.Zones {
			sensor := &register.Sensor{ID: "x", Kind: "wifi-counter", Owner: "o", Zone: zone}
			plans, reasons, err := set.Plans(context.Background(), sensor)
			if err != nil {
				t.Fatal(err)
			}
			theirs := set.Zones.Gateway(zone) != "" && set.Zones.Gateway(zone) != gateway
			if theirs != (len(plans) == 0) || theirs != slices.ContainsFunc(reasons, func(r compile.Reason) bool {
				return r.Rule == "P10"
			}) {
				t.Errorf("at %s in %s there are %d plans and %v", gateway, zone, len(plans), reasons)
			}
		}
	}
}

// TestPersonalKindsNeedAUnit: whatever the rules say, a gateway has no plan about nobody for
// a kind that tells somebody apart, unless the charter names it.
func TestPersonalKindsNeedAUnit(t *testing.T) {
	for _, permissive := range []bool{false, true} {
		for more, plans := range map[string]int{"": 0, "kinds_not_about_people: [camera]\n": 1} {
			files := portalba.Policy()
			files["kinds.yaml"] = append(files["kinds.yaml"], []byte("  camera:\n    fields: [{name: track, type: "+
				"string, class: quasi-identifier}, {name: laeq, type: float, class: measurement}]\n")...)
			files["charter.yaml"] = append(files["charter.yaml"], []byte(more)...)
			files["decisions/2026-16-noise.yaml"] = []byte(
				strings.Replace(string(files["decisions/2026-16-noise.yaml"]), "kinds: [noise-meter]",
					"kinds: [camera]", 1))
			if permissive { // rules of a motion from before there was one about this
				for _, name := range []string{"charter.rego", "lib.rego", "plan.rego", "release.rego"} {
					raw, err := rules.FS.ReadFile(name)
					if err != nil {
						t.Fatal(err)
					}
					files["rules/"+name] = []byte(
						strings.Replace(string(raw), "personal(data.kinds[kind])", "false", 1))
				}
			}
			set, err := compile.Files(context.Background(), rego.InProcess(), files)
			if err != nil {
				t.Fatal(err)
			}
			got, reasons, err := set.Plans(context.Background(),
				&register.Sensor{ID: "x", Owner: "x", Kind: "camera", Zone: "rambla"})
			if err != nil || len(got) != plans ||
				plans == 0 && !slices.ContainsFunc(reasons, func(r compile.Reason) bool { return r.Rule == "C04" }) {
				t.Errorf("permissive %v, %q: %d plans, %v (%v)", permissive, more, len(got), reasons, err)
			}
		}
	}
}
