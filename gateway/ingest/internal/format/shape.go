package format

import (
	"math"
	"strings"

	"sluice/register/preset"
)

// Shape is what readings of a sensor look like.
type Shape struct {
	fields []field
	names  []string
	index  map[string]int // by name
	labels map[string]int // by SenML name
	mapped bool
	// only is the one field that a reading without any lacks: the one that is mapped, or
	// the kind's one; -1 where it is one of several.
	only int
	// claimed are the keys of a reading that a pointer takes for a field, as bits.
	claimed uint8
	// sources are where the fields are in an envelope, nil for a field that it has not, and
	// known what is there and is no data.
	sources []*source
	known   [][]string
	layout  *layout // of the bytes that some sources are in; nil for none
	// measures are what is made of a number by the unit that a record of SenML says, for each field; nil where the kind
	// has no unit.
	measures []map[string]scaling
	print    uint64
}

type field struct {
	kind string // int, float, string, bool or time
	form string // canonical form of a string
	path []string
	// low and high are what a number may be, both included; infinite for any.
	low, high float64
}

// NewShape makes the shape of a kind's fields, found by name or, where pointers
// names one, by JSON pointer (RFC 6901) from the reading's root. A pointer of one
// token is also the field's name in a SenML pack. Forms are of texts
// (canonical); nil for none.
func NewShape(names, types, forms []string, pointers map[string]string) *Shape {
	s := &Shape{index: make(map[string]int, len(names)), labels: make(map[string]int, len(names))}
	for i, name := range names {
		f := field{kind: types[i], low: math.Inf(-1), high: math.Inf(1)}
		if forms != nil {
			f.form = forms[i]
		}
		if p, ok := pointers[name]; ok {
			s.mapped = true
			for _, token := range strings.Split(p[1:], "/") {
				f.path = append(f.path, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
			}
			if len(f.path) == 1 {
				s.labels[f.path[0]] = i
			}
			if len(f.path) == 1 || f.path[0] != "fields" {
				s.claimed |= reserved[f.path[0]]
			}
		} else {
			s.labels[name] = i
		}
		s.index[name] = i
		s.names = append(s.names, name)
		s.fields = append(s.fields, f)
	}
	s.only = s.single()
	s.print = fnv([]byte(strings.Join(names, "\n")))
	return s
}

func (s *Shape) single() int {
	only := -1
	for i, f := range s.fields {
		switch {
		case s.mapped && f.path == nil:
		case only >= 0:
			return -1
		default:
			only = i
		}
	}
	return only
}

// Measure says in which units the kind has its fields, so that records of SenML may have others.
func (s *Shape) Measure(units []string) {
	s.measures = make([]map[string]scaling, len(s.fields))
	for i, unit := range units {
		if kind := s.fields[i].kind; unit == "" || kind != "int" && kind != "float" {
			continue
		}
		all := make(map[string]scaling)
		for from, to := range preset.Into(unit) {
			all[from] = scaling{to[0], to[1]}
		}
		for senml, code := range map[string]string{"/": "1", "dB": "dB(A)"} { // SenML has no other decibel
			if as, ok := all[code]; ok {
				all[senml] = as
			}
		}
		s.measures[i] = all
	}
}

// Limit says what numbers of a field are valid, both ends included; others are refused. It
// is for shapes that no decoder has seen yet.
func (s *Shape) Limit(field int, low, high float64) {
	s.fields[field].low, s.fields[field].high = low, high
}

// Fingerprint is of the fields' names and numbers: what is remembered of a field goes by its number.
func (s *Shape) Fingerprint() uint64 { return s.print }

// Names calls a function with each key below an envelope's root that a field is made of, and with
// those that are known.
func (s *Shape) Names(each func(string)) {
	for _, src := range s.sources {
		if src != nil && len(src.path) > 0 {
			each(src.path[0])
		}
	}
	for _, path := range s.known {
		each(path[0])
	}
}

// Field finds a field by its kind's name, wherever the sensor has it.
func (s *Shape) Field(name string) (int, bool) {
	i, ok := s.index[name]
	return i, ok
}
