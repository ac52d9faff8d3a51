package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/opendata/i18n"
	"sluice/opendata/picture"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const quarter = 15 * time.Minute

// at is a mark of the n-th quarter of an hour: a number, or a look.
func at(n int, v any) Mark {
	m := Mark{Start: noon.Add(time.Duration(n) * quarter), End: noon.Add(time.Duration(n+1) * quarter)}
	switch v := v.(type) {
	case string:
		m.Look = v
	case float64:
		low, high := v-3, v+3
		m.Look, m.Value, m.Low, m.High = Published, &v, &low, &high
	}
	return m
}

func series(place int, name string, values ...any) Series {
	s := Series{Place: place, Name: name}
	for n, v := range values {
		s.Marks = append(s.Marks, at(n, v))
	}
	return s
}

func drawn(list ...Series) *Chart {
	c := &Chart{Speak: i18n.Localizers()["en"], Zone: time.UTC, From: noon, To: noon.Add(quarter), Series: list,
		Words: map[string][]string{"withheld": {"withheld on purpose", "withheld"}, "ended": {"ended"}}}
	for _, s := range list {
		if n := len(s.Marks); n > 0 && s.Marks[n-1].End.After(c.To) {
			c.To = s.Marks[n-1].End
		}
	}
	return c
}

func svg(c *Chart) string { return c.plot(wideForm).on.Embedded("chart", "c") }

// TestTellsApart draws zero, withheld, no data, suspended and withdrawn: each is another
// mark, and none is a point of the line but zero.
func TestTellsApart(t *testing.T) {
	got := svg(drawn(series(0, "A <b>", 5.0, 0.0, "withheld", "withheld", "no_data", "suspended", "withdrawn", 7.0,
		7.0)))
	if n := strings.Count(got, "<circle"); n != 4 {
		t.Errorf("%d points; want the four numbers, zero among them", n)
	}
	for _, mark := range []string{"gap withheld", "gap no_data", "gap withdrawn", "gap suspended"} {
		if n := strings.Count(got, `class="`+mark+`"`); n != 1 {
			t.Errorf("%s is there %d times; a stretch is one mark", mark, n)
		}
	}
	if n := strings.Count(got, `class="s0 d0 line"`); n != 2 {
		t.Errorf("%d lines; the line must break where there is no number", n)
	}
	if !strings.Contains(got, ">withheld on purpose<") || !strings.Contains(got, `class="halted"`) {
		t.Error("what is withheld is not said where it is drawn, or a suspension is not shaded")
	}
	if !strings.Contains(got, "A &lt;b&gt;") || strings.Contains(got, "<b>") {
		t.Error("a name is not escaped")
	}
	if odd := svg(drawn(series(0, "a", 5.0, `x"><b>`))); strings.Contains(odd, "<b>") {
		t.Error("a look, which several gateways may write to a store, is not escaped")
	}
	empty := svg(drawn(series(0, "a", "withheld", "no_data")))
	if !strings.Contains(empty, "No number was published in this span.") || strings.Contains(empty, "<circle") {
		t.Error("a chart without a number does not say so")
	}
	over := drawn(series(0, "a", 5.0, 5.0, 5.0, 5.0))
	over.Ended = noon.Add(quarter)
	if got := svg(over); strings.Count(got, `class="gap ended"`) != 2 || !strings.Contains(got, ">ended<") {
		t.Error("what has ended is not drawn so")
	}
}

// TestOneColourForEver: a place looks the same whatever is drawn beside it, and no two of the
// first forty look the same.
func TestOneColourForEver(t *testing.T) {
	class := regexp.MustCompile(`class="(s\d d\d) line"`)
	alone := class.FindStringSubmatch(svg(drawn(series(5, "b", 1.0, 2.0))))[1]
	both := class.FindAllStringSubmatch(svg(drawn(series(2, "a", 1.0, 2.0), series(5, "b", 1.0, 2.0))), -1)
	if len(both) != 2 || both[1][1] != alone {
		t.Errorf("alone it is %q, beside another %q", alone, both)
	}
	seen := map[string]bool{}
	for n := range 40 {
		st := PlaceStyle(n, "line")
		if seen[st.Class] || st.Stroke != Colours[n%len(Colours)] {
			t.Errorf("place %d is %+v", n, st)
		}
		seen[st.Class] = true
	}
}

