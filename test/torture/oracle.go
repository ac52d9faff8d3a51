package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const canary = "zz-canary"

// oracle knows what was sent and remembers everything that was ever public.
type oracle struct {
	hour  int // the open one, counted from base
	seq   int
	sums  map[int]map[string]truth // hour, zone
	units map[int]unitTruth
	hush  map[int]bool // hours that may not show devices: they are suspended
	sent  int          // readings with an effect, in all
	// shown is the first public word on each value, by window, cell and measure.
	shown map[string]string
	last  time.Time // the clock

	verdicts
}

type truth struct{ sum, count float64 }

// unitTruth is how many devices were seen for the first time in the epoch.
type unitTruth struct{ fresh, old int }

func newOracle() oracle {
	return oracle{sums: map[int]map[string]truth{}, units: map[int]unitTruth{}, hush: map[int]bool{},
		shown: map[string]string{}}
}

func start(hour int) time.Time { return base.Add(time.Duration(hour) * time.Hour) }

// publish sends n readings of the open hour to each gate, in messages of one to
// twelve readings, between two fractions of the hour.
func (w *world) publish(n int, from, to float64) {
	h := w.hour
	if w.sums[h] == nil {
		w.sums[h] = map[string]truth{}
	}
	for sensor, zone := range map[string]string{"gate-1": "square", "gate-2": "park"} {
		for sent := 0; sent < n; {
			var list []string
			for range min(1+w.rnd.IntN(12), n-sent) {
				w.seq++
				at := start(h).Add(time.Duration((from + w.rnd.Float64()*(to-from)) * 0.99 * float64(time.Hour)))
				passed := w.rnd.IntN(1000)
				list = append(list,
					fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"passed":%d}}`, at.Format(time.RFC3339Nano), w.seq,
						passed))
				t := w.sums[h][zone]
				w.sums[h][zone] = truth{t.sum + float64(passed), t.count + 1}
				w.sent++
				sent++
			}
			w.client.send("city/v1/acme/"+sensor+"/up", []byte("["+strings.Join(list, ",")+"]"), false)
		}
	}
}

// devices sends one reading of each device of a range; old ones have been seen in the epoch,
// unless it begins with this hour.
func (w *world) devices(from, to int, old bool) {
	u := w.units[w.hour]
	for d := from; d < to; d++ {
		w.seq++
		sensor, fields := "wifi-1", fmt.Sprintf(`{"device":"%s-%d","note":"%s"}`, canary, d, canary)
		if w.homes {
			sensor, fields = fmt.Sprintf("%s-%d", canary, d), `{"power":1.5}`
		}
		w.client.send("city/v1/acme/"+sensor+"/up", []byte(fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":%s}`,
			start(w.hour).Add(time.Minute).Format(time.RFC3339), w.seq, fields)), false)
		if old && !firstOfEpoch(w.hour) {
			u.old++
		} else {
			u.fresh++
		}
	}
	w.units[w.hour] = u
}

// tick moves the clock; everything before is acknowledged already.
func (w *world) tick(at time.Time) {
	w.last = at
	w.client.send(clockTopic, []byte(at.Format(time.RFC3339)), true)
}

// item is one observation as the interface shows it.
type item struct {
	Start                         time.Time
	Cell, Measure, Status, Reason string
	Value                         *float64
}

func (i item) word() string {
	if i.Value == nil {
		return i.Status
	}
	return fmt.Sprintf("%s %v", i.Status, *i.Value)
}

var web = &http.Client{Timeout: 10 * time.Second}

func fetch(address string) ([]byte, error) {
	resp, err := web.Get(address)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 && resp.StatusCode != http.StatusServiceUnavailable {
		err = fmt.Errorf("%s", resp.Status)
	}
	return raw, err
}

// items reads an hour of a stream.
func (w *world) items(stream string, hour int) ([]item, error) {
	raw, err := fetch(fmt.Sprintf("%s/api/v1/streams/%s/observations?limit=1000&from=%s&to=%s", w.pages, stream,
		url.QueryEscape(start(hour).Format(time.RFC3339)), url.QueryEscape(start(hour+1).Format(time.RFC3339))))
	if err != nil {
		return nil, err
	}
	var page struct{ Items []item }
	return page.Items, json.Unmarshal(raw, &page)
}

// rowsOf is how many observations an hour of each stream has.
var rowsOf = map[string]int{"gates": 6, "devices": 1}

// remember holds a public word against the first one.
func (w *world) remember(where, stream string, i item) {
	key := fmt.Sprintf("%s %s %s %s", stream, i.Start.UTC().Format("15:04"), i.Cell, i.Measure)
	if first, known := w.shown[key]; known && first != i.word() {
		w.twice("%s: %s is %q and was %q", where, key, i.word(), first)
		return
	}
	w.shown[key] = i.word()
}

// spoken waits until a gap is said, or what is missing has come back: what a store has
// lost is sent again within seconds.
func (w *world) spoken(stream string, hour int, list []item) ([]item, string) {
	reason := ""
	_ = w.until(15*time.Second, "a gap, or the numbers", func() bool {
		if now, err := w.items(stream, hour); err == nil {
			list = now
		}
		reason = w.gap(stream, hour)
		return reason != "" || !w.short(stream, hour, list)
	})
	return list, reason
}

