package engine

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"sluice/opendata/sensorthings/odata"
)

// Service answers from a store.
type Service struct {
	Store Store
	// Base is the address of the service, without a slash at its end: https://HOST/v1.1, or
	// /v1.1 where nobody knows the host.
	Base string
	// Conformance lists the requirements that hold.
	Conformance []string
	// ByResult: the Observations of one Datastream are in the same order by resultTime as by
	// phenomenonTime.
	ByResult bool
	// Parts are the columns of objects in CSV, by property; others are written as JSON.
	Parts map[string][]string
}

// Answer is an answer with status 200.
type Answer struct {
	Type string // media type
	Body []byte
	Next string // the next page's address, also where the body does not say it
	File string // a name to save it under; empty for none
}

// run is the making of one answer.
type run struct {
	scope
	service  *Service
	entities int
}

// Problem is what is wrong with a request, for whoever asks: a status of 400, 404 or 501 and a
// text that repeats nothing of it. It is nil for an error that is not the request's.
func Problem(err error) (status int, detail string) {
	var wrong *odata.Error
	switch {
	case errors.As(err, &wrong) && wrong.Unsupported:
		return 501, wrong.Error()
	case errors.As(err, &wrong):
		return 400, wrong.Error()
	case errors.Is(err, errWork):
		return 400, "query: too much would have to be looked at; ask for less with a $filter on phenomenonTime or of " +
			"one Datastream, a smaller $top or fewer expansions"
	case errors.Is(err, ErrNone):
		return 404, "there is no such entity, property or set; @iot.navigationLink and the first document of the " +
			"service lead to all there are"
	}
	return 0, ""
}

// Get answers a request: its path behind the service's address, decoded and without a slash
// before it, and its raw query string.
func (s *Service) Get(ctx context.Context, path, rawQuery string) (*Answer, error) {
	q, err := odata.Parse(rawQuery)
	if err != nil {
		return nil, err
	}
	segments, err := odata.ParsePath(strings.TrimSuffix(path, "/"))
	if err != nil {
		return nil, ErrNone
	}
	if len(segments) == 0 {
		return s.landing(q)
	}
	now, err := s.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	r := &run{scope: scope{ctx: ctx, store: s.Store, work: NewWork(), now: now}, service: s}
	t, err := r.follow(segments)
	if err != nil {
		return nil, err
	}
	if err := t.allows(q); err != nil {
		return nil, err
	}
	if err := check(t.of, q, ""); err != nil {
		return nil, err
	}
	switch {
	case t.names != nil:
		return r.property(t)
	case t.entity != nil:
		b, err := r.entity(nil, t.entity, q)
		return &Answer{Type: jsonType, Body: append(b, '\n')}, err
	}
	return r.collection(t, q, s.Base+"/"+escapePath(segments), rawQuery)
}

// target is what a path leads to: a property of an entity, an entity, or many.
type target struct {
	of     *Type
	entity *Entity
	from   *Entity
	link   *Link
	names  []string // of a property and what is in it
	raw    bool     // $value
	ref    bool     // $ref
}

// allows reports which options there are for what a path leads to.
func (t *target) allows(q *odata.Query) error {
	known := []string{"$expand", "$select"}
	if t.names != nil {
		known = nil
	}
	if t.entity == nil {
		known = append(known, "$filter", "$orderby", "$top", "$skip", "$count", "$resultFormat", "$skiptoken")
	}
	if t.ref {
		known = slices.DeleteFunc(known, func(o string) bool {
			return o == "$expand" || o == "$select" || o == "$resultFormat"
		})
	}
	for _, o := range odata.Options {
		if q.Has(o) && !slices.Contains(known, o) {
			return &odata.Error{Option: o, Hint: "is not for what this path leads to"}
		}
	}
	if q.Format == "dataArray" && t.of.Name != "Observation" {
		return &odata.Error{Option: "$resultFormat", Hint: "dataArray is for Observations"}
	}
	if q.Format == "dataArray" && len(q.Expand) > 0 {
		return &odata.Error{Option: "$expand", Hint: "a data array has no expansions"}
	}
	return nil
}