// TestNames stand at the lines' ends, each apart from the next, and in the lines' colours.
func TestNames(t *testing.T) {
	var list []Series
	for n := range 8 {
		list = append(list, series(n, fmt.Sprint("Place ", n), 100.0, 100.0))
	}
	name := regexp.MustCompile(`class="s(\d) d\d name" x="([\d.]+)" y="([\d.]+)">Place (\d)<`)
	for _, f := range []form{wideForm, narrowForm} {
		p := drawn(list...).plot(f)
		last := -100.0
		found := name.FindAllStringSubmatch(p.on.Embedded("chart", "c"), -1)
		for _, m := range found {
			var x, y float64
			_, _ = fmt.Sscan(m[2], &x)
			_, _ = fmt.Sscan(m[3], &y)
			if m[1] != m[4] || y-last < small || x < p.right || y < 0 || y > p.on.High ||
				x+picture.Width("Place 0", small, true) > p.on.Wide {
				t.Errorf("%v stands at %v %v, after one at %v", m[0], x, y, last)
			}
			last = y
		}
		if len(found) != 8 {
			t.Errorf("%d names", len(found))
		}
	}
}

func TestApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Float64Range(-50, 350), 1, 12).Draw(t, "heights")
		slices.Sort(list)
		apart(list, 14, 10, 300)
		for i := range list {
			if list[i] < 10-1e-6 || list[i] > 300+1e-6 || i > 0 && list[i]-list[i-1] < 14-1e-6 {
				t.Fatalf("they are at %v", list)
			}
		}
	})
}

// TestScale: counts begin at zero, levels where they are; a near limit is a line, a far one is
// named at the edge.
func TestScale(t *testing.T) {
	for _, x := range []struct {
		values   []any
		level    bool
		limit    float64
		min, max float64
		line     bool
	}{
		{[]any{50.0, 90.0}, false, 0, 0, 100, true}, {[]any{51.0, 69.0}, true, 65, 40, 80, true},
		{[]any{50.0, 90.0}, false, 200, 0, 200, true}, {[]any{50.0, 90.0}, false, 5000, 0, 100, false},
		{[]any{-12.0, 8.0}, false, 0, -20, 20, true}, {[]any{60.0}, true, 60, 56, 64, true},
	} {
		c := drawn(series(0, "a", x.values...))
		c.Level, c.Limits = x.level, []Limit{{x.limit, "limit", "much"}}
		p := c.plot(wideForm)
		if p.min != x.min || p.max != x.max {
			t.Errorf("%v goes from %v to %v; want %v to %v", x.values, p.min, p.max, x.min, x.max)
		}
		got := p.on.Embedded("chart", "c")
		if line := strings.Contains(got, `class="limit"`); line != x.line || !strings.Contains(got, "limit<") {
			t.Errorf("%v, limit %v: drawn as a line: %v", x.values, x.limit, line)
		}
	}
}

// TestLimitsApart: the names of limits that are close do not touch, and each is there.
func TestLimitsApart(t *testing.T) {
	c := drawn(series(0, "a", 20.0, 30.0))
	c.Limits = []Limit{{45, "guide", "45"}, {50, "law", "50"}, {48, "plan", "48"}, {900, "far", "900"}}
	name := regexp.MustCompile(`class="limit-name" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)<`)
	last := map[string]float64{}
	var found []string
	for _, m := range name.FindAllStringSubmatch(svg(c), -1) {
		var y float64
		if _, err := fmt.Sscan(m[2], &y); err != nil || y-last[m[1]] < small {
			t.Errorf("%s is at %v, the one before at %v", m[3], y, last[m[1]])
		}
		last[m[1]] = y
		found = append(found, m[3])
	}
	if got := strings.Join(found, " "); got != "↑ far law plan guide 50 48 45" {
		t.Errorf("the limits are %q", got)
	}
}

