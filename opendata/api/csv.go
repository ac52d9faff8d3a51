package api

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"time"

	"sluice/opendata/query"
	"sluice/store"
)

var header = []string{"start_utc", "start_local", "every", "cell", "measure", "value", "status", "low", "high", "unit", "decision", "simulation"}

// observationsCSV is RFC 4180 with LF; what was not published is empty.
func observationsCSV(list []store.Observation, st query.Stream, next string) (*answer, error) {
	loc, err := time.LoadLocation(st.Timezone)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(header) // errors come with Flush
	for _, o := range list {
		_ = w.Write([]string{
			o.Start.Format(time.RFC3339), o.Start.In(loc).Format(time.RFC3339), o.Every, o.Cell, o.Measure,
			number(o.Value), string(o.Status), number(o.Low), number(o.High), o.Unit, o.Decision, strconv.FormatBool(o.Simulation),
		})
	}
	w.Flush()
	return &answer{mime: "text/csv; charset=utf-8", body: b.Bytes(), next: next}, w.Error()
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}
