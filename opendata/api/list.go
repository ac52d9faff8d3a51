package api

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
)

// member is an additional member of a list's document.
type member struct {
	name  string
	value any
}

// listing is a list that is answered as a document or a table: whole, or in pages with
// limit or cursor.
type listing[T any] struct {
	name string
	all  []T
	most int            // items of one answer; a longer list is sent while it is encoded
	key  func(T) string // names an item in a cursor
	rows table[T]
	more []member
}

// answer answers with what was asked for of the list. A cursor holds the key of the last
// item, so that items that come or go meanwhile move nothing.
func (l *listing[T]) answer(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	as, err := formOf(r, v, "json")
	if err != nil {
		return nil, err
	}
	part, next := append([]T{}, l.all...), "" // never null
	if v.Has("limit") || v.Has("cursor") {
		if part, next, err = l.cut(httpcache.At(r.Context(), r.URL.Path), v); err != nil {
			return nil, err
		}
	}
	switch {
	case len(part) > l.most && !v.Has("limit"):
		return l.long(as, part), nil
	case as != asDocument:
		return l.rows.file(as, part, l.name, next)
	}
	return asList(l.name, part, next, l.more...)
}

// cut returns up to limit items behind the cursor, and the path of the next page.
func (l *listing[T]) cut(path string, v url.Values) ([]T, string, error) {
	limit, err := query.Limit(v, l.most)
	if err != nil {
		return nil, "", err
	}
	rest := l.all
	if v.Has("cursor") {
		last, err := query.Behind(v.Get("cursor"))
		if err != nil {
			return nil, "", err
		}
		at := slices.IndexFunc(rest, func(x T) bool { return l.key(x) == last })
		if at < 0 {
			return nil, "", query.BadCursor()
		}
		rest = rest[at+1:]
	}
	if len(rest) <= limit {
		return append([]T{}, rest...), "", nil
	}
	v.Set("cursor", query.CursorBehind(l.key(rest[limit-1])))
	return rest[:limit], path + "?" + v.Encode(), nil
}

// long sends a list in parts, with the same bytes as one answer would have.
func (l *listing[T]) long(as form, all []T) *httpcache.Reply {
	if as != asDocument {
		return &httpcache.Reply{Type: csvType, File: l.name + ".csv",
			Parts: func(context.Context) iter.Seq2[[]byte, error] {
				return func(yield func([]byte, error) bool) {
					if !yield(l.rows.head(as), nil) {
						return
					}
					for part := range slices.Chunk(all, l.most) {
						if body, err := l.rows.append(as, nil, part); !yield(body, err) || err != nil {
							return
						}
					}
				}
			}}
	}
	return &httpcache.Reply{Type: jsonType, Parts: func(context.Context) iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) { l.document(all, yield) }
	}}
}

// document yields what asList makes.
func (l *listing[T]) document(all []T, yield func([]byte, error) bool) {
	sep := "{"
	for _, name := range []string{l.name, "items"} {
		if !yield([]byte(sep+`"`+name+`":[`), nil) {
			return
		}
		sep = "],"
		first := true
		for part := range slices.Chunk(all, l.most) {
			reply, err := asJSON(part)
			if err != nil {
				yield(nil, err)
				return
			}
			body := bytes.TrimSuffix(reply.Body, []byte("]\n")) // of "[...]"
			if body[0] = ','; first {
				body = body[1:]
			}
			if first = false; !yield(body, nil) {
				return
			}
		}
	}
	b := []byte("]")
	for _, m := range l.more {
		reply, err := asJSON(m.value)
		if err != nil {
			yield(nil, err)
			return
		}
		b = append(append(b, `,"`+m.name+`":`...), bytes.TrimSpace(reply.Body)...)
	}
	yield(append(b, `,"next":null}`+"\n"...), nil)
}

// asList encodes a list in the form of all lists: {NAME: [...], "items": [...], ...,
// "next": PATH or null}. Both names have the same items, so that one program can read all
// lists.
func asList(name string, items any, next string, more ...member) (*httpcache.Reply, error) {
	return asListBehind("", name, items, next, more...)
}

// asListBehind puts encoded members before the items.
func asListBehind(lead, name string, items any, next string, more ...member) (*httpcache.Reply, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	put := func(name string, value any) error {
		b.WriteString(`"` + name + `":`)
		err := enc.Encode(value)
		b.Truncate(max(0, b.Len()-1)) // the encoder's line end
		return err
	}
	b.WriteString("{" + lead)
	at := b.Len() + len(`"":`) + len(name)
	if err := put(name, items); err != nil {
		return nil, err
	}
	part := b.Bytes()[at:]
	b.Grow(len(part) + 1024)
	b.WriteString(`,"items":`)
	b.Write(part)
	for _, m := range append(more, member{"next", optional(next)}) {
		b.WriteByte(',')
		if err := put(m.name, m.value); err != nil {
			return nil, err
		}
	}
	b.WriteString("}\n")
	return &httpcache.Reply{Type: jsonType, Body: b.Bytes(), Next: next}, nil
}
