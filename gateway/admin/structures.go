package admin

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"sluice/gateway/ingest"
)

// LongestLook is for how long /debug/structures looks at most.
const LongestLook = ingest.MaxLook

// Structures is the answer of /debug/structures.
type Structures struct {
	Forms []Form `json:"forms"`
	// More says that there was more than was looked at.
	More bool `json:"more"`
}

// Form is how some messages were built that came meanwhile.
type Form struct {
	// Sensor is null where the messages fit none.
	Sensor *string `json:"sensor"`
	Code   string  `json:"code"`
	// Levels are how many the topic has; Format is json, cbor, or other.
	Levels int     `json:"topic_levels"`
	Format string  `json:"format"`
	Values []Value `json:"values"`
	More   bool    `json:"more"`
}

// Value is a JSON pointer, in which * is a key that may be data, and the type of what is there.
type Value struct {
	Pointer string `json:"pointer"`
	Type    string `json:"type"`
}

// structures looks for ?seconds= at how messages are built that fit no sensor, and answers then.
func structures(watch Watch) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		most := int(LongestLook / time.Second)
		seconds, err := strconv.Atoi(r.URL.Query().Get("seconds"))
		if err != nil || seconds < 1 || seconds > most {
			http.Error(w, "seconds is from 1 to "+strconv.Itoa(most), http.StatusBadRequest)
			return
		}
		span := time.Duration(seconds) * time.Second
		c, late := http.NewResponseController(w), time.Now().Add(span+watchFor)
		_, _ = c.SetReadDeadline(late), c.SetWriteDeadline(late) // or the server ends it sooner
		found, err := watch.Structures(r.Context(), span)
		switch {
		case errors.Is(err, ingest.ErrLooking):
			http.Error(w, "somebody looks already; try again in a minute", http.StatusConflict)
			return
		case err != nil:
			http.Error(w, "intake does not answer; /readyz says why", http.StatusServiceUnavailable)
			return
		}
		out := Structures{Forms: []Form{}, More: found.More}
		for i := range found.Forms {
			out.Forms = append(out.Forms, formOf(&found.Forms[i]))
		}
		writeJSON(w, http.StatusOK, out)
	}
}

func formOf(f *ingest.Form) Form {
	out := Form{Code: f.Code, Levels: f.Levels, Format: f.Format, Values: []Value{}, More: f.More}
	if f.Sensor != "" {
		out.Sensor = &f.Sensor
	}
	for _, v := range f.Values {
		out.Values = append(out.Values, Value(v))
	}
	return out
}
