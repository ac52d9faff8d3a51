package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sluice/opendata/sensorthings/odata"
)

const jsonType = "application/json"

// landing is the first document: the sets, and what the service holds to.
func (s *Service) landing(q *odata.Query) (*Answer, error) {
	for _, o := range odata.Options {
		if q.Has(o) {
			return nil, &odata.Error{Option: o, Hint: "is for sets and entities"}
		}
	}
	b := []byte(`{"value":[`)
	for n, t := range types {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = appendText(b, t.Set)
		b = append(b, `,"url":`...)
		b = appendText(b, s.Base+"/"+t.Set)
		b = append(b, '}')
	}
	b = append(b, `],"serverSettings":{"conformance":`...)
	b = appendJSON(b, s.Conformance)
	return &Answer{Type: jsonType, Body: append(b, "}}\n"...)}, nil
}

// collection writes a page of entities.
func (r *run) collection(t *target, q *odata.Query, address, rawQuery string) (*Answer, error) {
	p, err := r.page(Ask{Type: t.of, From: t.from, Link: t.link}, q)
	if err != nil {
		return nil, err
	}
	link := func(option string) string {
		if option == "" {
			return ""
		}
		return address + "?" + continued(rawQuery, option)
	}
	switch q.Format {
	case "CSV":
		return r.csv(p, t.of, q, link)
	case "dataArray":
		return r.dataArray(p, q, link)
	}
	b := []byte("{")
	if p.count >= 0 {
		b = append(strconv.AppendInt(append(b, `"@iot.count":`...), int64(p.count), 10), ',')
	}
	head := len(b)
	b, shown, err := r.list(append(b, `"value":[`...), p, func(b []byte, e *Entity) ([]byte, error) {
		if t.ref {
			b = append(b, `{"@iot.selfLink":`...)
			return append(appendText(b, r.selfLink(e)), '}'), nil
		}
		return r.entity(b, e, q)
	})
	if err != nil {
		return nil, err
	}
	b = append(b, ']')
	next := link(p.next(shown))
	if next != "" {
		body := append([]byte{}, b[:head]...)
		body = append(body, `"@iot.nextLink":`...)
		body = append(appendText(body, next), ',')
		b = append(body, b[head:]...)
	}
	return &Answer{Type: jsonType, Body: append(b, "}\n"...), Next: next}, nil
}

// list writes entities, as many as an answer holds, and how many it has written. What would
// cost too much, behind the first, is left to the next page.
func (r *run) list(
	b []byte, p *page, write func([]byte, *Entity) ([]byte, error),
) (body []byte, shown int, err error) {
	for n, e := range p.list {
		if n > 0 && (len(b) > maxBytes || r.entities > maxEntities) {
			return b, n, nil
		}
		before := len(b)
		if n > 0 {
			b = append(b, ',')
		}
		more, err := write(b, e)
		if errors.Is(err, errWork) && n > 0 {
			return b[:before], n, nil
		}
		if err != nil {
			return b, n, err
		}
		b = more
	}
	return b, len(p.list), nil
}

// continued is a query string whose page is another one.
func continued(raw, option string) string {
	var parts []string
	for part := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(name); err == nil && part != "" && name != "$skip" && name != "$skiptoken" {
			parts = append(parts, part)
		}
	}
	// A client may write these as they are; a header that holds them would end early.
	return strings.NewReplacer("<", "%3C", ">", "%3E", `"`, "%22").Replace(strings.Join(append(parts, option), "&"))
}

// wants reports whether a query selects a property or link.
func wants(q *odata.Query, name string) bool {
	return len(q.Select) == 0 || slices.ContainsFunc(q.Select, func(p []string) bool {
		return p[0] == name || isID(name) && isID(p[0])
	})
}

