// Package fleet turns a vendor's spreadsheet into entries of the register.
//
// The spreadsheet is a CSV file (RFC 4180) as spreadsheets export it: UTF-8 with or without a byte
// order mark, cells separated by commas, semicolons or tabs, lines that end in LF or CRLF, the names
// of the columns in the first row. A mapping says which column holds which key of an entry:
//
//	Sèrie;Latitud;Longitud;Carrer            id=Sèrie,lat=Latitud,lon=Longitud,purpose.ca=Carrer
//	N-17;41,3874;2,1686;"Soroll a ""Nou"""
//	  - {id: N-17, owner: acme, kind: noise-meter, lat: 41.3874, lon: 2.1686, registered: 2026-12-01, ...}
//
// Each mistake names the row, as the spreadsheet counts it, and the column. Nothing is guessed: a
// number that the spreadsheet has rounded, or a day whose month could be its day, is a mistake.
package fleet

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"sluice/brief"
	"sluice/internal/civil"
	"sluice/register"
)

// Bounds of a spreadsheet.
const (
	// MaxSize is in bytes.
	MaxSize = 64 << 20
	// MaxRows is without the row of names.
	MaxRows = register.MaxSensors
	// maxLine bounds a line, in bytes.
	maxLine = 1 << 20
)

// Columns say where the keys of an entry come from. A key is one of register.Sensor's, and below
// purpose and map KEY.NAME: purpose.en, map.level.
type Columns struct {
	// Map is the name of a column by key.
	Map map[string]string
	// Set is a value by key, for cells that are empty and keys that have no column.
	Set map[string]string
	// Update has rows about sensors that the register has written over their entries, as far as
	// they differ in keys that have a column or are set; else such rows are wrong.
	Update bool
}

// Entry is a row that can be read.
type Entry struct {
	Row    int // from 1; the names of the columns are the first
	Sensor register.Sensor
	bad    []string // columns with a mistake, whose keys hold something that is none
}

// Fault is what is wrong with a row.
type Fault struct {
	Row int
	// Columns are the columns that it is about; empty for the row as a whole.
	Columns []string
	// Text says what is wrong and how to fix it.
	Text string
}

func (f Fault) String() string {
	where := fmt.Sprintf("row %d", f.Row)
	for n, c := range f.Columns {
		where += map[bool]string{true: ", column ", false: " and "}[n == 0] + quote(c)
	}
	return where + ": " + f.Text
}

// Fleet is a spreadsheet that was read.
type Fleet struct {
	// Rows is how many there are, without the names and empty ones.
	Rows    int
	Entries []Entry
	Faults  []Fault
	// There are how many rows say what the register has already; Changed are those that are
	// written over what it has, and Files the files of the register with them.
	There   int
	Changed []Entry
	Files   map[string][]byte
	columns Columns
}

// Read reads a spreadsheet; progress is told of the bytes that are read. An error is about the file
// or the columns; what is wrong with rows is in Faults.
func Read(name string, raw []byte, c Columns, progress func(bytes int)) (*Fleet, error) {
	t, err := open(name, raw)
	if err != nil {
		return nil, err
	}
	r := reader{table: t, fleet: &Fleet{columns: c}, progress: progress}
	if err := r.find(c); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r.fleet, r.read()
}

// WrongRows are the rows that have a fault, in order.
func (f *Fleet) WrongRows() (rows []int) {
	for _, x := range f.Faults {
		if n := len(rows); n == 0 || rows[n-1] != x.Row {
			rows = append(rows, x.Row)
		}
	}
	return rows
}

// source is where the value of one key comes from.
type source struct {
	key    string
	column int // -1 for none
	set    string
}

// reader reads rows into entries.
type reader struct {
	table    *table
	fleet    *Fleet
	sources  []source
	progress func(bytes int)
}

