package harness

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sluice/store"
	"sluice/store/influx"
	"sluice/store/sqlite"
)

// Pair is two gateways of one town, one store, and one open-data server beside the first.
type Pair struct {
	T        *testing.T
	One, Two *City
	n        int // of the last message
}

// Hour has somebody pass in both zones, and both clocks two minutes over the hour.
func (p *Pair) Hour(at time.Time) {
	p.T.Helper()
	p.Pass(p.One, "1", 10, at)
	p.Pass(p.Two, "2", 20, at)
}

// Pass has people and devices pass in a zone, and its gateway's clock go on.
func (p *Pair) Pass(c *City, zone string, people int, at time.Time) {
	p.T.Helper()
	p.n++
	c.Send("gate-"+zone, Gate(p.n, at, people))
	for d := range people {
		p.n++
		c.Send("wifi-"+zone,
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:%s:%02x:%02x","rssi":-50}}`,
				at.Format(time.RFC3339), p.n, zone+zone, d, at.Hour()))
	}
	c.Tick(at.Add(time.Hour + 2*time.Minute))
}

// Verify is what a stranger finds.
func (p *Pair) Verify() (code int, said string) {
	p.T.Helper()
	cmd := exec.Command(Sluice, "verify", p.One.Opendata)
	out, _ := cmd.CombinedOutput() // the exit code says it
	return cmd.ProcessState.ExitCode(), string(out)
}

// Stream is what /api/v1/streams says of one.
func (p *Pair) Stream(id string) (s struct {
	ID          string
	Cells       []struct{ ID string }
	ClosedUntil time.Time `json:"closed_until"`
}) {
	p.T.Helper()
	var answer struct {
		Streams []struct {
			ID          string
			Cells       []struct{ ID string }
			ClosedUntil time.Time `json:"closed_until"`
		}
	}
	GetJSON(p.T, p.One.Opendata+"/api/v1/streams", &answer)
	for _, x := range answer.Streams {
		if x.ID == id {
			return x
		}
	}
	p.T.Fatalf("there is no stream %s in %+v", id, answer)
	return s
}

// KeepIn has both gateways write to one store, and gives what changes it behind their backs.
func (p *Pair) KeepIn(kind string) (forge func(store.Observation)) {
	p.T.Helper()
	if kind == "influx" {
		url, bucket := SharedInflux(p.T)
		p.One.KeepAt(url, bucket)
		p.Two.KeepAt(url, bucket)
		return func(o store.Observation) {
			s, err := influx.Open(influx.Config{URL: url, Org: "city", Bucket: bucket})
			NoError(p.T, err)
			defer s.Close()
			NoError(p.T, s.Write(context.Background(), []store.Observation{o}))
		}
	}
	path := filepath.Join(p.One.Dir, "state/store.db")
	AppendTo(p.T, filepath.Join(p.Two.Dir, "gateway.yaml"), fmt.Sprintf("store: {sqlite: {path: %q}}\n", path))
	return func(o store.Observation) {
		s, err := sqlite.Open(context.Background(), path)
		NoError(p.T, err)
		defer s.Close()
		if o.Status == store.Published {
			NoError(p.T, s.Write(context.Background(), []store.Observation{o.Withdraw("x")}))
		}
		NoError(p.T, s.Write(context.Background(), []store.Observation{o}))
	}
}
