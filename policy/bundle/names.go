package bundle

import (
	"maps"
	"slices"
)

// Names are words for what a policy names by an id: id, language, words.
type Names struct {
	Kinds  map[string]map[string]string
	Fields map[string]map[string]string // by KIND/FIELD
	Values map[string]map[string]string // by FIELD/VALUE; of several kinds the first that has words
}

// Names are the words of the kinds; the charter has those of purposes and units, and each
// decision those of its measures.
func (p *Policy) Names() Names {
	n := Names{}
	put := func(into *map[string]map[string]string, id string, words map[string]string) {
		if len(words) == 0 || (*into)[id] != nil {
			return
		}
		if *into == nil {
			*into = make(map[string]map[string]string)
		}
		(*into)[id] = words
	}
	for _, id := range slices.Sorted(maps.Keys(p.Kinds)) {
		put(&n.Kinds, id, p.Kinds[id].Names)
		for _, f := range p.Kinds[id].Fields {
			put(&n.Fields, id+"/"+f.Name, f.Names)
			for value, words := range f.Values {
				put(&n.Values, f.Name+"/"+value, words)
			}
		}
	}
	return n
}