// follow goes along a path.
func (r *run) follow(segments []odata.Segment) (*target, error) {
	t := &target{of: TypeOfSet(segments[0].Name)}
	if t.of == nil {
		return nil, ErrNone
	}
	for n, s := range segments {
		if n > 0 {
			last := n == len(segments)-1
			if done, err := r.step(t, s, last); done || err != nil {
				if err == nil {
					err = t.rest(segments[n:])
				}
				return t, err
			}
		}
		if s.Keyed {
			if t.entity != nil {
				return nil, ErrNone
			}
			if err := r.pick(t, s.Key); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// step goes one segment further; done where no entity follows.
func (r *run) step(t *target, s odata.Segment, last bool) (done bool, err error) {
	if s.Name == "$ref" {
		if t.ref = t.entity == nil; !t.ref || !last || s.Keyed {
			return true, ErrNone
		}
		return false, nil
	}
	if t.entity == nil {
		return true, ErrNone
	}
	link := t.of.Link(s.Name)
	if link == nil {
		return true, nil // it is a property, or nothing
	}
	t.from, t.link, t.of, t.entity = t.entity, link, TypeOf(link.To), nil
	if link.Many {
		return false, nil
	}
	for e, err := range r.store.Many(r.ctx, Ask{Type: t.of, From: t.from, Link: link, Work: r.work}) {
		if err != nil {
			return true, err
		}
		t.entity = e
		return false, nil
	}
	return true, ErrNone
}

// rest reads what follows an entity: a property and what is in it.
func (t *target) rest(segments []odata.Segment) error {
	if t.entity == nil {
		return nil
	}
	for n, s := range segments {
		if s.Keyed {
			return ErrNone
		}
		if s.Name == "$value" {
			if t.raw = n > 0 && n == len(segments)-1; !t.raw {
				return ErrNone
			}
			return nil
		}
		t.names = append(t.names, s.Name)
	}
	if _, ok := t.of.Property(t.names[0]); !ok && !isID(t.names[0]) && t.names[0] != "@iot.selfLink" {
		return ErrNone
	}
	return nil
}

// pick takes one of many by its id; it must be one of those.
func (r *run) pick(t *target, id odata.ID) (err error) {
	if t.link == nil {
		t.entity, err = r.store.One(r.ctx, t.of, id)
		return err
	}
	ask := Ask{Type: t.of, From: t.from, Link: t.link, Work: r.work, ID: &id}
	for e, err := range r.store.Many(r.ctx, ask) {
		if err != nil {
			return err
		}
		if e.ID == id {
			t.entity = e
			return nil
		}
	}
	return ErrNone
}

// escape escapes what is not plain in a query.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "%24", "$", "%27", "'", "%28", "(", "%29", ")", "%2C", ",", "%3A", ":",
		"%2F", "/", "%40", "@", "%3B", ";", "%3D", "=").Replace(url.QueryEscape(s))
}

// escapeID escapes an id for a path.
func escapeID(id odata.ID) string {
	return plainer.Replace(url.PathEscape(id.String()))
}

// plainer leaves what is plain in a path (RFC 3986, sub-delims) as it is.
var plainer = strings.NewReplacer("%27", "'", "%28", "(", "%29", ")", "%3A", ":", "%40", "@", "%2C", ",")

func escapeName(name string) string {
	return plainer.Replace(url.PathEscape(name))
}

func escapePath(segments []odata.Segment) string {
	var parts []string
	for _, s := range segments {
		text := escapeName(s.Name)
		if s.Keyed {
			text += "(" + escapeID(s.Key) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "/")
}

// selfLink is an entity's address.
func (r *run) selfLink(e *Entity) string { return r.service.SelfLink(e.Type, e.ID) }

// SelfLink is the address of an entity.
func (s *Service) SelfLink(t *Type, id odata.ID) string {
	return s.Base + "/" + t.Set + "(" + escapeID(id) + ")"
}
