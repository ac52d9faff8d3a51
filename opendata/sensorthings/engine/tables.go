package engine

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	"sluice/opendata/sensorthings/odata"
)

// columns of a data array, 18-088, section 12.
var components = []string{"id", "phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters"}

// dataArray writes Observations as rows, those of each Datastream together.
func (r *run) dataArray(p *page, q *odata.Query, link func(string) string) (*Answer, error) {
	fields := slices.DeleteFunc(slices.Clone(components), func(c string) bool { return !wants(q, c) })
	type group struct {
		of   *Entity
		rows [][]any
	}
	var groups []*group
	for _, o := range p.list {
		datastream, err := r.linked(o, "Datastream")
		if err != nil {
			return nil, err
		}
		n := slices.IndexFunc(groups, func(g *group) bool { return g.of.ID == datastream.ID })
		if n < 0 {
			n = len(groups)
			groups = append(groups, &group{of: datastream})
		}
		row := make([]any, len(fields))
		for i, f := range fields {
			row[i] = value([]string{f}, o)
		}
		groups[n].rows = append(groups[n].rows, row)
	}
	b := []byte("{")
	if p.count >= 0 {
		b = append(strconv.AppendInt(append(b, `"@iot.count":`...), int64(p.count), 10), ',')
	}
	next := link(p.next(len(p.list)))
	if next != "" {
		b = append(appendText(append(b, `"@iot.nextLink":`...), next), ',')
	}
	b = append(b, `"value":[`...)
	for n, g := range groups {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Datastream@iot.navigationLink":`...)
		b = append(appendText(b, r.selfLink(g.of)), `,"components":`...)
		b = append(appendJSON(b, fields), `,"dataArray@iot.count":`...)
		b = append(strconv.AppendInt(b, int64(len(g.rows)), 10), `,"dataArray":[`...)
		for i, row := range g.rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendRow(b, row)
		}
		b = append(b, "]}"...)
	}
	return &Answer{Type: jsonType, Body: append(b, "]}\n"...), Next: next}, nil
}

func appendRow(b []byte, row []any) []byte {
	b = append(b, '[')
	for n, v := range row {
		if n > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v)
	}
	return append(b, ']')
}

// linked is the one entity behind a link.
func (r *run) linked(e *Entity, name string) (*Entity, error) {
	l := e.Type.Link(name)
	for next, err := range r.store.Many(r.ctx, Ask{Type: TypeOf(l.To), From: e, Link: l, Work: r.work}) {
		return next, err
	}
	return nil, ErrNone
}

// column is one of a CSV file: the links that lead to its entity, and the property's path.
type column struct{ links, names []string }

// columns are those of a type, and of what it is expanded by.
func (r *run) columns(t *Type, q *odata.Query, links []string) (list []column, err error) {
	if wants(q, "id") {
		list = append(list, column{links, []string{"id"}})
	}
	for _, p := range t.Properties {
		if !wants(q, p.Name) {
			continue
		}
		parts := r.service.Parts[p.Name]
		for _, part := range parts {
			list = append(list, column{links, []string{p.Name, part}})
		}
		if len(parts) == 0 {
			list = append(list, column{links, []string{p.Name}})
		}
	}
	for _, x := range q.Expand {
		l := t.Link(x.Link)
		if l.Many {
			return nil, &odata.Error{Option: "$expand", At: x.At, Hint: "a CSV file has room for links to one alone"}
		}
		more, err := r.columns(TypeOf(l.To), x.Query, append(slices.Clone(links), x.Link))
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// csv writes entities as CSV (RFC 4180, with LF). The next page is in the header Link.
func (r *run) csv(p *page, t *Type, q *odata.Query, link func(string) string) (*Answer, error) {
	list, err := r.columns(t, q, nil)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	row := make([]string, len(list))
	for n, c := range list {
		row[n] = strings.Join(slices.Concat(c.links, c.names), "/")
	}
	_ = w.Write(row) // errors come with Flush
	for _, e := range p.list {
		for n, c := range list {
			of := e
			for _, name := range c.links {
				if of, err = r.linked(of, name); err != nil {
					return nil, err
				}
			}
			row[n] = cell(value(c.names, of))
		}
		_ = w.Write(row)
	}
	w.Flush()
	return &Answer{Type: "text/csv; charset=utf-8", Body: b.Bytes(), Next: link(p.next(len(p.list))),
		File: t.Set + ".csv"}, w.Error()
}

// cell is a value in a file. A text that a spreadsheet would run as a formula has an
// apostrophe before it (CWE-1236).
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if v != "" && strings.ContainsRune("=+-@\t\r\n", rune(v[0])) {
			return "'" + v
		}
		return v
	case odata.Time:
		return v.String()
	}
	return string(appendJSON(nil, v))
}
