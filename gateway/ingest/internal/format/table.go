package format

import "github.com/valyala/fastjson"

// maxColumns is how many a table may have.
const maxColumns = 32

// table is where a message has names of columns, and rows with a value for each.
type table struct{ names, rows []string }

// naming has the names of the last table, and how many rows the message's tables have.
type naming struct {
	columns []string
	rows    int
}

// nameColumns makes objects of the rows of a table, so that the pointers of a preset and a profile find by name what
// stands there by its place:
//
//	{"components": ["result", "phenomenonTime"], "dataArray": [[45.2, "2026-11-23T10:00:00Z"]]}
//
// has then, at /dataArray/0/result, 45.2. A row that has not a value for each name says nothing about anything, and
// is null; and so is each where the names are none, or two are the same.
func (d *Decoder) nameColumns(v *fastjson.Value) {
	t := d.wrap.Envelope.table
	if t == nil {
		return
	}
	rows, names := d.look.array(v, t.rows), d.look.array(v, t.names) // gather looks whether they came twice
	if !d.takeNames(names) {
		names = nil
	}
	rows = rows[:min(len(rows), MaxReadings-d.rows)] // the others are no readings
	d.rows += len(rows)
	for i := range rows {
		cells := rows[i].GetArray()
		if len(names) == 0 || len(cells) != len(names) {
			rows[i] = d.arena.NewNull()
			continue
		}
		o := d.arena.NewObject()
		for n, name := range d.columns {
			o.Set(name, cells[n])
		}
		rows[i] = o
	}
}

// takeNames takes the names of columns; false where they are none. Messages after each other have the same, which
// are texts already.
func (d *Decoder) takeNames(names []*fastjson.Value) bool {
	if len(names) > maxColumns {
		return false
	}
	had := d.columns
	d.columns = d.columns[:0]
	for n, v := range names {
		b, err := v.StringBytes()
		if err != nil || len(b) > MaxText {
			return false
		}
		for _, before := range d.columns {
			if before == string(b) {
				return false
			}
		}
		if n < len(had) && had[n] == string(b) {
			d.columns = append(d.columns, had[n])
		} else {
			d.columns = append(d.columns, string(b))
		}
	}
	return true
}
