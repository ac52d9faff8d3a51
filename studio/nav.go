package studio

import "strings"

// stop is an entry of the navigation: where it leads, and the key of its words.
type stop struct{ Path, Key string }

// nav are the entries, in their order.
var nav = []stop{
	{"/", "layout.draft"},
	{"/see", "see.nav"},
	{"/dpia", "dpia.nav"},
	{"/consult", "consult.nav"},
	{"/vote", "vote.nav"},
}

// within reports whether a page is the entry's own or below it.
func (n stop) within(path string) bool {
	if n.Path == "/" {
		return path == "/" || path == "/new" || strings.HasPrefix(path, "/draft/")
	}
	return path == n.Path || strings.HasPrefix(path, n.Path+"/")
}
