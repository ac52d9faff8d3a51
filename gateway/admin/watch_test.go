package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest"
)

// watching is an ingest that knows one sensor of each sort, or nothing.
type watching struct{ err error }

func (w watching) Sensors(context.Context) (*ingest.Sensors, error) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	codes := []ingest.SensorCode{{Code: "E101", Pointer: "/fields/x", Rule: "kind k", Fix: "send a number", Count: 10}}
	return &ingest.Sensors{Since: at, Each: []ingest.SensorState{
		{ID: "noise", Kind: "k", Zone: "z", Life: ingest.Living, Heard: at, Readings: 7, PerMinute: 1.5},
		{ID: "wifi", Kind: "k", Zone: "z", People: true, Heard: at, Readings: 7, PerMinute: 1.5, Codes: codes},
		{ID: "free", Kind: "k", Zone: "z", People: true, Undecided: true},
	}, Groups: []ingest.SensorGroup{{Kind: "meter", Zone: "z", Known: true, Sensors: 2}}}, w.err
}

func (w watching) Structures(_ context.Context, span time.Duration) (*ingest.Structures, error) {
	return &ingest.Structures{Forms: []ingest.Form{{Code: "E001", Levels: int(span / time.Second), Format: "json",
		Values: []ingest.FormValue{{Pointer: "/a", Type: "number"}}}}}, w.err
}

// TestWatch: what a technician is answered, at this machine only, and nothing of how a sensor
// about people sends, whatever ingest says.
func TestWatch(t *testing.T) {
	for _, c := range []struct {
		path, peer string
		err        error
		status     int
		want       string
	}{
		{"/debug/sensors", "127.0.0.1:5", nil, http.StatusOK,
			`{"since":"2026-03-02T12:00:00Z","sensors":[{"id":"noise",` +
				`"kind":"k","zone":"z","alive":true,"about_people":false,"heard":"2026-03-02T12:00:00Z","readings":7,` +
				`"per_minute":1.5,"codes":[]},{"id":"wifi","kind":"k","zone":"z","alive":null,"about_people":true,"codes":` +
				`[{"code":"E101","pointer":"/fields/x","rule":"kind k","count":10,"fix":"send a number"}]},` +
				`{"id":"free","kind":"k","zone":"z","alive":null,"about_people":true,"no_decision":true,"codes":[]}],"groups":` +
				`[{"kind":"meter","zone":"z","kind_known":true,"sensors":2}]}` + "\n"},
		{"/debug/sensors?sensor=wifi&sensor=none", "127.0.0.1:5", nil, http.StatusOK, `"sensors":[{"id":"wifi"`},
		{"/debug/sensors", "127.0.0.1:5", context.Canceled, http.StatusServiceUnavailable, "intake does not answer"},
		{"/debug/sensors", "192.0.2.1:5", nil, http.StatusForbidden, "at the machine itself only"},
		{"/debug/structures?seconds=3", "127.0.0.1:5", nil, http.StatusOK, `{"forms":[{"sensor":null,"code":"E001",` +
			`"topic_levels":3,"format":"json","values":[{"pointer":"/a","type":"number"}],"more":false}],"more":false}`},
		{"/debug/structures?seconds=3", "192.0.2.1:5", nil, http.StatusForbidden, "at the machine itself only"},
		{"/debug/structures?seconds=61", "127.0.0.1:5", nil, http.StatusBadRequest, "seconds is from 1 to 60"},
		{"/debug/structures", "127.0.0.1:5", nil, http.StatusBadRequest, "seconds is from 1 to 60"},
		{"/debug/structures?seconds=1", "127.0.0.1:5", ingest.ErrLooking, http.StatusConflict, "somebody looks"},
		{"/debug/structures?seconds=1", "127.0.0.1:5", errors.New("x"), http.StatusServiceUnavailable, "intake"},
	} {
		h := handler(&Sources{Watch: watching{c.err}})
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", c.path, nil)
		r.RemoteAddr, r.Host = c.peer, "localhost"
		h.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s of %s: %d %s; want %d %s", c.path, c.peer, w.Code, w.Body, c.status, c.want)
		}
	}
}
