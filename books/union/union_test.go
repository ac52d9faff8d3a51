package union

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
)

// gateway writes the books of one of a city's gateways, which has some zones.
func gateway(t *testing.T, name string, zones ...string) books.Dir {
	t.Helper()
	dir := books.Dir(t.TempDir())
	st := books.Stream{ID: "noise", Decision: "1", Every: "PT1H", Measures: []books.Measure{{Name: "level"}}}
	var sensors []books.Sensor
	var homes []books.Homes
	for _, z := range []string{"a", "b", "c"} { // each has the register of the whole city
		alive, fate := slices.Contains(zones, z), "dropped"
		if alive {
			st.Cells, fate = append(st.Cells, books.Cell{ID: z, Zone: z}), "kept"
		}
		sensors = append(sensors,
			books.Sensor{ID: "sensor-" + z, Zone: z, Alive: &alive, Fields: []books.Field{{Name: "laeq", Fate: fate}}})
		homes = append(homes, books.Homes{Kind: "meter", Zone: z, Number: 7})
	}
	puts := map[string]any{
		"city.json": books.City{ID: "portalba", Gateway: name, Name: "Portalba", Timezone: "Europe/Madrid",
			Policy: "p"},
		"streams.json":   []books.Stream{st},
		"decisions.json": []books.Decision{{ID: "1", Version: 1, State: "in_force"}},
		"register.json":  books.Register{Sensors: sensors, Homes: homes, Unknown: []books.Unknown{}},
	}
	for file, v := range puts {
		if err := dir.PutJSON(file, v); err != nil {
			t.Fatal(err)
		}
	}
	features :=
		`{"id":"a","properties":{"gateway":"edge-1"}},{"id":"b","properties":{"gateway":"edge-2"}},{"id":"c",` +
			`"properties":{"gateway":"edge-2"}}`
	for file, text := range map[string]string{
		"zones.geojson": `{"type":"FeatureCollection","features":[` + features + `]}`,
		"ledger.jsonl":  fmt.Sprintf("{\"n\":1,\"gateway\":%q}\n", name),
		"gaps.jsonl":    fmt.Sprintf("{\"stream\":%q}\n{\"half", name),
	} {
		if err := dir.Put(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func change[T any](t *testing.T, dir books.Dir, name string, f func(*T)) {
	t.Helper()
	var v T
	raw, err := dir.Get(name)
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err == nil {
		f(&v)
		err = dir.PutJSON(name, v)
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(fresh)
}

func of(dirs ...books.Source) books.Reader {
	var list []Book
	for n, d := range dirs {
		list = append(list, Book{fmt.Sprint("book-", n+1), d})
	}
	return books.Reader{Source: New(list)}
}

// TestOneCity: what two gateways say is one city's: all cells, each sensor once and as its
// zone's gateway says, homes counted once, each decision once, and every whole line.
func TestOneCity(t *testing.T) {
	r := of(gateway(t, "edge-1", "a"), gateway(t, "edge-2", "b", "c"))
	streams, err := r.Streams()
	if err != nil || len(streams) != 1 || len(streams[0].Cells) != 3 || len(streams[0].Measures) != 1 {
		t.Errorf("streams are %+v, %v", streams, err)
	}
	reg, err := r.Register()
	if err != nil || len(reg.Sensors) != 3 || len(reg.Homes) != 3 {
		t.Fatalf("the register is %+v, %v", reg, err)
	}
	for n, s := range reg.Sensors {
		if !*s.Alive || s.Fields[0].Fate != "kept" || reg.Homes[n].Number != 7 {
			t.Errorf("sensor %+v, %+v", s, reg.Homes[n])
		}
	}
	if list, err := r.Decisions(); err != nil || len(list) != 1 {
		t.Errorf("decisions are %+v, %v", list, err)
	}
	if city, err := r.City(); err != nil || city.ID != "portalba" || city.Gateway != "" {
		t.Errorf("the city is %+v, %v", city, err)
	}
	ledger, err := r.Ledger()
	if err != nil || len(ledger) != 2 || ledger[0].Gateway != "edge-1" || ledger[1].Gateway != "edge-2" {
		t.Errorf("the ledger is %+v, %v", ledger, err)
	}
	if gaps, err := r.Gaps(); err != nil || len(gaps) != 2 {
		t.Errorf("gaps are %+v, %v", gaps, err)
	}
	for name, want := range map[string]int{"streams.json": 3, "ledger.jsonl": 2, "gaps.jsonl": 2} {
		if raw, err := r.Source.Get(name); err != nil ||
			strings.Count(string(raw), "edge-")+strings.Count(string(raw), `"zone"`) != want {
			t.Errorf("%s is %s, %v", name, raw, err)
		}
	}
	if list, err := r.Gateways(); err != nil || len(list) != 2 || list[1].Name != "edge-2" || len(r.Parts()) != 2 {
		t.Errorf("gateways are %v, %v", list, err)
	}
	if p := r.Source.(*Books).Problems(); len(p) > 0 {
		t.Errorf("of an honest city it is said: %s", p)
	}
}

// TestVersions: for a while one gateway has a newer policy: the latest words hold, new
// zones are there, and nothing is wrong.
func TestVersions(t *testing.T) {
	one, two := gateway(t, "edge-1", "a", "b"), gateway(t, "edge-2", "b", "c")
	change(t, two, "city.json", func(c *books.City) { c.Policy = "q" })
	change(t, two, "decisions.json", func(d *[]books.Decision) {
		(*d)[0].Version, (*d)[0].Title = 2, map[string]string{"en": "new"}
	})
	raw, err := two.Get("zones.geojson")
	if err == nil {
		err = two.Put("zones.geojson", []byte(strings.Replace(string(raw), `[{`, `[{"id":"new"},{`, 1)))
	}
	const motion = "decisions/1/motion.txt"
	for text, dir := range map[string]books.Dir{"old": one, "new": two} {
		if err == nil {
			err = dir.Put(motion, []byte(text))
		}
	}
	if err == nil {
		err = one.Put("decisions/1/ballots/gone.sig", []byte("of a vote that is over"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []books.Reader{of(one, two), of(two, one)} {
		if raw, err := r.Source.Get(motion); err != nil || string(raw) != "new" {
			t.Errorf("beside the latest words stands the motion %q, %v", raw, err)
		}
		if raw, err := r.Source.Get("decisions/1/ballots/gone.sig"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("beside the latest words stands a vote on earlier ones: %q, %v", raw, err)
		}
		if list, err := r.Decisions(); err != nil || list[0].Version != 2 {
			t.Errorf("decisions are %+v, %v", list, err)
		}
		if raw, err := r.Zones(); err != nil || strings.Count(string(raw), `"id"`) != 4 || !json.Valid(raw) {
			t.Errorf("zones are %s, %v", raw, err)
		}
		if p := r.Source.(*Books).Problems(); len(p) > 0 {
			t.Errorf("it is said: %s", p)
		}
	}
}

// TestOneHadItOnce: a zone went from one gateway to another, and the first still describes
// what it released: the city's series is that of whoever runs it, with all cells, nothing
// is contested, and it is not waited for. What nobody runs any more is as it was.
func TestOneHadItOnce(t *testing.T) {
	had, has := gateway(t, "edge-1", "a", "b"), gateway(t, "edge-2", "b", "c")
	change(t, had, "streams.json", func(s *[]books.Stream) { (*s)[0].Stopped, (*s)[0].Plan = true, "old" })
	change(t, had, "decisions.json", func(d *[]books.Decision) { (*d)[0].State = books.Past })
	change(t, has, "streams.json", func(s *[]books.Stream) { (*s)[0].Plan = "new" })
	for n, r := range []books.Reader{of(had, has), of(has, had)} {
		list, err := r.Streams()
		if err != nil || len(list) != 1 || list[0].Stopped || list[0].Plan != "new" || len(list[0].Cells) != 3 {
			t.Errorf("streams are %+v, %v", list, err)
		}
		b := r.Source.(*Books)
		if cells, whole := b.Cells("noise"); !whole || len(cells[n]) != 0 || len(cells[1-n]) != 2 {
			t.Errorf("the cells are %v", cells)
		}
		if p := b.Problems(); len(p) > 0 {
			t.Errorf("it is said: %s", p)
		}
		if list, err := r.Decisions(); err != nil || list[0].State != books.InForce {
			t.Errorf("decisions are %+v, %v", list, err)
		}
	}
	change(t, has, "streams.json", func(s *[]books.Stream) { (*s)[0].Stopped = true })
	r := of(had, has)
	if list, err := r.Streams(); err != nil || len(list) != 1 || !list[0].Stopped {
		t.Errorf("when nobody runs it: %+v, %v", list, err)
	}
	if cells, _ := r.Source.(*Books).Cells("noise"); len(cells[0]) != 2 || len(cells[1]) != 2 {
		t.Errorf("when nobody runs it the cells are %v", cells)
	}
}

// TestNoOneCity: books of another city, twice of one gateway, and two gateways with one
// zone are said; the first two are left out.
func TestNoOneCity(t *testing.T) {
	for name, c := range map[string]struct {
		second func() books.Dir
		said   string
		left   int
	}{
		"another city": {func() books.Dir {
			d := gateway(t, "edge-2", "b")
			change(t, d, "city.json", func(c *books.City) { c.ID = "girona" })
			return d
		}, "book-2 are of city girona", 1},
		"another time zone": {func() books.Dir {
			d := gateway(t, "edge-2", "b")
			change(t, d, "city.json", func(c *books.City) { c.Timezone = "UTC" })
			return d
		}, "one city", 1},
		"the same gateway": {func() books.Dir {
			return gateway(t, "edge-1", "b")
		}, "gateway edge-1 is named twice, by the books book-1 and by the books book-2; those at book-2 are left out: ",
			1},
		"one zone": {func() books.Dir { return gateway(t, "edge-2", "a", "b") }, "both have the zone a", 2},
		"no books": {func() books.Dir {
			d := gateway(t, "edge-2", "a", "b")
			if err := os.Remove(string(d) + "/city.json"); err != nil {
				t.Fatal(err)
			}
			return d
		}, "no city.json", 1},
	} {
		r := of(gateway(t, "edge-1", "a"), c.second())
		b := r.Source.(*Books)
		if all := strings.Join(b.Problems(), "\n"); !strings.Contains(all, c.said) {
			t.Errorf("%s: it is said %q; want %q", name, all, c.said)
		}
		if list, _ := r.Gateways(); len(list) != c.left {
			t.Errorf("%s: %d are used", name, len(list))
		}
		if wrong, want := b.Wrong() != nil, name == "another city" || name == "another time zone" ||
			name == "the same gateway"; wrong != want {
			t.Errorf("%s: wrong for good is %v", name, wrong)
		}
	}
}

// TestAway: the books of a gateway that is gone hold as they were, and one that does not
// answer keeps nobody.
func TestAway(t *testing.T) {
	stuck := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(stuck)
	gone := gateway(t, "edge-2", "b", "c")
	r := of(gateway(t, "edge-1", "a"), gone, books.NewMirror(srv.URL))
	if list, err := r.Streams(); err != nil || len(list[0].Cells) != 3 {
		t.Fatalf("at first: %+v, %v", list, err)
	}
	if _, whole := r.Source.(*Books).Cells("noise"); whole {
		t.Error("what has not been read yet is said to be whole")
	}
	if err := os.RemoveAll(string(gone)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(fresh)
	begun := time.Now()
	list, err := r.Streams()
	if err != nil || len(list[0].Cells) != 3 {
		t.Errorf("when it is gone: %+v, %v", list, err)
	}
	if reg, err := r.Register(); err != nil || !*reg.Sensors[2].Alive {
		t.Errorf("when it is gone: %+v, %v", reg, err)
	}
	if took := time.Since(begun); took > 3*patience {
		t.Errorf("it took %s", took)
	}
	all := strings.Join(r.Source.(*Books).Problems(), "\n")
	if !strings.Contains(all, "book-2 cannot be read") || !strings.Contains(all, "book-3 cannot be read") ||
		strings.Contains(all, "book-1") {
		t.Errorf("it is said %q", all)
	}
	if _, err := of(books.NewMirror("http://127.0.0.1:1")).City(); err == nil {
		t.Error("where nothing can be read there is a city")
	}
}

// TestOddName: a gateway that calls itself what none can be called is one without a name:
// its name is in addresses and queries.
func TestOddName(t *testing.T) {
	for _, name := range []string{"../edge-1", "a b", "a\nb", ".", "", strings.Repeat("a", 64)} {
		odd := gateway(t, "edge-2", "b", "c")
		change(t, odd, "city.json", func(c *books.City) { c.Gateway = name })
		r := of(gateway(t, "edge-1", "a"), odd)
		if list, err := r.Gateways(); err != nil || len(list) != 2 || list[1].Name != "gateway-2" {
			t.Errorf("%q is called %+v, %v", name, list, err)
		}
	}
}

// TestBadZones: a gateway whose zones cannot be read takes the map of the city from nobody,
// and is said; what it said before holds.
func TestBadZones(t *testing.T) {
	bad := []string{"7", "[]", "{", "{}", `{"features":7}`, `{"features":[7]}`,
		`{"features":[{"type":"Feature","properties":7}]}`, `{"features":[{"type":7}]}`}
	for _, first := range []bool{false, true} {
		for _, text := range bad {
			two := gateway(t, "edge-2", "b", "c")
			list := []books.Source{gateway(t, "edge-1", "a"), two}
			if first {
				slices.Reverse(list)
			}
			r := of(list...)
			b, _ := r.Source.(*Books)
			if p := b.Problems(); len(p) > 0 {
				t.Fatal(p)
			}
			if err := two.Put("zones.geojson", []byte(text)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(fresh)
			var doc struct {
				Features []struct{ ID string }
			}
			raw, err := r.Zones()
			if err == nil {
				err = json.Unmarshal(raw, &doc)
			}
			if p := b.Problems(); err != nil || len(doc.Features) != 3 || len(p) != 1 ||
				!strings.Contains(p[0], "zones.geojson") {
				t.Errorf("beside %s the zones are %s, %v; it is said %s", text, raw, err, p)
			}
			if list, err := r.Streams(); err != nil || len(list[0].Cells) != 3 {
				t.Errorf("beside %s the streams are %+v, %v", text, list, err)
			}
		}
	}
}

// TestUsedOften: what every answer asks for does not compare all zones of all gateways; only
// who asks what is wrong waits for that.
func TestUsedOften(t *testing.T) {
	var list []books.Source
	for n := range 4 {
		d := gateway(t, fmt.Sprintf("edge-%d", n), "a")
		change(t, d, "streams.json", func(s *[]books.Stream) {
			for z := range 500 {
				(*s)[0].Cells = append((*s)[0].Cells, books.Cell{Zone: fmt.Sprintf("z%d-%d", n, z)})
			}
		})
		list = append(list, d)
	}
	b := of(list...).Source.(*Books)
	if p := b.Problems(); len(p) != 3 {
		t.Fatalf("it is said %q", p)
	}
	for _, p := range b.parts {
		p.mu.Lock()
		p.read = time.Now().Add(time.Hour)
		p.mu.Unlock()
	}
	if n := testing.AllocsPerRun(3, func() { b.Gateways(); b.Names(); b.Usable(0) }); n > 120 {
		t.Errorf("it takes %v allocations", n)
	}
}

// TestDifferingCharters: two gateways with different charters are named, and used all the
// same; books that do not say theirs are no difference.
func TestDifferingCharters(t *testing.T) {
	with := func(name, zone, charter string) books.Dir {
		d := gateway(t, name, zone)
		change(t, d, "city.json", func(c *books.City) { c.Charter = charter })
		return d
	}
	for _, x := range []struct{ one, two, want string }{
		{"aa", "aa", ""}, {"", "aa", ""}, {"aa", "", ""}, {"", "", ""},
		{"aaaaaaaaaa", "bbbbbbbbbb",
			"the charter of gateway edge-1 (aaaaaaaa) is not that of gateway edge-2 (bbbbbbbb)"},
	} {
		b := of(with("edge-1", "a", x.one), with("edge-2", "b", x.two)).Source.(*Books)
		if got := b.Differing(); got != x.want {
			t.Errorf("%q and %q: it is said %q; want %q", x.one, x.two, got, x.want)
		}
		if got := b.Problems(); len(got) > 0 || len(b.Gateways()) != 2 {
			t.Errorf("%q and %q: %v", x.one, x.two, got)
		}
	}
}
