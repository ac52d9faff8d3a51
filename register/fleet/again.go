package fleet

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"sluice/register"
)

// again looks for rows about sensors that the register has. Those that say nothing new are counted;
// of the others, those that are to be written over it are in Changed. It returns their rows, also of
// those that may not be, which are faults.
func (f *Fleet) again(reg *register.Register, name string) map[int]bool {
	known, rows := make(map[string]int), make(map[int]bool)
	if f.columns.Map == nil { // one sensor that is meant to be new
		return rows
	}
	for n := range reg.Sensors {
		if file, _ := reg.Place(n); file != name {
			known[reg.Sensors[n].ID] = n
		}
	}
	f.Entries = slices.DeleteFunc(f.Entries, func(e Entry) bool {
		n, there := known[e.Sensor.ID]
		if !there {
			return false
		}
		rows[e.Row] = true
		if len(e.bad) > 0 {
			return true // that is said
		}
		old := &reg.Sensors[n]
		now, differs := f.merged(old, &e.Sensor, reg)
		switch {
		case len(differs) == 0:
			f.There++
		case f.columns.Update:
			f.Changed = append(f.Changed, Entry{Row: e.Row, Sensor: now})
		default:
			f.Faults = append(f.Faults,
				Fault{e.Row, []string{f.columns.Map["id"]}, fmt.Sprintf("this id is taken in %s; "+
					"give each sensor an id of its own; if it is this one, whose %s %s changed, --update writes the "+
					"row "+
					"over "+
					"the entry", reg.Where(n), strings.Join(differs, " and "), map[bool]string{true: "has",
					false: "have"}[len(differs) == 1])})
		}
		return true
	})
	return rows
}

// merged is an entry with what a row says, and the keys in which they differed. What the row does not
// say stays.
func (f *Fleet) merged(old, row *register.Sensor, reg *register.Register) (now register.Sensor, differs []string) {
	now = *old
	now.Purpose, now.Map = maps.Clone(old.Purpose), maps.Clone(old.Map)
	keys := slices.Sorted(maps.Keys(f.columns.Map))
	for _, key := range slices.Sorted(maps.Keys(f.columns.Set)) {
		if f.columns.Map[key] == "" {
			keys = append(keys, key)
		}
	}
	if p := reg.Presets.Presets.Of(row.Preset); p != nil && p.Lowercase {
		row.Device = strings.ToLower(row.Device)
	}
	from, to := reflect.ValueOf(row).Elem(), reflect.ValueOf(&now).Elem()
	for _, key := range keys {
		name, below, _ := strings.Cut(key, ".")
		for _, k := range fields() {
			if k.key == name && take(to.Field(k.number), from.Field(k.number), below) {
				differs = append(differs, key)
			}
		}
	}
	switch { // where it stands is said in one way
	case slices.Contains(differs, "zone"):
		now.Lat, now.Lon = nil, nil
	case slices.Contains(differs, "lat") || slices.Contains(differs, "lon"):
		now.Zone = ""
	}
	return now, differs
}

// take gives a key what a row says, and reports whether that is something else.
func take(to, from reflect.Value, below string) bool {
	if to.Kind() == reflect.Map {
		key := reflect.ValueOf(below)
		said := from.MapIndex(key)
		if !said.IsValid() || to.MapIndex(key).IsValid() && to.MapIndex(key).String() == said.String() {
			return false
		}
		if to.IsNil() {
			to.Set(reflect.MakeMap(to.Type()))
		}
		to.SetMapIndex(key, said)
		return true
	}
	if from.IsZero() || scalar(from) == scalar(to) {
		return false
	}
	to.Set(from)
	return true
}

// rewritten are the files of a register with the changed entries in place of those that they had.
func (f *Fleet) rewritten(reg *register.Register, read func(path string) ([]byte, error)) (map[string][]byte, error) {
	now := make(map[string]*register.Sensor, len(f.Changed))
	for n := range f.Changed {
		now[f.Changed[n].Sensor.ID] = &f.Changed[n].Sensor
	}
	lines := make(map[string]map[int]*register.Sensor) // by file
	for n := range reg.Sensors {
		if s := now[reg.Sensors[n].ID]; s != nil {
			file, line := reg.Place(n)
			if lines[file] == nil {
				lines[file] = make(map[int]*register.Sensor)
			}
			lines[file][line] = s
		}
	}
	out := make(map[string][]byte, len(lines))
	for file, at := range lines {
		raw, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
		if out[file] = exchange(raw, at); out[file] == nil {
			return nil, fmt.Errorf("%s: %w", file, errLayout)
		}
	}
	return out, nil
}

// exchange puts entries in the place of those that begin on some lines, with the comments between
// entries as they are; nil where an entry does not begin its line.
func exchange(raw []byte, at map[int]*register.Sensor) []byte {
	var out []byte
	inside := -1 // the column of the dash of an entry that is left out
	number := 0
	for line := range bytes.Lines(raw) {
		number++
		deep := len(line) - len(bytes.TrimLeft(line, " "))
		if inside >= 0 && len(bytes.TrimSpace(line)) > 0 && deep <= inside {
			inside = -1
		}
		if s := at[number]; s != nil {
			m := dash.FindSubmatch(line)
			if m == nil {
				return nil
			}
			inside = deep
			text := bytes.TrimPrefix(AppendEntry(nil, s), []byte(indent))
			if bytes.HasSuffix(line, []byte("\r\n")) {
				text = append(bytes.TrimSuffix(text, []byte("\n")), "\r\n"...)
			}
			out = append(append(out, m[1]...), text...)
			continue
		}
		if inside < 0 || len(bytes.TrimSpace(line)) == 0 {
			out = append(out, line...)
		}
	}
	return out
}

// over reads files of a register, some of which are written anew.
func (f *Fleet) over(read func(path string) ([]byte, error)) func(path string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if raw, written := f.Files[path]; written {
			return raw, nil
		}
		return read(path)
	}
}