// short says whether something of an hour is not there as it was sent.
func (w *world) short(stream string, hour int, list []item) bool {
	for _, i := range list {
		if strings.HasPrefix(i.Cell, "yard") || stream == "devices" && w.hush[hour] {
			continue
		}
		t := w.sums[hour][strings.Split(i.Cell, "/")[0]]
		want := map[string]float64{"passed": t.sum, "turns": t.count,
			"devices": float64(w.units[hour].fresh)}[i.Measure]
		if i.Value == nil && want >= 20 || i.Value != nil && *i.Value < want-beyondWindows ||
			i.Value != nil && i.Measure != "devices" && *i.Value != want {
			return true
		}
	}
	return len(list) < rowsOf[stream]
}

// gap says whether the public books speak of a gap in a stream's hour.
func (w *world) gap(stream string, hour int) string {
	raw, _ := os.ReadFile(filepath.Join(w.state(), "public/gaps.jsonl"))
	for line := range strings.Lines(string(raw)) {
		var g struct {
			Stream, Reason string
			Start, End     time.Time
		}
		if json.Unmarshal([]byte(line), &g) == nil && (g.Stream == stream || g.Stream == "") &&
			g.Start.Before(start(hour+1)) && g.End.After(start(hour)) {
			return g.Reason
		}
	}
	return ""
}

// check holds an hour that is over against the truth.
func (w *world) check(hour int) {
	gaps, lost := 0, w.Lost
	for stream := range rowsOf {
		list, err := w.items(stream, hour)
		reason := w.gap(stream, hour)
		if err == nil && reason == "" && w.short(stream, hour, list) {
			list, reason = w.spoken(stream, hour, list)
		}
		switch {
		case err != nil:
			w.wrong("hour %d of %s cannot be read: %v", hour, stream, err)
			continue
		case len(list) < rowsOf[stream] && reason == "":
			w.lost("hour %d of %s has %d rows and no gap", hour, stream, len(list))
		}
		for _, i := range list {
			w.remember("the interface", stream, i)
			if i.Status != "published" && i.Reason != "" && reason == "" {
				reason = i.Reason
			}
		}
		said := false
		if stream == "gates" {
			said = w.exact(hour, list, reason)
		} else {
			said = w.noisy(hour, list, reason)
		}
		if said {
			gaps++
			if w.strict && stream == "gates" {
				w.lost("hour %d of %s: a gap (%s) where nothing may be missing", hour, stream, reason)
			}
		}
	}
	w.ended(hour)
	if w.Lost > lost {
		w.note("by then refused: %s", w.refusals())
	}
	if gaps > 0 {
		w.Gaps++
	}
}

// exact compares sums and counts about nobody. It reports whether something is
// missing and said.
func (w *world) exact(hour int, list []item, reason string) (said bool) {
	for _, i := range list {
		if strings.HasPrefix(i.Cell, "yard") { // where rogues are
			continue
		}
		want := w.sums[hour][strings.Split(i.Cell, "/")[0]].sum
		if i.Measure == "turns" {
			want = w.sums[hour][strings.Split(i.Cell, "/")[0]].count
		}
		switch {
		case i.Value == nil && want == 0:
		case i.Value == nil && reason != "":
			said = true
		case i.Value == nil:
			w.lost("hour %d %s %s is %s without a gap; %v was acknowledged", hour, i.Cell, i.Measure, i.Status, want)
		case *i.Value == want:
		case *i.Value > want:
			w.doubled("hour %d %s %s is %v; sent %v", hour, i.Cell, i.Measure, *i.Value, want)
		case reason != "":
			said = true
		default:
			w.lost("hour %d %s %s is %v without a gap; %v was acknowledged", hour, i.Cell, i.Measure, *i.Value, want)
		}
	}
	return said
}

// beyondWindows is how far noise does not take a window's devices: they have 24/25 of an
// epsilon of 100, so that the scale of their discrete Laplace noise is 1/96, and a number is
// two away or more in one of 10^83 (2 e^-192).
const beyondWindows = 1

// noisy compares distinct devices.
func (w *world) noisy(hour int, list []item, reason string) (said bool) {
	u := w.units[hour]
	for _, i := range list {
		want := float64(u.fresh)
		switch {
		case w.hush[hour] && (i.Value != nil || i.Status != "withheld"):
			w.wrong("hour %d devices is %s, and they are suspended", hour, i.word())
		case w.hush[hour]:
		case i.Value == nil && want < 20: // too few may be withheld
		case i.Value == nil && (reason != "" || w.keysGone(hour)):
			said = true
		case i.Value == nil:
			w.lost("hour %d devices is %s without a gap; %v were acknowledged", hour, i.Status, want)
		case math.Abs(*i.Value-want) <= beyondWindows:
		case *i.Value > want:
			w.doubled("hour %d devices is %v; %v were new in the epoch and %d were not: they counted again", hour,
				*i.Value, want, u.old)
		case reason != "":
			said = true
		default:
			w.lost("hour %d devices is %v without a gap; %v were acknowledged", hour, *i.Value, want)
		}
	}
	return said
}

// keysGone says whether a gap in the same epoch explains why nobody is admitted.
func (w *world) keysGone(hour int) bool {
	for h := range hour {
		if w.gap("devices", h) != "" {
			return true
		}
	}
	return false
}
