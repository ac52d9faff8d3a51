package verify

import (
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
)

// zoned2 gives two gateways a zone each.
const zoned2 = `{"features":[{"id":"a","properties":{"gateway":"one"}},{"id":"b","properties":{"gateway":"two"}}]}`

// gatewayOf are the right books of a gateway that has one zone of the stream, and what is
// shown of it.
func gatewayOf(t *testing.T, name, zone string) *fake {
	t.Helper()
	f := right(t)
	f.plan.Zones, f.plan.Cells = []string{zone}, nil
	if err := f.plan.Finish(); err != nil {
		t.Fatal(err)
	}
	f.city, f.zones, f.canon = name, zoned2, f.plan.Canonical()
	f.entries[0].Gateway, f.entries[0].Plan = name, f.plan.Digest
	for n := range f.shown {
		o, r := &f.shown[n], &f.releases[n]
		o.Gateway, o.Cell, o.Zone = name, zone, zone
		r.Gateway, r.Plan, r.SHA256 = name, f.plan.Digest, store.Digest([]store.Observation{*o})
	}
	return f
}

// pair is two gateways' books and one server.
type pair struct{ one, two *fake }

func (p *pair) Streams(context.Context) ([]string, error) { return []string{"s"}, nil }

func (p *pair) Walk(_ context.Context, _ string, page func([]Observation) error) error {
	all := slices.Concat(p.one.shown, p.two.shown)
	slices.SortStableFunc(all, func(a, b Observation) int { return a.Start.Compare(b.Start) })
	for rows := range slices.Chunk(all, 3) {
		if err := page(rows); err != nil {
			return err
		}
	}
	return nil
}

// unnamed has no row say whose it is, as in stores of before.
func (p *pair) unnamed() {
	for _, f := range []*fake{p.one, p.two} {
		for n := range f.shown {
			f.shown[n].Gateway = ""
		}
	}
}

func number(o *store.Observation, v float64) { o.Value, o.Low, o.High = &v, &v, &v }

// TestCharters: two gateways with different charters are named, and nothing is wrong with
// their numbers.
func TestCharters(t *testing.T) {
	for _, x := range []struct{ one, two, want string }{
		{"", "", ""}, {"aa", "", ""}, {"", "aa", ""}, {"aa", "aa", ""},
		{"aaaaaaaaaa", "bbbbbbbbbb", "gateway one has aaaaaaaa, gateway two has bbbbbbbb"},
	} {
		p := &pair{gatewayOf(t, "one", "a"), gatewayOf(t, "two", "b")}
		p.one.charter, p.two.charter = x.one, x.two
		r, err := Check(books.Reader{Source: p.one}, books.Reader{Source: p.two})
		if err != nil || strings.Join(r.Charters, ", ") != x.want || len(r.Problems) > 0 {
			t.Errorf("%q and %q: %+v, %v", x.one, x.two, r, err)
		}
		if _, err := exec.LookPath("python3"); err != nil {
			continue // TestStrangersKnowWhoseLinesAre says that it is missing
		}
		const differ = "the gateways' charters differ ("
		out, err := exec.Command("python3", "../docs/verify.py", written(t, p.one), written(t, p.two)).CombinedOutput()
		if said := string(out); err != nil || strings.Contains(said, differ) != (x.want != "") ||
			!strings.Contains(said, x.want) {
			t.Errorf("%q and %q: docs/verify.py ends with %v:\n%s", x.one, x.two, err, out)
		}
	}
}

