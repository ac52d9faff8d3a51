package check

import (
	"strconv"

	"sluice/plan"
	"sluice/policy/decision"
)

// where finds conditions that no value of their field can meet, or all meet alike: a
// number that is compared with a text, a yes that is to be more than something. The gateway
// would count nothing, in silence.
func (c *checker) where(file string, d *decision.Document) {
	for i, w := range d.Where {
		for _, id := range d.AppliesTo.Kinds {
			for _, f := range c.kinds[id].Fields {
				if f.Name == w.Field && !compares(f.Type, w) {
					c.at(file, "D35", "where/"+strconv.Itoa(i)+"/value", f.Name, f.Type)
					return
				}
			}
		}
	}
}

// compares reports whether a condition can be asked of a field of this type.
func compares(fieldType string, w plan.Condition) bool {
	switch fieldType {
	case "int", "float":
		switch w.Value.(type) {
		case int, int64, uint64, float64:
			return true
		}
		return false
	case "string":
		_, ok := w.Value.(string)
		return ok
	case "bool":
		_, ok := w.Value.(bool)
		return ok && (w.Op == "==" || w.Op == "!=")
	}
	return true // what a time is compared with, others say
}