// TestNothingHidesNumbers: no word of a chart, with its halo, lies where numbers are drawn.
func TestNothingHidesNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(0, 100)
		var list []Series
		for place := range rapid.IntRange(1, 8).Draw(t, "places") {
			s := series(place, fmt.Sprint("Place ", place), 0.0)
			for n := range 96 {
				s.Marks = append(s.Marks, at(n, value.Draw(t, "value")))
			}
			list = append(list, s)
		}
		c := drawn(list...)
		c.Level = rapid.Bool().Draw(t, "level")
		for n := range rapid.IntRange(0, 4).Draw(t, "limits") {
			name := fmt.Sprint("a limit with a long name ", n)
			c.Limits = append(c.Limits, Limit{value.Draw(t, "limit"), name, "99.5"})
		}
		for _, f := range []form{wideForm, narrowForm} {
			p := c.plot(f)
			for _, b := range p.on.Words() {
				if b.Right > p.left && b.Left < p.right && b.Foot > p.top-3 && b.Top < p.foot+3 {
					t.Fatalf("%q lies on the numbers: %+v", b.Text, b)
				}
				if b.Left < -1 || b.Right > p.on.Wide+1 || b.Top < -1 || b.Foot > p.on.High+1 {
					t.Fatalf("%q is not on the sheet: %+v", b.Text, b)
				}
			}
		}
	})
}

// TestTimes looks at the words of the lower axis: the first and the last tick have theirs, and
// none touches the next.
func TestTimes(t *testing.T) {
	place, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2026, 3, 30, 0, 0, 0, 0, place) // the clocks have changed the day before
	for span, want := range map[time.Time]string{
		end.Add(-time.Hour):   "23:00 23:10 23:20 23:30 23:40 23:50 00:00",
		end.AddDate(0, 0, -1): "00:00 04:00 06:00 08:00 10:00 12:00 14:00 16:00 18:00 20:00 22:00 00:00",
		end.AddDate(0, 0, -7): "Mon 23 Mar,Tue 24 Mar,Wed 25 Mar,Thu 26 Mar,Fri 27 Mar,Sat 28 Mar,Sun 29 Mar," +
			"Mon 30 Mar",
		end.AddDate(0, -1, 0): "6 Mar,11 Mar,16 Mar,21 Mar,26 Mar",
		end.AddDate(-1, 0, 0): "Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,Jan 2026,Feb,Mar",
	} {
		c := drawn(series(0, "a", 1.0))
		c.Zone, c.From, c.To = place, span, end
		for _, f := range []form{wideForm, narrowForm} {
			p := c.plot(f)
			s, list := p.stride()
			var words []string
			last := -100.0
			for _, at := range list {
				words = append(words, s.say(p, at))
				half := picture.Width(s.say(p, at), small, false) / 2
				if x := p.x(at); x-half < last {
					t.Errorf("%s touches the one before", s.say(p, at))
				} else {
					last = x + half
				}
			}
			got := strings.Join(words, " ")
			if strings.Contains(want, ",") {
				got = strings.Join(words, ",")
			}
			if f == wideForm && got != want {
				t.Errorf("from %v it is %s; want %s", span, got, want)
			}
			svg := p.on.Embedded("chart", "c")
			if len(words) < 2 || strings.Count(svg, ">"+words[len(words)-1]+"<") == 0 {
				t.Errorf("from %v, %v wide: %q, and the last is not there", span, f.wide, words)
			}
		}
	}
}

// TestCompared draws what is compared behind all lines, without points.
func TestCompared(t *testing.T) {
	s := series(1, "a", 5.0, 6.0)
	s.Before = series(1, "", 900.0, 1000.0).Marks
	got := svg(drawn(s))
	ghost, line := strings.Index(got, `class="s1 d1 ghost"`), strings.Index(got, `class="s1 d1 line"`)
	if ghost < 0 || line < ghost || !strings.Contains(got, ">1,000<") {
		t.Errorf("what is compared is at %d, the line at %d", ghost, line)
	}
}

