package town

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/store"
)

// webSocket is where sensors connect by WebSocket, as a URL; empty for nowhere.
func (t *Town) webSocket() string {
	if addr := t.gateway.WebSocket(); addr != "" {
		return "ws://" + addr
	}
	return ""
}

// banner prints what runs, what is simulated and what to try.
func (t *Town) banner() {
	web := "http://" + t.open.Addr()
	if t.o.JSON {
		line, err := json.Marshal(struct {
			OpenData  string `json:"opendata"`
			MQTT      string `json:"mqtt"`
			WebSocket string `json:"websocket,omitempty"`
			Admin     string `json:"admin"`
			Dir       string `json:"dir"`
		}{web, "tcp://" + t.gateway.MQTT(), t.webSocket(), "http://" + t.gateway.Admin(), t.o.Dir})
		if err == nil {
			fmt.Fprintf(t.o.Out, "%s\n", line)
		}
		return
	}
	if !t.o.Demo {
		t.bannerOwn()
		return
	}
	host, port, _ := net.SplitHostPort(t.gateway.MQTT())
	fmt.Fprintf(t.o.Out, `
  Sluice demo: the city of Portalba.

  Simulated: the city, its people, their devices and cards, and the clock (an hour passes in ten
  seconds, after yesterday has been replayed). The policy is unsigned, which only a simulation may run.
  Real: broker, gateway, policy engine, disclosure control, ledger, store and pages.

  Open data   %[1]s
  Sensors     tcp://%[2]s:%[3]s
  Health      http://%[4]s/readyz
  Policy      %[5]s (edit a file and save: it is in force from the next window on)
  Council     %[6]s has the keys of its seven members; docs/council.md goes through a vote

  Two sensors are yours. Publish a level, and see it on %[1]s/streams/noise?cell=carrer-nou
  when its quarter of an hour has closed, some seconds later:

    mosquitto_pub -h %[2]s -p %[3]s -q 1 -t city/v1/demo/yours-noise/up -m '{"fields":{"laeq":71.5}}'

  The other counts devices, on %[1]s/streams/footfall?cell=carrer-nou; one alone is withheld, as it should be:

    mosquitto_pub -h %[2]s -p %[3]s -q 1 -t city/v1/demo/yours-counter/up `+
		`-m '{"fields":{"device":"02:00:5e:00:00:01","rssi":-60}}'

  What the gateway drops, it says to the sensor, every ten seconds:

    mosquitto_sub -h %[2]s -p %[3]s -t 'city/v1/demo/+/feedback'

  Ctrl-C stops.

`, web, host, port, t.gateway.Admin(), filepath.Join(t.o.Dir, "policy"), t.o.keys())
}

// source reads what was released.
func (t *Town) source() *query.Source {
	return &query.Source{Store: t.store, Books: books.Reader{Source: books.Dir(filepath.Join(t.o.Dir, "public"))}}
}

// reportProblem prints in full what is wrong with the edited policy, and when it is repaired.
func (t *Town) reportProblem() {
	now := t.gateway.Problem()
	if now == t.problem || t.o.JSON {
		return
	}
	t.problem = now
	if now == "" {
		fmt.Fprint(t.o.Out, "\n  The policy can be used again.\n\n")
		return
	}
	fmt.Fprintf(t.o.Out, "\n  The policy was not reloaded; the one in force goes on:\n\n    %s\n\n",
		strings.ReplaceAll(now, "\n", "\n    "))
}

// summary prints the last day: how often each cell was published, withheld or without data, and
// its highest value.
func (t *Town) summary(ctx context.Context) {
	time.Sleep(300 * time.Millisecond) // the last releases are on their way to the store
	src := t.source()
	streams, err := src.Streams(ctx)
	if err != nil {
		return
	}
	if t.o.JSON {
		fmt.Fprintf(t.o.Out, "{\"event\":\"replayed\",\"now\":%q}\n", t.gateway.EventTime().Format(time.RFC3339))
		return
	}
	w := tabwriter.NewWriter(t.o.Out, 2, 2, 2, ' ', 0)
	fmt.Fprintln(w, "  The last day\t\tpublished\twithheld\tno data\thighest value")
	for _, st := range streams {
		list, err := src.Store.Observations(ctx, store.Query{
			Stream: st.ID, From: st.Through.Add(-24 * time.Hour), To: st.Through, Limit: 20 * query.MaxLimit,
		})
		if err != nil {
			return
		}
		for _, c := range st.Cells {
			for _, m := range st.Measures {
				fmt.Fprintf(w, "  %s\t%s\t%s\n", m.Name, c.ID, lastDay(list, c.ID, m.Name))
			}
		}
	}
	_ = w.Flush()
	fmt.Fprintln(t.o.Out)
}

func lastDay(list []store.Observation, cell, measure string) string {
	n := map[store.Status]int{}
	var top *store.Observation
	for i := range list {
		o := &list[i]
		if o.Cell != cell || o.Measure != measure {
			continue
		}
		n[o.Status]++
		if o.Value != nil && (top == nil || *o.Value > *top.Value) {
			top = o
		}
	}
	return fmt.Sprintf("%d\t%d\t%d\t%s", n[store.Published], n[store.Withheld], n[store.NoData], say(top))
}

func say(o *store.Observation) string {
	switch {
	case o == nil:
		return "-"
	case *o.Low == *o.High:
		return fmt.Sprintf("%.1f %s, exact", *o.Value, o.Unit)
	}
	return fmt.Sprintf("%.0f %s, between %.0f and %.0f", *o.Value, o.Unit, *o.Low, *o.High)
}

// hour prints one line for the hour that has just closed.
func (t *Town) hour(ctx context.Context, now time.Time) {
	src := t.source()
	start := now.Truncate(time.Hour).Add(-time.Hour)
	var parts []string
	for _, id := range []string{"footfall", "boardings", "air"} {
		list, err := src.Store.Observations(ctx,
			store.Query{Stream: id, From: start, To: start.Add(time.Hour), Limit: query.MaxLimit})
		if err != nil {
			return
		}
		for _, o := range list {
			if o.Measure == "boardings" || o.Measure == "pm10" {
				continue
			}
			text := string(o.Status)
			if o.Value != nil {
				text = fmt.Sprintf("%.0f", *o.Value)
			}
			parts = append(parts, fmt.Sprintf("%s %s %s", o.Zone, o.Measure, strings.ReplaceAll(text, "_", " ")))
		}
	}
	if t.o.JSON || len(parts) == 0 {
		return
	}
	loc, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		return
	}
	fmt.Fprintf(t.o.Out, "  %s-%s  %s\n", start.In(loc).Format("Mon 15:04"),
		start.Add(time.Hour).In(loc).Format("15:04"), strings.Join(parts, " · "))
}
