package privacy

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// share is what is said of an epoch.
type share struct {
	Start, End       time.Time
	Value, Low, High float64
}

// TestWhoWasTurnedAway: 300 devices pass, and 60 of them come back when they count no more.
// Every page, the interface and its tables say that share with its interval when the day is
// over, and not before; it is no number of the stream; kills around the day's end change
// nothing of it; and the checks of strangers find the two numbers in the books.
func TestWhoWasTurnedAway(t *testing.T) {
	for _, where := range []string{"sqlite", "influx"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			c := harness.Found(t, harness.Small())
			if where == "influx" {
				c.KeepShared()
			}
			c.Begin()
			for hour, n := range []int{300, 60, 60} {
				for i := range n {
					c.Link.Publish("city/v1/acme/wifi-1/up",
						fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"device":"of-the-day-%d","rssi":-50}}`,
							harness.Ten.Add(time.Duration(hour)*time.Hour+time.Minute).Format(time.RFC3339),
							hour*1000+i, i),
						false)
				}
				if err := c.Link.Flush(); err != nil {
					t.Fatal(err)
				}
				c.Tick(harness.Ten.Add(time.Duration(hour+1)*time.Hour + 3*time.Minute))
			}
			c.Stored()
			if s := turned(c, t); s != nil {
				t.Errorf("before the day is over the share is %+v", s)
			}
			harness.Want(t, page(t, c.Opendata, "/streams/devices"),
				`How many devices reach the limit of 1 and are not counted after that is not known yet`)
			c.Gateway.Kill()
			c.Run()
			connectAgain(c)
			c.Tick(harness.Ten.Add(17 * time.Hour)) // the day after
			c.Stored()
			first := turned(c, t)
			if first == nil || math.Abs(first.Value-0.2) > 0.08 ||
				first.Low > first.Value || first.High < first.Value ||
				first.End.Sub(first.Start) != 24*time.Hour {
				t.Fatalf("the share is %+v; 60 of 300 were turned away", first)
			}
			c.Gateway.Kill()
			c.Run()
			connectAgain(c)
			c.Tick(harness.Ten.Add(18 * time.Hour))
			c.Stored()
			if again := turned(c, t); again == nil || *again != *first {
				t.Errorf("after a kill the share is %+v; it was %+v", again, first)
			}
			shownBeside(c, t, *first)
			for _, check := range []func() (int, string){
				func() (int, string) { return harness.Verb(t, "verify", c.Opendata) }, func() (int, string) {
					return harness.Stranger(t, c.Opendata)
				},
			} {
				if code, out := check(); code != 0 {
					t.Errorf("%d\n%s", code, out)
				}
			}
		})
	}
}

// turned is the share that the list of streams has of the stream of devices; nil for null.
func turned(c *harness.City, t *testing.T) *share {
	t.Helper()
	time.Sleep(300 * time.Millisecond) // for so long the answer is kept
	var list struct {
		Streams []struct {
			ID    string
			Share *share `json:"bounded_share"`
		}
	}
	harness.GetJSON(t, c.Opendata+"/api/v1/streams", &list)
	for _, s := range list.Streams {
		if s.ID == "devices" {
			return s.Share
		}
	}
	t.Fatal("there is no stream of devices")
	return nil
}

// connectAgain connects the sensors to a gateway that was started anew.
func connectAgain(c *harness.City) { c.Link = c.Connect() }

// shownBeside looks for the share beside the numbers, and for the two that it is made of.
func shownBeside(c *harness.City, t *testing.T, s share) {
	t.Helper()
	path := "/api/v1/streams/devices/observations?" +
		url.Values{"from": {harness.Ten.Format(time.RFC3339)},
			"to":    {harness.Ten.Add(24 * time.Hour).Format(time.RFC3339)},
			"limit": {"1000"}}.Encode()
	var answer struct {
		Items  []harness.Item
		Epochs []struct {
			Units, Bounded harness.Item
			Share          *share `json:"bounded_share"`
		}
	}
	harness.GetJSON(t, c.Opendata+path, &answer)
	for _, o := range answer.Items {
		if o.Cell != "square" || o.Measure != "devices" {
			t.Errorf("among the stream's numbers is %+v", o)
		}
	}
	if len(answer.Items) == 0 || len(answer.Epochs) != 1 {
		t.Fatalf("there are %d numbers and %d epochs", len(answer.Items), len(answer.Epochs))
	}
	e := answer.Epochs[0]
	if e.Share == nil || *e.Share != s || e.Units.Value == nil || math.Abs(*e.Units.Value-300) > 40 ||
		e.Bounded.Value == nil || math.Abs(*e.Bounded.Value-60) > 40 || e.Units.Scale != 2.5 {
		t.Errorf("the epoch is %+v", e)
	}
	_, _, csv := harness.Get(t, c.Opendata+path+"&format=csv")
	head, rows, _ := strings.Cut(string(csv), "\n")
	if !strings.HasSuffix(head, ",simulation,bounded_share,bounded_share_low,bounded_share_high,gateway") ||
		!strings.Contains(rows, fmt.Sprintf(",true,%v,%v,%v,test-1\n", s.Value, s.Low, s.High)) {
		t.Errorf("the table is\n%.600s", csv)
	}
	said :=
		`\d+(\.\d)? % of devices \(\d+(\.\d)? to \d+(\.\d)? %, in 95 of 100 cases\) reached the limit of 1 and were not counted after that`
	harness.Want(t, page(t, c.Opendata, "/streams/devices?day="+harness.Ten.Format(time.DateOnly)), said)
	harness.Want(t, page(t, c.Opendata, "/"), said)
	harness.Want(t, page(t, c.Opendata, "/?lang=ca"), `va arribar al límit de 1`)
	harness.Want(t, page(t, c.Opendata, "/?lang=es"), `llegó al límite de 1`)
}

func page(t *testing.T, base, path string) string {
	t.Helper()
	_, _, body := harness.Get(t, base+path)
	return string(body)
}