// TestPageAndFile: a page has the chart twice with ids of its own, a file has all that must
// travel with it.
func TestPageAndFile(t *testing.T) {
	c := drawn(series(0, "La Rambla", 5.0, 6.0, "withheld"))
	page := string(c.Page())
	ids := regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1)
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id[1]] {
			t.Errorf("the id %s is there twice", id[1])
		}
		seen[id[1]] = true
	}
	if len(ids) < 4 || strings.Count(page, "data-left=") != 2 {
		t.Errorf("the page has the ids %v", ids)
	}
	sheet := c.File(Frame{Title: "Footfall & more", Below: "NO₂, today", Notes: []string{"In 95 of 100 cases"},
		Source: "Portalba · decision 2026-14"})
	file := string(sheet.SVG())
	for _, want := range []string{"Footfall &amp; more", "NO₂, today", "In 95 of 100 cases", "decision 2026-14",
		"La Rambla", `stroke="#0b5d7a"`} {
		if !strings.Contains(file, want) {
			t.Errorf("the file does not have %q", want)
		}
	}
	for _, not := range []string{"class=", "<style", "style=", "href"} {
		if strings.Contains(file, not) {
			t.Errorf("the file has %q, which it cannot use", not)
		}
	}
	if raw, err := sheet.PNG(2); err != nil || len(raw) < 5000 || len(raw) > 500_000 {
		t.Errorf("the PNG has %d bytes: %v", len(raw), err)
	}
}

// TestMini is a line without words; of nothing it is words alone.
func TestMini(t *testing.T) {
	if got := string(Mini(series(3, "", 5.0, 6.0), "La <Rambla>", "m1")); !strings.Contains(got, `class="s3 d3 line"`) ||
		!strings.Contains(got, "La &lt;Rambla&gt;") || strings.Contains(got, "<text") {
		t.Errorf("it is %s", got)
	}
	if got := string(Mini(Series{}, "none", "m2")); strings.Contains(got, "<svg") || !strings.Contains(got, "none") {
		t.Errorf("of nothing it is %s", got)
	}
}

// TestChartIsXML draws whatever comes: it is well formed and every number is one.
func TestChartIsXML(t *testing.T) {
	odd := regexp.MustCompile(`NaN|Inf`)
	rapid.Check(t, func(t *rapid.T) {
		var values []any
		for n := range rapid.IntRange(1, 2000).Draw(t, "windows") {
			switch rapid.IntRange(0, 9).Draw(t, fmt.Sprint("kind", n%3)) {
			case 0:
				values = append(values, "withheld")
			case 1:
				values = append(values, "no_data")
			default:
				values = append(values, rapid.Float64Range(-1e9, 1e9).Draw(t, "value"))
			}
		}
		page := string(drawn(series(0, "a", values...)).Page())
		d := xml.NewDecoder(strings.NewReader("<all>" + page + "</all>"))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if odd.MatchString(page) || len(page) > 300_000 {
			t.Fatalf("the chart has %d bytes, or what is no number", len(page))
		}
	})
}

// TestM4 keeps in each column of the picture its first, lowest, highest and last.
func TestM4(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 50).Draw(t, "values")
		var c []Mark
		for n, v := range values {
			c = append(c, at(n, v))
		}
		kept := m4(c)
		var shown []float64
		for _, i := range kept {
			shown = append(shown, values[i])
		}
		if !slices.IsSorted(kept) || kept[0] != 0 || kept[len(kept)-1] != len(values)-1 ||
			slices.Max(shown) != slices.Max(values) || slices.Min(shown) != slices.Min(values) || len(kept) > 4 {
			t.Fatalf("of %v it keeps %v", values, kept)
		}
	})
}
