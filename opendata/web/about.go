package web

import (
	"sluice/books"
	"sluice/opendata/catalog"
)

// about is the page's subject for search engines: its stream, or all of them. Addresses begin
// with base.
func (w *Web) about(v locale, base string, city books.City, page any) any {
	if p, ok := page.(*streamPage); ok {
		return catalog.Dataset(w.speak[v.lang], base, city, p.Stream)
	}
	return catalog.City(w.speak[v.lang], base, city)
}
