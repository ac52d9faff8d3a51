// Package table writes released observations as text: the CSV of the archive, and what the
// public books commit to. It is RFC 4180 in UTF-8 with LF, one row an observation, under one
// line of names:
//
//	start_utc,start_local,every,cell,measure,value,status,low,high,unit,decision,simulation,
//	end_utc,zone,category,gateway,reason,policy,mechanism,epsilon,scale,threshold,ledger
//
// on one line. The first twelve are those of the API. Instants are RFC 3339, in UTC and in
// the stream's time zone. Numbers are written without exponent, in the fewest digits that
// read back as the same float64. What was not published is empty, and so are threshold and
// ledger where there are none. A text that a spreadsheet would run as a formula has an
// apostrophe before it (CWE-1236).
//
// Rows are in the order of start, cell, measure and gateway, bytewise. An epoch's two
// numbers (store.EpochMeasures) are rows of its last window: their cell is a zone and a
// slash.
package table

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"sluice/store"
)

// Columns are the names, in order.
var Columns = []string{
	"start_utc", "start_local", "every", "cell", "measure", "value", "status", "low", "high", "unit", "decision",
	"simulation", "end_utc", "zone", "category", "gateway", "reason", "policy", "mechanism", "epsilon", "scale",
	"threshold", "ledger",
}

// Writer writes rows, a line of names first.
type Writer struct {
	csv *csv.Writer
	loc *time.Location
	row []string
}

// NewWriter writes to w; local times are those of loc.
func NewWriter(w io.Writer, loc *time.Location) *Writer {
	t := &Writer{csv: csv.NewWriter(w), loc: loc, row: make([]string, len(Columns))}
	_ = t.csv.Write(Columns) // errors come with Flush
	return t
}

// Write writes an observation.
func (t *Writer) Write(o *store.Observation) error {
	row := append(t.row[:0],
		o.Start.UTC().Format(time.RFC3339), o.Start.In(t.loc).Format(time.RFC3339), Text(o.Every), Text(o.Cell),
		Text(o.Measure), Number(o.Value), Text(string(o.Status)), Number(o.Low), Number(o.High), Text(o.Unit),
		Text(o.Decision), strconv.FormatBool(o.Simulation), o.End.UTC().Format(time.RFC3339), Text(o.Zone),
		Text(o.Category), Text(o.Gateway), Text(o.Reason), Text(o.Policy), Text(o.Mechanism), Number(&o.Epsilon),
		Number(&o.Scale), some(o.Threshold), "",
	)
	if o.Ledger != 0 {
		row[len(row)-1] = strconv.FormatInt(o.Ledger, 10)
	}
	t.row = row
	return t.csv.Write(row)
}

// Flush writes what is left.
func (t *Writer) Flush() error {
	t.csv.Flush()
	return t.csv.Error()
}

// Number is a number as it is written; empty for none.
func Number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

func some(v float64) string {
	if v == 0 {
		return ""
	}
	return Number(&v)
}

// Text makes a text safe to open in a spreadsheet.
func Text(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
