package admin

import (
	"context"
	"net/http"
	"time"

	"sluice/gateway/ingest"
)

// Watch is what a technician at the machine may know of sensors.
type Watch interface {
	Sensors(ctx context.Context) (*ingest.Sensors, error)
	Structures(ctx context.Context, span time.Duration) (*ingest.Structures, error)
}

// watchFor is how long ingest may take for an answer.
const watchFor = 5 * time.Second

// Sensors is the answer of /debug/sensors.
type Sensors struct {
	// Since is when the gateway began to count, From and Until the interval of codes about
	// people.
	Since   time.Time `json:"since"`
	From    time.Time `json:"from,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Sensors []Sensor  `json:"sensors"`
	Groups  []Group   `json:"groups"`
}

// Sensor is one that may be shown singly. Heard, Readings and PerMinute are of sensors about nobody.
type Sensor struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Zone   string `json:"zone"`
	Alive  *bool  `json:"alive"` // null where nobody knows
	People bool   `json:"about_people"`
	// Undecided says that no decision counts it, so that it is taken to be about people.
	Undecided bool `json:"no_decision,omitempty"`
	// Heard is when its last message came, Readings how many counted since Since, PerMinute
	// over the last full five minutes.
	Heard     time.Time `json:"heard,omitzero"`
	Readings  *int64    `json:"readings,omitempty"`
	PerMinute *float64  `json:"per_minute,omitempty"`
	Codes     []Code    `json:"codes"`
}

// Code is why readings did not count, and how many: of sensors about people in the last interval,
// as an order of magnitude.
type Code struct {
	Code    string `json:"code"`
	Pointer string `json:"pointer"`
	Rule    string `json:"rule"`
	Count   int64  `json:"count"`
	Fix     string `json:"fix"`
}

// Group is a number of sensors that are not shown singly: because they stand for a home, or
// because the policy does not know their kind.
type Group struct {
	Kind    string `json:"kind"`
	Zone    string `json:"zone"`
	Known   bool   `json:"kind_known"`
	Sensors int    `json:"sensors"`
}

// sensors answers with the sensors, or with those that are asked for (?sensor=ID, several times).
func sensors(watch Watch) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), watchFor)
		defer cancel()
		known, err := watch.Sensors(ctx)
		if err != nil {
			http.Error(w, "intake does not answer; /readyz says why", http.StatusServiceUnavailable)
			return
		}
		asked := make(map[string]bool)
		for _, id := range r.URL.Query()["sensor"] {
			asked[id] = true
		}
		out := Sensors{Since: known.Since.UTC(), From: known.From, Until: known.Until, Sensors: []Sensor{},
			Groups: []Group{}}
		for i := range known.Each {
			if s := &known.Each[i]; len(asked) == 0 || asked[s.ID] {
				out.Sensors = append(out.Sensors, sensorOf(s))
			}
		}
		for _, g := range known.Groups {
			out.Groups = append(out.Groups, Group{g.Kind, g.Zone, g.Known, g.Sensors})
		}
		writeJSON(w, http.StatusOK, out)
	}
}

func sensorOf(s *ingest.SensorState) Sensor {
	out := Sensor{ID: s.ID, Kind: s.Kind, Zone: s.Zone, People: s.People, Undecided: s.Undecided,
		Codes: []Code{}}
	if s.Life != ingest.NotKnown {
		alive := s.Life == ingest.Living
		out.Alive = &alive
	}
	if !s.People {
		out.Heard, out.Readings, out.PerMinute = s.Heard, &s.Readings, &s.PerMinute
	}
	for _, c := range s.Codes {
		out.Codes = append(out.Codes, Code{c.Code, c.Pointer, c.Rule, c.Count, c.Fix})
	}
	return out
}