// find finds the columns of a mapping.
func (r *reader) find(c Columns) error {
	keys := slices.Sorted(maps.Keys(c.Map))
	for _, key := range slices.Sorted(maps.Keys(c.Set)) {
		if _, mapped := c.Map[key]; !mapped {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		if err := CheckKey(key); err != nil {
			return err
		}
		s := source{key: key, column: -1, set: c.Set[key]}
		if column, mapped := c.Map[key]; mapped {
			at, err := r.table.column(column)
			if err != nil {
				return err
			}
			s.column = at
		}
		r.sources = append(r.sources, s)
	}
	return nil
}

// read reads all rows.
func (r *reader) read() error {
	for {
		row, cells, err := r.table.next()
		switch {
		case err != nil:
			return err
		case cells == nil:
			return nil
		}
		r.progress(r.table.at())
		if r.fleet.Rows++; r.fleet.Rows > MaxRows {
			return fmt.Errorf("%s: more than %d rows; a gateway has so many sensors at most, use several, each with "+
				"its zones", r.table.name, MaxRows)
		}
		if len(cells) != len(r.table.names) {
			r.fault(row, "", fmt.Sprintf("%d cells, and the first row has %d; a cell that holds %s goes into quotes",
				len(cells), len(r.table.names), separators[r.table.separator]))
			continue
		}
		r.row(row, cells)
	}
}

// row reads one row.
func (r *reader) row(row int, cells []string) {
	e := Entry{Row: row}
	for _, s := range r.sources {
		text, column := "", ""
		if s.column >= 0 {
			text, column = cells[s.column], r.table.names[s.column]
		}
		text, err := clean(text)
		if err == nil && text == "" {
			text = s.set
		}
		if err == nil && text != "" {
			err = Set(&e.Sensor, s.key, text)
		}
		if err != nil {
			r.fault(row, column, fmt.Sprintf("%s: %v", s.key, err))
			e.bad = append(e.bad, column)
			e.patch(s.key)
		}
	}
	if e.Sensor.ID != "" {
		r.fleet.Entries = append(r.fleet.Entries, e)
	}
}

// patch puts something in place of what cannot be read, so that the rest of a row can be looked at.
func (e *Entry) patch(key string) {
	switch key {
	case "registered":
		e.Sensor.Registered = civil.Date{Year: 2000, Month: 1, Day: 1}
	case "owner", "kind":
		reflect.ValueOf(&e.Sensor).Elem().FieldByName(strings.ToUpper(key[:1]) + key[1:]).SetString("-")
	case "lat", "lon":
		e.Sensor.Lat, e.Sensor.Lon, e.Sensor.Zone = new(float64), new(float64), ""
	}
}

func (r *reader) fault(row int, column, text string) {
	f := Fault{Row: row, Text: text}
	if column != "" {
		f.Columns = []string{column}
	}
	r.fleet.Faults = append(r.fleet.Faults, f)
}

// about are the columns that a fault of the register speaks of: those whose keys it names before it
// says what to do, outside of quotes.
func (c Columns) about(text string) (columns []string) {
	what, _, _ := strings.Cut(unquoted(text), ";")
	words := strings.FieldsFunc(what, func(r rune) bool { return r == ' ' || r == ':' || r == ',' })
	for _, key := range slices.Sorted(maps.Keys(c.Map)) {
		name, _, _ := strings.Cut(key, ".")
		if slices.Contains(words, name) && !slices.Contains(columns, c.Map[key]) {
			columns = append(columns, c.Map[key])
		}
	}
	return columns
}

// unquoted is a text without what stands in quotes.
func unquoted(text string) string {
	var b strings.Builder
	for n, part := range strings.Split(text, `"`) {
		if n%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

// Examine holds the entries against a register that they are to join, a file or directory, which may
// be empty for none; and against the kinds and zones of a policy, which may be nil. What is wrong
// with rows joins Faults, what is there already leaves Entries; it returns what is wrong with the
// register itself.
func (f *Fleet) Examine(name, path string, read func(path string) ([]byte, error), kinds map[string]register.Kind,
	zones *register.Zones) ([]register.Fault, error) {
	reg, found, err := register.Propose(path, read, name, f.lines())
	if err != nil {
		return nil, err
	}
	again := f.again(reg, name)
	if len(f.Changed) > 0 {
		if f.Files, err = f.rewritten(reg, read); err != nil {
			return nil, err
		}
		if reg, found, err = register.Propose(path, f.over(read), name, f.lines()); err != nil {
			return nil, err
		}
	}
	changed := make(map[string]int, len(f.Changed)) // rows by id
	for _, e := range f.Changed {
		changed[e.Sensor.ID] = e.Row
	}
	// Of what is there already, the policy is no concern here.
	found = append(found, slices.DeleteFunc(reg.Check(kinds, zones), func(x register.Fault) bool {
		return x.File != name && changed[x.ID] == 0
	})...)
	return f.sort(name, found, again, changed), nil
}

// sort puts what was found where it belongs: to rows, or to the register, which is returned.
func (f *Fleet) sort(name string, found []register.Fault, again map[int]bool, changed map[string]int) (
	others []register.Fault) {
	bad, wrong := make(map[int][]string), make(map[int]bool)
	for _, e := range f.Entries {
		bad[e.Row], wrong[e.Row] = e.bad, len(e.bad) > 0
	}
	for _, x := range found {
		row := x.Line
		if x.File != name {
			row = changed[x.ID]
		}
		switch {
		case x.Note || x.File == name && again[row]:
		case row == 0:
			others = append(others, x)
		default:
			text := strings.ReplaceAll(x.What(), name+", line ", "row ")
			about := f.columns.about(text)
			if len(bad[row]) > 0 && (len(about) == 0 || touches(about, bad[row])) {
				continue // it is about what was put there
			}
			f.Faults = append(f.Faults, Fault{row, about, text})
			wrong[row] = true
		}
	}
	gone := func(e Entry) bool { return wrong[e.Row] }
	f.Entries, f.Changed = slices.DeleteFunc(f.Entries, gone), slices.DeleteFunc(f.Changed, gone)
	slices.SortStableFunc(f.Faults, func(a, b Fault) int { return a.Row - b.Row })
	return others
}

func touches(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// lines are the entries as a file of the register in which each stands on the line of its row.
func (f *Fleet) lines() []byte {
	raw, line := []byte("sensors:\n"), 2
	for n := range f.Entries {
		for ; line < f.Entries[n].Row; line++ {
			raw = append(raw, '\n')
		}
		raw = AppendEntry(raw, &f.Entries[n].Sensor)
		line++
	}
	return raw
}

// quote shows a name of a column.
func quote(name string) string {
	return `"` + strings.ReplaceAll(brief.Text(name), `"`, `'`) + `"`
}
