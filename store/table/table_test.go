package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"sluice/store"
)

// TestText: what the books commit to is these bytes, for ever.
func TestText(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	v, low, high := 1e21, -2.5, 1e-7
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	rows := []store.Observation{
		{Gateway: "edge-1", Stream: "s", Start: start, End: start.Add(time.Hour), Every: "PT1H", Cell: "a/b", Zone: "a",
			Category: "b", Measure: "m", Status: store.Published, Value: &v, Low: &low, High: &high, Unit: "dB",
			Decision: "2026-1", Policy: "p", Mechanism: "laplace", Epsilon: 0.1, Scale: 10, Threshold: 5, Ledger: 7},
		{Stream: "s", Start: start, End: start.Add(time.Hour), Every: "PT1H", Cell: "c", Zone: "c", Measure: "m",
			Status: store.Withdrawn, Reason: "=a \"fault\", of ours", Unit: "dB", Simulation: true},
	}
	const want = `start_utc,start_local,every,cell,measure,value,status,low,high,unit,decision,simulation,` +
		`end_utc,zone,category,gateway,reason,policy,mechanism,epsilon,scale,threshold,ledger
2026-07-01T10:00:00Z,2026-07-01T12:00:00+02:00,PT1H,a/b,m,1000000000000000000000,published,-2.5,0.0000001,dB,2026-1,` +
		`false,2026-07-01T11:00:00Z,a,b,edge-1,,p,laplace,0.1,10,5,7
2026-07-01T10:00:00Z,2026-07-01T12:00:00+02:00,PT1H,c,m,,withdrawn,,,dB,,true,2026-07-01T11:00:00Z,c,,,` +
		`"'=a ""fault"", of ours",,,0,0,,
`
	var b bytes.Buffer
	w, d := NewWriter(&b, madrid), NewDigest(madrid)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil || b.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, &b, want)
	}
	sum := sha256.Sum256([]byte(want))
	if n, sha, err := d.Sum(); err != nil || n != 2 || sha != hex.EncodeToString(sum[:]) {
		t.Errorf("%d rows, %s, %v", n, sha, err)
	}
	list, err := csv.NewReader(strings.NewReader(want)).ReadAll()
	if err != nil || len(list) != 3 || len(list[2]) != len(Columns) {
		t.Errorf("it is read as %d rows, %v", len(list), err)
	}
}
