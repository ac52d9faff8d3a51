package archive

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"sluice/opendata/query"
	"sluice/store"
)

// groupRows is how many rows a row group has: that many are held.
const groupRows = 1 << 15

// parquetRow is a row, with the columns of the CSV and types.
type parquetRow struct {
	StartUTC   int64    `parquet:"start_utc,timestamp(millisecond:utc),delta"`
	StartLocal string   `parquet:"start_local,dict"`
	Every      string   `parquet:"every,dict"`
	Cell       string   `parquet:"cell,dict"`
	Measure    string   `parquet:"measure,dict"`
	Value      *float64 `parquet:"value,optional"`
	Status     string   `parquet:"status,dict"`
	Low        *float64 `parquet:"low,optional"`
	High       *float64 `parquet:"high,optional"`
	Unit       string   `parquet:"unit,dict"`
	Decision   string   `parquet:"decision,dict"`
	Simulation bool     `parquet:"simulation"`
	EndUTC     int64    `parquet:"end_utc,timestamp(millisecond:utc),delta"`
	Zone       string   `parquet:"zone,dict"`
	Category   string   `parquet:"category,dict"`
	Gateway    string   `parquet:"gateway,dict"`
	Reason     string   `parquet:"reason,dict"`
	Policy     string   `parquet:"policy,dict"`
	Mechanism  string   `parquet:"mechanism,dict"`
	Epsilon    float64  `parquet:"epsilon"`
	Scale      float64  `parquet:"scale"`
	Threshold  *float64 `parquet:"threshold,optional"`
	Ledger     *int64   `parquet:"ledger,optional"`
}

// parquetFile writes Parquet. The settings are fixed, and so are the bytes.
type parquetFile struct {
	w         *parquet.GenericWriter[parquetRow]
	loc       *time.Location
	rows      []parquetRow
	units     map[string]string // by measure
	decisions []string
}

func newParquet(w io.Writer, st query.Stream, loc *time.Location, base string) *parquetFile {
	options := []parquet.WriterOption{
		parquet.CreatedBy("sluice", "1", "archive"), parquet.Compression(&zstd.Codec{Level: zstd.DefaultLevel}),
		parquet.MaxRowsPerRowGroup(groupRows), parquet.PageBufferSize(64 << 10), parquet.WriteBufferSize(0),
		parquet.DataPageStatistics(true),
		parquet.KeyValueMetadata("stream", st.ID), parquet.KeyValueMetadata("timezone", loc.String()),
		parquet.KeyValueMetadata("licence", st.Licence), parquet.KeyValueMetadata("title", text(st.Title)),
	}
	if base != "" {
		options = append(options, parquet.KeyValueMetadata("source", base))
	}
	return &parquetFile{w: parquet.NewGenericWriter[parquetRow](w, options...), loc: loc,
		units: make(map[string]string)}
}

// text is an object as JSON, whose keys are in order.
func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// Write implements sink.
func (p *parquetFile) Write(o *store.Observation) error {
	r := parquetRow{
		StartUTC: o.Start.UnixMilli(), StartLocal: o.Start.In(p.loc).Format(time.RFC3339), Every: o.Every, Cell: o.Cell,
		Measure: o.Measure, Value: own(o.Value), Status: string(o.Status), Low: own(o.Low), High: own(o.High),
		Unit: o.Unit, Decision: o.Decision, Simulation: o.Simulation, EndUTC: o.End.UnixMilli(), Zone: o.Zone,
		Category: o.Category, Gateway: o.Gateway, Reason: o.Reason, Policy: o.Policy, Mechanism: o.Mechanism,
		Epsilon: o.Epsilon, Scale: o.Scale,
	}
	if o.Threshold != 0 {
		r.Threshold = own(&o.Threshold)
	}
	if o.Ledger != 0 {
		n := o.Ledger
		r.Ledger = &n
	}
	if _, known := p.units[o.Measure]; !known {
		p.units[strings.Clone(o.Measure)] = strings.Clone(o.Unit)
	}
	if !slices.Contains(p.decisions, o.Decision) {
		p.decisions = append(p.decisions, strings.Clone(o.Decision))
	}
	if p.rows = append(p.rows, r); len(p.rows) < 1024 {
		return nil
	}
	return p.flush()
}

func own(v *float64) *float64 {
	if v == nil {
		return nil
	}
	x := *v
	return &x
}

func (p *parquetFile) flush() error {
	_, err := p.w.Write(p.rows)
	p.rows = p.rows[:0]
	return err
}

// end ends the file, with what the columns are: the units of the measures, which decisions
// the rows were released under, and the words of the schema.
func (p *parquetFile) end() error {
	if err := p.flush(); err != nil {
		return err
	}
	slices.Sort(p.decisions)
	p.w.SetKeyValueMetadata("units", text(p.units))
	p.w.SetKeyValueMetadata("decisions", text(p.decisions))
	about := make(map[string]string)
	for _, f := range fields {
		about[f.Name] = f.Description
	}
	p.w.SetKeyValueMetadata("columns", text(about))
	return p.w.Close()
}
