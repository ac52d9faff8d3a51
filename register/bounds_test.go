package register

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/raced"

	"github.com/paulmach/orb"
)

// cpuTime is what the process has computed so far.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestZonesAreBounded: numbers of features and positions, and the time and memory
// of files made to take long. Time is the process's own: the machine may be busy.
func TestZonesAreBounded(t *testing.T) {
	raced.Skip(t)
	many := func(n int, one func(i int) string) []byte {
		list := make([]string, n)
		for i := range list {
			list[i] = one(i)
		}
		return collectionOf(list...)
	}
	plain := func(n int) string { return ringOf(round(n, 0, 0, 1)) }
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"features": {many(2001, func(i int) string {
			return featureAt(fmt.Sprint("z", i), "["+square(0, 0, 1)+"]")
		}), "more than 2000 features"},
		"outline": {collectionOf(featureAt("a", "["+plain(10_001)+"]")), "more than 10000 positions"},
		"null positions": {[]byte(`{"type":"FeatureCollection","features":[` + strings.Repeat("0,", 3000) + `0]}`),
			"more than 2000 features"},
		"positions": {many(20, func(i int) string {
			return featureAt(fmt.Sprint("z", i), "["+tinyRing(6000)+"]")
		}), "more than 100000 positions"},
		"world-wide": {many(2000, func(i int) string {
			return featureAt(fmt.Sprint("z", i), "["+square(-90+float64(i)/100, -80, 90)+"]")
		}), ""},
		"a comb":         {collectionOf(featureAt("a", "["+comb(9_000, 0)+"]")), ""},
		"a leaning comb": {collectionOf(featureAt("a", "["+comb(9_000, 20)+"]")), "too intricate"},
		"ten leaning": {many(6, func(i int) string {
			return featureAt(fmt.Sprint("z", i), "["+comb(5_000, 20)+"]")
		}), "*"},
		"onion": {many(500, func(i int) string {
			return featureAt(fmt.Sprint("z", i), "["+ringOf(round(40, 0, 0, 1+float64(i)/10))+"]")
		}), ""},
		"positions deep in": {[]byte(`{"type":"FeatureCollection","features":[],"x":[` +
			strings.Repeat("[1,2],", 100_000) + `0]}`), ""},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := cpuTime(t)
		z, err := ParseZones("zones.geojson", c.raw)
		took := cpuTime(t) - began
		runtime.ReadMemStats(&after)
		t.Logf("%s: %d bytes, %v, %d MiB allocated: %v", name, len(c.raw), took,
			(after.TotalAlloc-before.TotalAlloc)>>20, err)
		if c.want == "" && err != nil ||
			c.want != "" && c.want != "*" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s gives %v; want %q", name, err, c.want)
		}
		if took > 20*time.Second || after.TotalAlloc-before.TotalAlloc > 512<<20 {
			t.Errorf("%s takes %v and %d MiB", name, took, (after.TotalAlloc-before.TotalAlloc)>>20)
		}
		if z == nil {
			continue
		}
		entries := 0
		for _, list := range z.grid {
			entries += len(list)
		}
		if entries > maxEntries {
			t.Errorf("%s has %d entries in its index", name, entries)
		}
		began = cpuTime(t)
		pairs := z.Overlapping()
		if took := cpuTime(t) - began; took > 20*time.Second || len(pairs) > maxPairs {
			t.Errorf("%s: %d pairs in %v", name, len(pairs), took)
		} else {
			t.Logf("%s: %d pairs in %v", name, len(pairs), took)
		}
	}
}

// round is a ring of n corners around a point.
func round(n int, x, y, radius float64) orb.Ring {
	r := make(orb.Ring, 0, n+1)
	for i := range n {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		r = append(r, orb.Point{math.Round((x+radius*c)*1e6) / 1e6, math.Round((y+radius*s)*1e6) / 1e6})
	}
	return append(r, r[0])
}

// tinyRing is a ring in as few bytes as may be.
func tinyRing(n int) string { return "[" + strings.Repeat("[1,1],", n) + "[1,1]]" }

// comb has n corners at the ends of long teeth, which may lean.
func comb(n int, lean float64) string {
	var r orb.Ring
	for i := range n / 2 {
		x := float64(i) / 1000
		if i%2 == 0 {
			r = append(r, orb.Point{x, 0}, orb.Point{x + lean, 40})
		} else {
			r = append(r, orb.Point{x + lean, 40}, orb.Point{x, 0})
		}
	}
	r = append(r, orb.Point{r[len(r)-1][0], -1}, orb.Point{0, -1})
	return ringOf(append(r, r[0]))
}

func BenchmarkParseZones(b *testing.B) {
	raw := collectionOf(featureAt("a", "["+ringOf(round(9_999, 2, 41, 1))+"]"))
	for range b.N {
		if _, err := ParseZones("z", raw); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzZones: whatever the bytes are, no panic and no long work; and what is
// accepted can be found by a point inside.
func FuzzZones(f *testing.F) {
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a",`+
		`"geometry":{"type":"Polygon","coordinates":[]},"properties":null}]}`), 1.0, 1.0)
	f.Add(collectionOf(featureAt("a", "["+square(0, 0, 4)+","+square(1, 1, 1)+"]"),
		multiAt("b", "[["+square(2, 2, 4)+"]]")), 1.0, 1.0)
	f.Add(collectionOf("null"), 0.0, 0.0)
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature",`+
		`"properties":{"id":"a","name":"A","gateway":"g"},`+
		`"geometry":{"type":"Polygon","coordinates":[[[0,0,1],[1e-3,0],[0,0.5],[0,0,1]]]}}]}`), 0.1, 0.0)
	f.Fuzz(func(t *testing.T, raw []byte, lat, lon float64) {
		began := time.Now()
		z, err := ParseZones("x", raw)
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%d bytes take %v", len(raw), took)
		}
		if err != nil {
			return
		}
		_, _ = z.Locate(lat, lon)
		for _, pair := range z.Overlapping() {
			if !z.Overlaps(pair[0], z, pair[1]) {
				t.Fatalf("%v overlap and do not", pair)
			}
		}
		for i, one := range z.all {
			p := orb.Point{}
			e := one.turn(one.edges[0])
			for axis := range 2 {
				p[axis] = (e.a[axis] + e.b[axis]) / 2
			}
			if !one.contains(e.a) || !one.contains(e.b) {
				t.Fatalf("a corner of %s is outside of it", z.ids[i])
			}
			if id, ok := z.Locate(e.a[1], e.a[0]); !ok || id > z.ids[i] {
				t.Fatalf("a corner of %s is in %q", z.ids[i], id)
			}
		}
	})
}