// entity writes an entity, with what it is expanded by.
func (r *run) entity(b []byte, e *Entity, q *odata.Query) (_ []byte, err error) {
	if r.entities++; r.ctx.Err() != nil {
		return b, r.ctx.Err()
	}
	first := true
	key := func(name string) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, name), ':')
	}
	b = append(b, '{')
	if wants(q, "id") {
		key("@iot.id")
		b = appendJSON(b, e.ID)
	}
	if wants(q, "@iot.selfLink") {
		key("@iot.selfLink")
		b = appendText(b, r.selfLink(e))
	}
	for _, p := range e.Type.Properties {
		if v, has := e.Values[p.Name]; has && wants(q, p.Name) {
			key(p.Name)
			b = appendJSON(b, v)
		}
	}
	for n := range e.Type.Links {
		l := &e.Type.Links[n]
		expanded := slices.IndexFunc(q.Expand, func(x odata.Expand) bool { return x.Link == l.Name })
		if len(q.Select) > 0 && wants(q, l.Name) || len(q.Select) == 0 && expanded < 0 {
			key(l.Name + "@iot.navigationLink")
			b = appendText(b, r.selfLink(e)+"/"+l.Name)
		}
		if expanded < 0 {
			continue
		}
		key(l.Name)
		if b, err = r.expand(b, e, l, q.Expand[expanded].Query); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// expand writes what is behind a link.
func (r *run) expand(b []byte, e *Entity, l *Link, q *odata.Query) (_ []byte, err error) {
	ask := Ask{Type: TypeOf(l.To), From: e, Link: l, Work: r.work}
	if !l.Many {
		for next, err := range r.store.Many(r.ctx, ask) {
			if err != nil {
				return b, err
			}
			return r.entity(b, next, q)
		}
		return append(b, "null"...), nil
	}
	p, err := r.page(ask, q)
	if err != nil {
		return b, err
	}
	b, shown, err := r.list(append(b, '['), p, func(b []byte, e *Entity) ([]byte, error) {
		return r.entity(b, e, q)
	})
	if err != nil {
		return b, err
	}
	b = append(b, ']')
	if p.count >= 0 {
		b = append(appendText(append(b, ','), l.Name+"@iot.count"), ':')
		b = strconv.AppendInt(b, int64(p.count), 10)
	}
	if option := p.next(shown); option != "" {
		b = append(appendText(append(b, ','), l.Name+"@iot.nextLink"), ':')
		b = appendText(b, r.selfLink(e)+"/"+l.Name+"?"+written(q, option))
	}
	return b, nil
}

// written is the query of an expansion as one of its own.
func written(q *odata.Query, option string) string {
	var parts []string
	for _, t := range q.Texts {
		if t.Option != "$skip" {
			parts = append(parts, t.Option+"="+escape(t.Value))
		}
	}
	return strings.Join(append(parts, option), "&")
}

// property writes a property, or what is in it.
func (r *run) property(t *target) (*Answer, error) {
	v := value(t.names, t.entity)
	if t.names[0] == "@iot.selfLink" {
		v = r.selfLink(t.entity)
	}
	if v == nil {
		return nil, ErrNone
	}
	name := t.names[len(t.names)-1]
	if t.raw {
		text, ok := words(v)
		if m, is := v.(odata.Time); is {
			text, ok = m.String(), true
		}
		if !ok {
			return &Answer{Type: jsonType, Body: appendJSON(nil, v)}, nil
		}
		return &Answer{Type: "text/plain; charset=utf-8", Body: []byte(text)}, nil
	}
	if name == "id" && len(t.names) == 1 {
		name = "@iot.id"
	}
	b := append(appendText([]byte{'{'}, name), ':')
	return &Answer{Type: jsonType, Body: append(appendJSON(b, v), "}\n"...)}, nil
}

func appendText(b []byte, s string) []byte { return appendJSON(b, s) }

// appendJSON writes a value.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case odata.Time:
		return append(append(append(b, '"'), v.String()...), '"')
	case odata.ID:
		if v.Number {
			return append(b, v.Text...)
		}
		return appendJSON(b, v.Text)
	case *Shape:
		return appendJSON(b, v.JSON)
	}
	var buffer bytes.Buffer
	enc := json.NewEncoder(&buffer)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return append(b, "null"...) // values come from JSON, or are texts
	}
	return append(b, bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))...)
}
