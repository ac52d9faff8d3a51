package preset

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestDocument: docs/sensors.md says of every profile which fields it fills, in which unit and how, and names
// every key that a preset and a profile can have.
func TestDocument(t *testing.T) {
	raw, err := os.ReadFile("../../docs/sensors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(Builtin().Profiles)) {
		if row := rowOf(Builtin().Profiles.Of(id)); !strings.Contains(string(raw), row+"\n") {
			t.Errorf("docs/sensors.md has not the row\n%s", row)
		}
	}
	if rows := strings.Count(string(raw), "\n| `"); rows < len(Builtin().Profiles) {
		t.Errorf("it has %d rows", rows)
	}
	_, own, _ := strings.Cut(string(raw), "\n## A preset of your own")
	keys := map[string]bool{}
	gather(keys, reflect.TypeFor[Preset]())
	gather(keys, reflect.TypeFor[Profile]())
	for key := range keys {
		if !strings.Contains(own, "`"+key) && !strings.Contains(own, key+":") {
			t.Errorf("there is a key %s, and the document does not have it", key)
		}
	}
	for _, word := range append([]string{"rfc3339", "interval", "relative", "birth", "death"}, formats...) {
		if !strings.Contains(own, "`"+word+"`") {
			t.Errorf("the document does not have %s", word)
		}
	}
}

// gather gathers the keys of a type, and of those that it holds.
func gather(keys map[string]bool, of reflect.Type) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
		of = of.Elem()
	}
	for i := 0; of.Kind() == reflect.Struct && i < of.NumField(); i++ {
		if key := of.Field(i).Tag.Get("yaml"); key != "" {
			keys[key] = true
			gather(keys, of.Field(i).Type)
		}
	}
}

// rowOf is a profile's row of the table.
func rowOf(p *Profile) string {
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		s := p.Fields[name]
		if s.Ignore {
			continue
		}
		var more []string
		if !s.Unit.IsZero() {
			more = append(more, s.Unit.String())
		}
		switch {
		case s.Counter != nil:
			more = append(more, "grows")
		case s.Change:
			more = append(more, "a change")
		case s.Capture != "":
			more = append(more, "in the topic")
		}
		text := "`" + name + "`"
		if len(more) > 0 {
			text += " (" + strings.Join(more, ", ") + ")"
		}
		fields = append(fields, text)
	}
	return fmt.Sprintf("| `%s` | %s | %s |", p.ID, p.About, strings.Join(fields, ", "))
}
