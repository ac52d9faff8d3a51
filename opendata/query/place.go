package query

import (
	"sync"
	"time"
)

// places caches time zones: loading one reads a file, and pages need it for each row. Their
// names come from the books.
var places sync.Map // of *time.Location by name

// Place returns a time zone by its name; UTC if there is no such zone.
func Place(name string) *time.Location {
	if p, ok := places.Load(name); ok {
		if loc, ok := p.(*time.Location); ok {
			return loc
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	places.Store(name, loc)
	return loc
}
