// Package replay reads recorded readings from CSV or JSON lines, to be sent as if by their sensors.
//
// A mapping says where things are, e.g.
//
//	ts=Date Time,sensor=Station,field.no2=NO2 Value
//
// ts may join columns with +, as in ts=date+hour. A field may end in :string,
// :number or :bool; without, what looks like a number is one. Empty, NA, NaN and
// null values are absent.
package replay

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Row is one reading to send.
type Row struct {
	Time time.Time
	// Owner is empty if the file does not have it.
	Owner, Sensor string
	Fields        map[string]any
}

// Mapping names the columns of time, sensor and fields.
type Mapping struct {
	ts     []string
	sensor string
	fields map[string]source
	layout string
	loc    *time.Location
}

type source struct{ column, kind string }

// ParseMapping reads a mapping; the layout is auto, unix, unixms, rfc3339 or
// one of Go's. Auto knows RFC 3339, seconds, milliseconds and nanoseconds since
// 1970, and "2006-01-02 15:04:05"; a day and month that can be mistaken for each
// other need a layout.
func ParseMapping(text, layout, timezone string) (*Mapping, error) {
	loc, err := time.LoadLocation(timezone)
	if err != nil {
		return nil, fmt.Errorf("--timezone: %w", err)
	}
	m := &Mapping{fields: make(map[string]source), layout: layout, loc: loc}
	for part := range strings.SplitSeq(text, ",") {
		key, column, ok := strings.Cut(part, "=")
		if !ok || column == "" {
			return nil, errors.New("--map is a list such as ts=COL,sensor=COL,field.NAME=COL")
		}
		name, isField := strings.CutPrefix(key, "field.")
		switch {
		case key == "ts":
			m.ts = strings.Split(column, "+")
		case key == "sensor":
			m.sensor = column
		case isField && name != "":
			s := source{column: column}
			if at := strings.LastIndexByte(column, ':'); at > 0 &&
				slices.Contains([]string{"string", "number", "bool"}, column[at+1:]) {
				s = source{column[:at], column[at+1:]}
			}
			m.fields[name] = s
		default:
			return nil, errors.New("--map knows ts, sensor and field.NAME")
		}
	}
	if m.ts == nil || m.sensor == "" || len(m.fields) == 0 {
		return nil, errors.New("--map needs ts, sensor and at least one field.NAME")
	}
	return m, nil
}

// Read reads a whole file, sorted by time. Rows that cannot be read are counted.
func Read(path string, m *Mapping) (rows []Row, bad int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	return ReadFrom(f, path, m)
}

// ReadFrom is Read of an open file; by the end of its name it is CSV or JSON lines.
func ReadFrom(f io.Reader, name string, m *Mapping) (rows []Row, bad int, err error) {
	each := func(get func(string) (string, bool)) {
		if r, ok := m.row(get); ok {
			rows = append(rows, r)
		} else {
			bad++
		}
	}
	if filepath.Ext(name) == ".csv" {
		err = m.readCSV(f, each)
	} else {
		err = readLines(f, each)
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return a.Time.Compare(b.Time) })
	return rows, bad, err
}

func (m *Mapping) readCSV(r io.Reader, each func(func(string) (string, bool))) error {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	header, err := c.Read()
	if err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	at := make(map[string]int)
	for i, name := range header {
		at[strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))] = i
	}
	for _, name := range m.columns() {
		if _, ok := at[name]; !ok {
			return fmt.Errorf("there is no column %q; the file has %s", name, strings.Join(header, ", "))
		}
	}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		each(func(name string) (string, bool) {
			i, ok := at[name]
			if !ok || i >= len(record) {
				return "", false
			}
			return strings.TrimSpace(record[i]), true
		})
	}
}

func (m *Mapping) columns() []string {
	out := append(slices.Clone(m.ts), m.sensor)
	for _, s := range m.fields {
		out = append(out, s.column)
	}
	return out
}

func readLines(r io.Reader, each func(func(string) (string, bool))) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var line map[string]any
		d := json.NewDecoder(strings.NewReader(s.Text()))
		d.UseNumber()
		if d.Decode(&line) != nil {
			line = nil // counted as bad
		}
		each(func(name string) (string, bool) {
			v, ok := line[name]
			if !ok || v == nil {
				return "", false
			}
			return fmt.Sprint(v), true
		})
	}
	return s.Err()
}

func (m *Mapping) row(get func(string) (string, bool)) (Row, bool) {
	var parts []string
	for _, c := range m.ts {
		v, _ := get(c)
		parts = append(parts, v)
	}
	at, err := m.time(strings.Join(parts, " "))
	id, _ := get(m.sensor)
	if err != nil || id == "" {
		return Row{}, false
	}
	r := Row{Time: at, Fields: make(map[string]any)}
	r.Owner, r.Sensor = Sensor(id)
	for name, s := range m.fields {
		text, ok := get(s.column)
		if !ok {
			continue
		}
		if v, ok := value(text, s.kind); ok {
			r.Fields[name] = v
		}
	}
	return r, len(r.Fields) > 0
}

func (m *Mapping) time(text string) (time.Time, error) {
	switch m.layout {
	case "auto":
		return m.guess(text)
	case "unix", "unixms":
		n, err := strconv.ParseInt(text, 10, 64)
		if m.layout == "unixms" {
			return time.UnixMilli(n).UTC(), err
		}
		return time.Unix(n, 0).UTC(), err
	case "rfc3339":
		return time.Parse(time.RFC3339, text)
	}
	t, err := time.ParseInLocation(m.layout, text, m.loc)
	return t.UTC(), err
}

func (m *Mapping) guess(text string) (time.Time, error) {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		switch {
		case n >= 1e17:
			return time.Unix(0, int64(n)).UTC(), nil
		case n >= 1e11:
			return time.UnixMicro(int64(n * 1000)).UTC(), nil
		}
		return time.UnixMicro(int64(n * 1e6)).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04",
		time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, m.loc); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("no time that is known without --layout")
}

var identifier = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$`)
})

// Sensor returns the owner and the id for a sensor's name in a file: OWNER/ID, an id as it is, or
// the Slug of anything else. The owner is empty unless named.
func Sensor(name string) (owner, id string) {
	if o, rest, ok := strings.Cut(name, "/"); ok && identifier().MatchString(o) && identifier().MatchString(rest) {
		return o, rest
	}
	if identifier().MatchString(name) {
		return "", name
	}
	return "", Slug(name)
}

// Slug makes a sensor's id from its name in a file: small letters, digits and single hyphens.
func Slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

func value(text, kind string) (any, bool) {
	switch strings.ToLower(text) {
	case "", "na", "nan", "null":
		return nil, false
	}
	switch kind {
	case "string":
		return text, true
	case "bool":
		v, err := strconv.ParseBool(text)
		return v, err == nil
	}
	plain := text
	if thousands(text) {
		plain = strings.ReplaceAll(text, ",", "")
	}
	if n, err := strconv.ParseFloat(plain, 64); err == nil {
		return json.Number(plain), n == n
	}
	return text, kind == ""
}

// thousands recognises 1,105 and 12,345,678.
func thousands(s string) bool {
	groups := strings.Split(s, ",")
	if len(groups) < 2 || len(groups[0]) < 1 || len(groups[0]) > 3 {
		return false
	}
	for _, g := range groups[1:] {
		if len(g) != 3 {
			return false
		}
	}
	return true
}
