package format

import (
	"strconv"

	"github.com/valyala/fastjson"
)

// Keys lists a message's keys after it has been decoded, and says whether there are more.
func (t *Trace) Keys(received int64) (list []Key, more bool) {
	d := t.d
	if d.message == nil || d.shape == nil {
		return nil, false
	}
	if d.isPack() {
		return t.records()
	}
	t.find(received)
	seen := make(map[Key]bool)
	t.walk(d.message, "", "", func(k Key, normal string) {
		if same := (Key{normal, k.Name, k.Use, k.Field}); !seen[same] && len(seen) <= MaxKeys {
			seen[same] = true
			list = append(list, k)
		}
	})
	if len(list) > MaxKeys {
		return list[:MaxKeys], true
	}
	return list, false
}

// records lists a pack's labels.
func (t *Trace) records() (list []Key, more bool) {
	seen := make(map[string]bool)
	var base []byte
	named := t.d.wrap.Envelope != nil && t.d.wrap.Envelope.named != nil
	for n, v := range t.d.message.GetArray() {
		name := string(v.GetStringBytes("n"))
		if v.Get("bn") != nil {
			base = v.GetStringBytes("bn")
		}
		if named {
			both, device := join(nil, base, v.GetStringBytes("n"), t.d.wrap.Envelope.named)
			name = string(both[device:])
		}
		if v.Get("n") == nil || seen[name] {
			continue
		}
		if len(list) == MaxKeys {
			return list, true
		}
		seen[name] = true
		k := Key{Pointer: "/" + strconv.Itoa(n), Name: name, Use: UseNone}
		if i, known := t.d.shape.labels[name]; known {
			k.Use, k.Field = UseField, i
		}
		list = append(list, k)
	}
	return list, false
}

// find notes what is used.
func (t *Trace) find(received int64) {
	d := t.d
	note := func(at string, k Key) {
		if _, known := t.used[at]; at != "" && !known {
			t.used[at] = k
		}
	}
	origin := func(n int) {
		o := t.Origin(n, received)
		for _, u := range []struct {
			at  string
			use Use
		}{{o.Time, UseTime}, {o.Seq, UseSeq}, {o.Boot, UseBoot}, {o.Device, UseDevice}} {
			note(u.at, Key{Use: u.use})
		}
		if e := d.wrap.Envelope; o.Time == "" && e != nil && o.Tried < len(e.times) { // it is there, and cannot be read
			note(t.place(&d.elements[n], e.times[o.Tried].path), Key{Use: UseTime})
		}
	}
	if d.wrap.Envelope == nil {
		for n := range max(1, len(d.message.GetArray())) {
			if v := d.one(n); v != nil {
				t.nativeFields(v, note)
				origin(n)
			}
		}
		return
	}
	if types := d.wrap.Envelope.types; types != nil {
		note(t.place(&element{}, types.path), Key{Use: UseType})
	}
	for n := range d.elements {
		t.fields(&d.elements[n], note)
		origin(n)
	}
}

func (t *Trace) nativeFields(v *fastjson.Value, note func(string, Key)) {
	for i, f := range t.d.shape.fields {
		path := f.path
		if path == nil {
			path = []string{"fields", t.d.shape.names[i]}
		}
		if v.Get(path...) != nil {
			note(t.at[v]+pointerOf(path), Key{Use: UseField, Field: i})
		}
	}
}

// fields notes where the fields of a reading in an envelope are.
func (t *Trace) fields(e *element, note func(string, Key)) {
	env, shape := t.d.wrap.Envelope, t.d.shape
	root := e.own
	if env.root != nil {
		root, _ = t.look(e, env.root)
	}
	if env.pairs != nil {
		t.pairs(e, note)
		root = nil
	}
	if shape.layout != nil {
		t.bytes(e, note)
	}
	for i, src := range shape.sources {
		if src != nil && src.units != nil {
			t.unit(e, root, src.said, note)
		}
		switch {
		case src == nil || src.path == nil || src.laid.Width > 0:
		case root != nil && root.Get(src.path...) != nil:
			note(t.at[root]+pointerOf(src.path), Key{Use: UseField, Field: i})
		case src.anywhere:
			note(t.place(e, src.path), Key{Use: UseField, Field: i})
		}
	}
	for _, path := range shape.known {
		if root != nil && root.Get(path...) != nil {
			note(t.at[root]+pointerOf(path), Key{Use: UseKnown})
		}
	}
}

// unit notes where a number's unit is.
func (t *Trace) unit(e *element, root *fastjson.Value, said []string, note func(string, Key)) {
	if root != nil && root.Get(said...) != nil {
		note(t.at[root]+pointerOf(said), Key{Use: UseUnit})
		return
	}
	note(t.place(e, said), Key{Use: UseUnit})
}

// pairs notes the fields in a list of names and values.
func (t *Trace) pairs(e *element, note func(string, Key)) {
	p := t.d.wrap.Envelope.pairs
	if e.own == nil {
		return
	}
	list := e.own.Get(p.list...)
	if list == nil {
		return
	}
	for _, one := range list.GetArray() {
		name := t.d.text(one.Get(p.name))
		if name == nil || one.Get(p.value) == nil {
			continue
		}
		k := Key{Name: string(name), Use: UseNone}
		for i, src := range t.d.shape.sources {
			if src != nil && len(src.path) == 1 && src.path[0] == k.Name {
				k.Use, k.Field = UseField, i
			}
		}
		for _, path := range t.d.shape.known {
			if len(path) == 1 && path[0] == k.Name {
				k.Use = UseKnown
			}
		}
		note(t.at[one]+"/"+escape(p.value), k)
		note(t.at[one]+"/"+escape(p.name), Key{Use: UseName})
	}
}

// walk visits what holds no other values; normal is a pointer without the places in lists.
func (t *Trace) walk(v *fastjson.Value, at, normal string, each func(k Key, normal string)) {
	for _, k := range t.laid[at] {
		each(k, normal)
	}
	k, used := t.used[at]
	if t.laid[at] != nil {
		return
	}
	if used || !holds(v) {
		if !used {
			k.Use = UseNone
		}
		k.Pointer = at
		each(k, normal)
		return
	}
	array := v.Type() == fastjson.TypeArray
	below(v, func(key string, v *fastjson.Value) {
		if array {
			t.walk(v, at+"/"+key, normal+"/*", each)
		} else {
			t.walk(v, at+"/"+key, normal+"/"+key, each)
		}
	})
}
