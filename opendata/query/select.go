package query

import (
	"net/url"
	"slices"

	"sluice/books"
	"sluice/store"
)

// MaxNamed bounds how often a parameter is repeated.
const MaxNamed = 500

// AllStatuses are the statuses that a query can ask for.
var AllStatuses = []store.Status{store.Published, store.Withheld, store.NoData, store.Withdrawn}

// Orders are the values of order: by start, oldest or newest first.
var Orders = []string{"asc", "desc"}

func askedCells(v url.Values, st Stream) (out []string, err error) {
	if len(v["cell"]) > MaxNamed {
		return nil, &Invalid{"cell", "is there more than 500 times"}
	}
	for _, id := range v["cell"] {
		if !slices.ContainsFunc(st.Cells, func(c books.Cell) bool { return c.ID == id }) {
			return nil, &Invalid{"cell", "names no cell of this stream; see its cells at /api/v1/streams"}
		}
		out = append(out, id)
	}
	return out, nil
}

// askedMeasures returns the names of measures, and of all that are in a histogram.
func askedMeasures(v url.Values, st Stream) (out []string, err error) {
	if len(v["measure"]) > MaxNamed {
		return nil, &Invalid{"measure", "is there more than 500 times"}
	}
	for _, name := range v["measure"] {
		known := len(out)
		for _, m := range st.Measures {
			if m.Name == name || m.Group == name {
				out = append(out, m.Name)
			}
		}
		if len(out) == known {
			return nil, &Invalid{"measure", "names no measure of this stream; see its measures at /api/v1/streams"}
		}
	}
	return out, nil
}

// Statuses returns the statuses that a query names, each once; none for all.
func Statuses(v url.Values) (out []store.Status, err error) {
	for _, name := range v["status"] {
		s := store.Status(name)
		if !slices.Contains(AllStatuses, s) {
			return nil, &Invalid{"status", "is published, withheld, no_data or withdrawn"}
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out, nil
}

func descending(v url.Values) (bool, error) {
	switch {
	case !v.Has("order"), v.Get("order") == "asc":
		return false, nil
	case v.Get("order") == "desc":
		return true, nil
	}
	return false, &Invalid{"order", "is asc or desc"}
}
