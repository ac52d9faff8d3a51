package books

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestNames: books of before have no names, and what has none writes none; words of one
// version of a policy are joined with those of another, and the first's hold.
func TestNames(t *testing.T) {
	raw, err := json.Marshal(City{ID: "portalba", Languages: []string{"ca"}})
	const old = `{"id":"portalba","name":"","timezone":"","languages":["ca"],"policy":"","simulation":false}`
	if err != nil || string(raw) != old {
		t.Errorf("a city without names is %s, %v", raw, err)
	}
	if raw, err = json.Marshal(Measure{Name: "no2"}); err != nil ||
		string(raw) != `{"name":"no2","unit":"","of":"","public_from":0,"typical_error":0}` {
		t.Errorf("a measure without names is %s, %v", raw, err)
	}
	one := map[string]map[string]string{"a": {"en": "A"}, "b": {"en": "B"}}
	two := map[string]map[string]string{"b": {"en": "other"}, "c": {"en": "C"}}
	all := Vocabulary{Purposes: one, Kinds: one}.With(Vocabulary{Purposes: two, Fields: two})
	want := Vocabulary{
		Purposes: map[string]map[string]string{"a": {"en": "A"}, "b": {"en": "B"}, "c": {"en": "C"}},
		Kinds:    one, Fields: two,
	}
	if !reflect.DeepEqual(all, want) || len(one) != 2 || len(two) != 2 {
		t.Errorf("together they are %+v", all)
	}
}
