package ingest

import (
	"encoding/json"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
)

// TestRecordsStay: what the log says of the state is byte for byte what earlier versions
// have written, and so is read by them and by later ones.
func TestRecordsStay(t *testing.T) {
	a := account{Received: 9, Counted: 2, Duplicate: 1, Late: 1, Refused: map[string]int64{"E101": 3}}
	later := noon.Add(time.Hour)
	full := facts{
		At: 7, Shown: account{Received: 1, Refused: map[string]int64{}, Open: 1},
		Next: map[string]time.Time{"s": later},
		Closes: []closing{{Stream: "s", Start: noon, End: later, Policy: "v", Down: true, Gap: "broker_away",
			Readings: 2}},
		Lost: []string{"w-1772452800-s"}, Unread: true, LostUntil: noon, Session: true, Secret: []byte("x"),
		Lives: []string{"l"}, Dropped: 1,
		Holes: []gap{{noon, later, reasonLost}},
	}
	for name, c := range map[string]struct {
		record any
		want   string
	}{
		"account": {&accountRecord{Now: noon, account: a, FactsAt: 7, HeardCount: 4},
			`{"now":"2026-03-02T12:00:00Z","received":9,"counted":2,"duplicate":1,"late":1,"refused":{"E101":3},"facts_at":7,"heard_count":4}`},
		"facts": {&full,
			`{"at":7,"shown":{"received":1,"counted":0,"duplicate":0,"late":0,"refused":{},"open":1},"next":{"s":"2026-03-02T13:00:00Z"},` +
				`"closes":[{"stream":"s","start":"2026-03-02T12:00:00Z","end":"2026-03-02T13:00:00Z","policy":"v","down":true,"gap":"broker_away","readings":2}],` +
				`"lost":["w-1772452800-s"],"unread":true,"lost_until":"2026-03-02T12:00:00Z","session":true,"secret":"eA==","lives":["l"],"dropped":1,` +
				`"holes":[{"from":"2026-03-02T12:00:00Z","until":"2026-03-02T13:00:00Z","reason":"broker_lost_queue"}]}`},
		"no facts": {&facts{Next: map[string]time.Time{}},
			`{"at":0,"shown":{"received":0,"counted":0,"duplicate":0,"late":0,"refused":null},"next":{},"closes":null,"lost":null,"lost_until":"0001-01-01T00:00:00Z"}`},
	} {
		if got, err := json.Marshal(c.record); err != nil || string(got) != c.want {
			t.Errorf("%s is written as\n%s (%v); want\n%s", name, got, err, c.want)
		}
	}
	if got := keyName("e", "s", noon); got != "e-1772452800-s" {
		t.Errorf("an epoch's key is named %s", got)
	}
	// A version that wrote all of it in each commit.
	v := newRecovered()
	body := []byte(
		`{"now":"2026-03-02T12:00:00Z","received":9,"counted":2,"bounded":3,"refused":{"E101":4},"next":{"s":"2026-03-02T13:00:00Z"},"closes":null,"lost":null,"heard":[5,5,6]}`)
	for range 2 { // each commit had one
		if err := v.read(checkpoint.Record{Kind: checkpoint.State, Body: body}); err != nil ||
			!v.facts.Next["s"].Equal(later) || v.Received != 9 || len(v.heard) != 2 {
			t.Errorf("a record of an earlier version is read as %+v (%v)", v, err)
		}
		if !v.whole() {
			t.Error("a record of an earlier version counts as one of which a part is lost")
		}
	}
}
