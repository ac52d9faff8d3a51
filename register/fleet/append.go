package fleet

import (
	"bytes"
	"errors"
	"reflect"

	"sluice/register"

	"sluice/internal/pattern"
)

// errLayout is the error for a register whose file has another layout than one entry below the other.
var errLayout = errors.New("its entries do not stand one below the other, each with - in the same column; write them " +
	"so below sensors:, or give the new ones a file of their own")

var (
	dash    = pattern.New(`(?m)^( *)- `)
	nothing = pattern.New(`(?m)^sensors: *(\[\]|\{\}|null|~)? *\r?$`)
)

// Append appends entries to a register's file: what is there stays as it is, comments and order too.
// Presets of the city's own are looked for beside it, by read. Entries that do not fit the register are
// for Propose to find first.
func Append(file string, raw []byte, more []register.Sensor, read func(path string) ([]byte, error)) ([]byte, error) {
	old := &register.Register{}
	if !blank(raw) {
		var err error
		if old, err = register.ParseBeside(file, raw, read); err != nil {
			return nil, err
		}
	}
	out := bytes.Clone(raw)
	if len(old.Sensors) == 0 {
		out = nothing.ReplaceAll(out, []byte("sensors:"))
		if !nothing.Match(out) {
			out = append(out, "sensors:\n"...)
		}
	}
	ending := []byte("\n")
	if bytes.Contains(raw, []byte("\r\n")) {
		ending = []byte("\r\n")
	}
	if !bytes.HasSuffix(out, []byte("\n")) {
		out = append(out, ending...)
	}
	deep := []byte(indent)
	if m := dash.FindSubmatch(out); m != nil && len(old.Sensors) > 0 {
		deep = m[1]
	}
	for n := range more {
		line := bytes.TrimPrefix(AppendEntry(nil, &more[n]), []byte(indent))
		out = append(append(append(out, deep...), bytes.TrimSuffix(line, []byte("\n"))...), ending...)
	}
	now, err := register.ParseBeside(file, out, read)
	if err != nil || !same(now.Sensors, old.Sensors, more) {
		return nil, errLayout
	}
	return out, nil
}

// same reports whether all sensors are the old ones and those after them.
func same(all, old, more []register.Sensor) bool {
	if len(all) != len(old)+len(more) || len(old) > 0 && !reflect.DeepEqual(all[:len(old)], old) {
		return false
	}
	for n := range more {
		if !bytes.Equal(AppendEntry(nil, &all[len(old)+n]), AppendEntry(nil, &more[n])) {
			return false
		}
	}
	return true
}

// blank reports whether a file holds comments only, or nothing.
func blank(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' {
			return false
		}
	}
	return true
}
