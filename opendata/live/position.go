package live

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"sluice/books/union"
)

// position is how far a listener has come: a line for each gateway, by its name. Where there
// is one gateway, its name is empty.
type position map[string]int64

const (
	// maxID is the longest id in bytes: that of as many gateways as a server shows.
	maxID   = union.MaxBooks * 84
	maxName = 63
)

// parsePosition reads an id: a line, or NAME:LINE,NAME:LINE for several gateways.
func parsePosition(id string) (position, bool) {
	if n, ok := line(id); ok {
		return position{"": n}, true
	}
	at := make(position)
	for part := range strings.SplitSeq(id, ",") {
		name, text, _ := strings.Cut(part, ":")
		n, ok := line(text)
		if _, twice := at[name]; !ok || twice || name == "" || len(name) > maxName || len(id) > maxID {
			return nil, false
		}
		at[name] = n
	}
	return at, true
}

// line reads the number of a line; 0 is before the first.
func line(text string) (int64, bool) {
	n, err := strconv.ParseUint(text, 10, 53) // as far as scripts count
	return int64(n), err == nil && (text[0] != '0' || text == "0")
}

// append writes the id.
func (p position) append(b []byte) []byte {
	if n, ok := p[""]; ok {
		return strconv.AppendInt(b, n, 10)
	}
	for i, name := range slices.Sorted(maps.Keys(p)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(append(b, name...), ':'), p[name], 10)
	}
	return b
}