// TestTwoGateways: an honest city with two gateways is right, whether rows say whose they
// are or not; what one of them forges is found, and it is said whose it is.
func TestTwoGateways(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*pair)
		named string
	}{
		"nothing":            {func(*pair) {}, ""},
		"nothing, of before": {func(p *pair) { p.unnamed() }, ""},
		"a number of one": {func(p *pair) {
			number(&p.one.shown[1], 7)
		}, "gateway one: s at 2026-03-02T13:00:00Z: what is shown is not what was released"},
		"a number of two": {func(p *pair) {
			number(&p.two.shown[0], 7)
		}, "gateway two: s at 2026-03-02T12:00:00Z: what is shown is not what was released"},
		"a number of two, of before": {func(p *pair) {
			p.unnamed()
			number(&p.two.shown[0], 7)
		}, "gateway two: s at 2026-03-02T12:00:00Z: what is shown"},
		"two's row gone": {func(p *pair) {
			p.two.shown = p.two.shown[:1]
		}, "gateway two: s at 2026-03-02T13:00:00Z: it was released and is not shown"},
		"one's line gone": {func(p *pair) {
			p.one.releases = p.one.releases[:1]
		}, "it is shown and was never released by gateway one"},
		"one's line gone, of before": {func(p *pair) {
			p.unnamed()
			p.one.releases = nil
			p.one.shown = p.one.shown[:1]
		}, "s at 2026-03-02T12:00:00Z: it is shown and was never released"},
		"one says two's zone": {func(p *pair) {
			o := p.one.shown[0]
			o.Cell, o.Zone = "b", "b"
			p.one.shown = append(p.one.shown, o)
		}, "gateway one: s at 2026-03-02T12:00:00Z: what is shown is not what was released"},
		"one's row under two's name": {func(p *pair) {
			p.one.shown[0].Gateway = "two"
		}, "gateway two: s at 2026-03-02T12:00:00Z: what is shown"},
		"a third's row": {func(p *pair) {
			o := p.one.shown[0]
			o.Gateway = "three"
			p.one.shown = append(p.one.shown, o)
		}, "never released by gateway three"},
		"both have released a": {func(p *pair) {
			p.two = gatewayOf(t, "two", "a")
		}, "gateways one and two have both released a"},
		"one late, with both": {func(p *pair) { late(p, t) }, ""},
		"two's stream has one's zone": {func(p *pair) {
			described(t, p.two, 3).Cells = []books.Cell{{ID: "a", Zone: "a"}}
		}, "gateway two: stream s has the zone a, which zones.geojson gives to gateway one"},
		"two's stream had one's zone": {func(p *pair) {
			s := described(t, p.two, 3)
			s.Cells, s.Stopped = []books.Cell{{ID: "a", Zone: "a"}}, true
		}, ""},
		"another city": {func(p *pair) {
			p.one.cityID, p.two.cityID = "portalba", "girona"
		}, "is of city"},
		"one forges a window of two": {func(p *pair) {
			forgeAs(p.one, p.two, 0)
		}, "gateway one: its books have lines of gateway two, whose books are others"},
		"one forges a window that two has not": {func(p *pair) {
			forgeAs(p.one, p.two, 0)
			p.two.releases = p.two.releases[1:]
		}, "gateway one: its books have lines of gateway two"},
		"two's window withdrawn": {func(p *pair) { hide(p.two) }, ""},
		"two's window withdrawn by one": {func(p *pair) {
			hide(p.two)
			p.one.hidden, p.two.hidden = p.two.hidden, nil
		}, "gateway two: s at 2026-03-02T12:00:00Z: what is shown"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pair{gatewayOf(t, "one", "a"), gatewayOf(t, "two", "b")}
			c.spoil(p)
			r, err := checkAPI(t.Context(), []books.Reader{{Source: p.one}, {Source: p.two}}, p, func(int, int) {},
				time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(r.Problems, "\n")
			if c.named == "" && all != "" || !strings.Contains(all, c.named) {
				t.Errorf("it finds %q; want %q", all, c.named)
			}
			if c.named == "" && (r.Gateways != 2 || r.Releases != 4 || len(r.Elsewhere) > 0) {
				t.Errorf("the report is %+v", r)
			}
		})
	}
}

// late: zone a went from one to two, and one took the motion a window late, so that both
// have released it, under two versions of the policy.
func late(p *pair, t *testing.T) {
	p.two = gatewayOf(t, "two", "a")
	p.two.zones = strings.ReplaceAll(zoned2, "one", "two")
	for n := range p.two.shown {
		p.two.shown[n].Policy, p.two.releases[n].Policy = "new", "new"
	}
}

// forgeAs has the books of one gateway say that another has released another number.
func forgeAs(one, two *fake, n int) {
	o, r, e := &two.shown[n], two.releases[n], two.entries[0]
	number(o, 70)
	o.Cell, o.Zone = "a", "a"
	e.Plan = one.plan.Digest
	one.entries = append(one.entries, e)
	r.Plan, r.Ledger, r.SHA256 = e.Plan, int64(len(one.entries)), store.Digest([]store.Observation{*o})
	one.releases = append(one.releases, r)
}

func hide(f *fake) {
	f.shown[0] = f.shown[0].Withdraw("wrong")
	f.hidden = []books.Withdrawal{{N: 1, Stream: "s", Start: f.shown[0].Start, Reason: "wrong"}}
}

// TestElsewhere: a gateway that has zones and whose books are not here is said, and is no
// error: a city may have a server for each.
func TestElsewhere(t *testing.T) {
	f := gatewayOf(t, "one", "a")
	r, err := checkAPI(t.Context(), []books.Reader{{Source: f}}, f, func(int, int) {}, time.Millisecond)
	if err != nil || len(r.Problems) > 0 || !slices.Equal(r.Elsewhere, []string{"two"}) {
		t.Errorf("%+v, %v", r, err)
	}
	if raw, err := json.Marshal(r); err != nil || strings.Contains(string(raw), "gateways\":") {
		t.Errorf("%s, %v", raw, err)
	}
}
