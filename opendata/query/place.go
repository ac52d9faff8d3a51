package query

import (
	"sync"
	"time"
)

// places are the time zones that were asked for: reading one takes a file's time, and
// pages ask for each row. Their names come from the books.
var places sync.Map // of *time.Location by name

// Place is a time zone by its name; UTC for one that there is not.
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
