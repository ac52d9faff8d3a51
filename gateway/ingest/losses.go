package ingest

import (
	"slices"
	"time"
)

// losses are the windows and epochs that cannot be known: they were open when the log, its
// part of it, or a key was lost. They are durable, in facts.
type losses struct {
	// names are those of their keys.
	names []string
	// unread says that the log could not be read, and that it is not known yet until when
	// it may have held anything. until is that: for ever.
	unread bool
	until  time.Time
}

// window reports whether a window cannot be known.
func (l *losses) window(id string, start time.Time) bool { return l.has("w", id, start) }

// epoch reports whether an epoch's bounds cannot be known.
func (l *losses) epoch(id string, start time.Time) bool { return l.has("e", id, start) }

func (l *losses) has(what, id string, start time.Time) bool {
	return l.unread || !start.After(l.until) || slices.Contains(l.names, keyName(what, id, start))
}

// add marks what a key's name stands for as lost.
func (l *losses) add(name string) {
	if !slices.Contains(l.names, name) {
		l.names = append(l.names, name)
	}
}

// remove drops the names that nobody asks for any more.
func (l *losses) remove(which func(name string) bool) { l.names = slices.DeleteFunc(l.names, which) }

// recover takes what the log says.
func (l *losses) recover(f *facts) { l.names, l.unread, l.until = f.Lost, f.Unread, f.LostUntil }

// saveTo writes what is durable of it into the facts.
func (l *losses) saveTo(f *facts) { f.Lost, f.Unread, f.LostUntil = l.names, l.unread, l.until }
