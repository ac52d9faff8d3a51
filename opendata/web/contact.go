package web

import (
	"net/http"

	"sluice/opendata/i18n"
)

// bare is a page that says what city.json says, which each page has: the imprint, and the
// statement on accessibility in the form of Implementing Decision (EU) 2018/1523.
func bare(*http.Request, *i18n.Localizer) (any, error) { return struct{}{}, nil }
