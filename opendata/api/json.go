package api

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"sluice/opendata/query"
	"sluice/store"
)

// appendObservations is what encoding/json makes of
//
//	{"stream": ID, "items": [item, ...], "next": PATH or null, "epochs": [epoch, ...]}
//
// byte for byte, without looking at types again for each row; a test compares the two.
func appendObservations(b []byte, stream string, list []store.Observation, next string, epochs []query.Epoch) []byte {
	b = appendHead(append(make([]byte, 0, 128+512*len(list)), b...), stream)
	b = appendItems(b, list)
	b = append(b, `],"next":`...)
	if next == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, next)
	}
	b = append(b, `,"epochs":[`...)
	for i := range epochs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEpoch(b, &epochs[i])
	}
	return append(b, "]}\n"...)
}

func appendHead(b []byte, stream string) []byte {
	return append(appendText(append(b, `{"stream":`...), stream), `,"items":[`...)
}

func appendItems(b []byte, list []store.Observation) []byte {
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendItem(b, &list[i])
	}
	return b
}

func appendEpoch(b []byte, e *query.Epoch) []byte {
	b = e.Start.AppendFormat(append(b, `{"start":"`...), time.RFC3339Nano)
	b = e.End.AppendFormat(append(b, `","end":"`...), time.RFC3339Nano)
	b = appendItem(append(b, `","units":`...), &e.Units)
	b = appendItem(append(b, `,"bounded":`...), &e.Bounded)
	b = append(b, `,"bounded_share":`...)
	s := e.Share()
	if s == nil {
		return append(b, "null}"...)
	}
	b = append(b, '{')
	if len(s.Zones) > 0 {
		b = append(b, `"zones":[`...)
		for n, zone := range s.Zones {
			if n > 0 {
				b = append(b, ',')
			}
			b = appendText(b, zone)
		}
		b = append(b, "],"...)
	}
	b = s.Start.AppendFormat(append(b, `"start":"`...), time.RFC3339Nano)
	b = s.End.AppendFormat(append(b, `","end":"`...), time.RFC3339Nano)
	b = appendFloat(append(b, `","value":`...), s.Value)
	b = appendFloat(append(b, `,"low":`...), s.Low)
	b = appendFloat(append(b, `,"high":`...), s.High)
	return append(b, "}}"...)
}

// AppendItem appends an observation as every answer shows it.
func AppendItem(b []byte, o *store.Observation) []byte { return appendItem(b, o) }

// AppendText appends a text as JSON.
func AppendText(b []byte, s string) []byte { return appendText(b, s) }

func appendItem(b []byte, o *store.Observation) []byte {
	b = o.Start.AppendFormat(append(b, `{"start":"`...), time.RFC3339Nano)
	b = o.End.AppendFormat(append(b, `","end":"`...), time.RFC3339Nano)
	b = appendText(append(b, `","cell":`...), o.Cell)
	b = appendText(append(b, `,"zone":`...), o.Zone)
	b = appendText(append(b, `,"category":`...), o.Category)
	b = appendText(append(b, `,"measure":`...), o.Measure)
	b = appendText(append(b, `,"status":`...), string(o.Status))
	b = appendText(append(b, `,"reason":`...), o.Reason)
	b = appendOptional(append(b, `,"value":`...), o.Value)
	b = appendOptional(append(b, `,"low":`...), o.Low)
	b = appendOptional(append(b, `,"high":`...), o.High)
	b = appendText(append(b, `,"unit":`...), o.Unit)
	b = appendText(append(b, `,"decision":`...), o.Decision)
	b = appendText(append(b, `,"policy":`...), o.Policy)
	b = appendText(append(b, `,"mechanism":`...), o.Mechanism)
	b = appendFloat(append(b, `,"epsilon":`...), o.Epsilon)
	b = appendFloat(append(b, `,"scale":`...), o.Scale)
	b = appendFloat(append(b, `,"threshold":`...), o.Threshold)
	b = strconv.AppendBool(append(b, `,"simulation":`...), o.Simulation)
	if o.Gateway != "" {
		b = appendText(append(b, `,"gateway":`...), o.Gateway)
	}
	return append(b, '}')
}

// appendText writes plain text itself and leaves the rest to encoding/json.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			raw, err := asJSON(s)
			if err != nil {
				return append(b, `""`...)
			}
			return append(b, raw.Body[:len(raw.Body)-1]...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendOptional(b []byte, v *float64) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	return appendFloat(b, *v)
}

// appendFloat writes common numbers as encoding/json does, and leaves the rest to it.
func appendFloat(b []byte, v float64) []byte {
	if a := math.Abs(v); v == 0 || a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...) // infinite: no release has such a number
	}
	return append(b, raw...)
}
