package sqlite

import (
	"errors"

	"modernc.org/sqlite"
)

// Result codes of SQLite, https://www.sqlite.org/rescode.html.
const (
	corrupt = 11
	notADB  = 26
)

// IsDamaged reports whether an error says that a file is no sound database: trying
// again does not help, and another copy of the file does.
func IsDamaged(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	primary := e.Code() & 0xff // the rest is the extended code
	return primary == corrupt || primary == notADB
}
