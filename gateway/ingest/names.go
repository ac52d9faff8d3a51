package ingest

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// keyName names a key: what, of which stream, from when.
func keyName(what, stream string, start time.Time) string {
	return what + "-" + strconv.FormatInt(start.Unix(), 10) + "-" + stream
}

// parseName is keyName, backwards.
func parseName(name string) (what, stream string, start time.Time, ok bool) {
	what, rest, _ := strings.Cut(name, "-")
	unix, stream, _ := strings.Cut(rest, "-")
	seconds, err := strconv.ParseInt(unix, 10, 64)
	return what, stream, time.Unix(seconds, 0).UTC(), err == nil && (what == "w" || what == "e")
}

// Oldest is when the oldest window or epoch began of which a key directory has the key:
// nothing before it is open. It is the zero time for none, and for no directory.
func Oldest(keys string) (oldest time.Time, err error) {
	if keys == "" {
		return oldest, nil
	}
	entries, err := os.ReadDir(keys)
	if errors.Is(err, fs.ErrNotExist) {
		return oldest, nil
	}
	for _, e := range entries {
		_, _, start, ok := parseName(strings.TrimSuffix(e.Name(), ".key"))
		if ok && (oldest.IsZero() || start.Before(oldest)) {
			oldest = start
		}
	}
	return oldest, err
}
