// Package odata reads the query language of OGC SensorThings 1.1 (18-088, section 9.3), which
// is a part of OData 4.0 (URL conventions): resource paths and the options $filter, $expand,
// $select, $orderby, $top, $skip, $count, $resultFormat and $skiptoken, with options of an
// expansion in parentheses, separated by semicolons:
//
//	/Things('rambla')/Datastreams
//	  ?$filter=substringof('devices',name) and properties/public_from lt 100
//	  &$expand=Observations($orderby=phenomenonTime desc;$top=1),ObservedProperty($select=name)
//
// An expression becomes a tree by Pratt's method (Top down operator precedence, POPL 1973).
// What binds most comes first: unary minus; mul div mod; add sub; gt ge lt le; eq ne in; not;
// and; or. Not binds less than comparisons, so that "not result gt 5" means what it seems to.
//
// It knows words and no entities: whether there is such a property is for package engine to
// say. An error names the option and the character at which it is, and says what is allowed
// there; it never repeats what was sent.
package odata

import "fmt"

// Error is what is wrong with an option or a path: which, at what character (from 1; 0 for
// all of it), and what would be right.
type Error struct {
	Option string
	At     int
	Hint   string
	// Unsupported: it may be right elsewhere, this service does not do it.
	Unsupported bool
}

func (e *Error) Error() string {
	if e.At == 0 {
		return e.Option + ": " + e.Hint
	}
	return fmt.Sprintf("%s, character %d: %s", e.Option, e.At, e.Hint)
}

// Bounds of a query. An expression that is deeper, or has more parts, is nobody's.
const (
	MaxQuery  = 8192 // bytes
	maxDepth  = 32   // of expressions, and of options in options
	maxNodes  = 400  // of an expression
	maxNested = 5    // expansions within each other
	maxItems  = 50   // of a list
)
