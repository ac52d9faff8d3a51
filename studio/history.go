package studio

import (
	"slices"
	"sync"
)

// Bounds of what is remembered of one file.
const (
	maxStates     = 500
	maxRemembered = 8 << 20 // bytes
)

// history is a file as it is being written: every state since the studio began, saved or not. What
// has not been saved is in this program's memory only.
type history struct {
	states []string
	at     int               // the state that is shown
	saved  string            // the file as it was last read or written
	sum    string            // of that
	by     map[string]string // the page that made a state, by the name of the state
	clash  bool              // what is shown took the place of what another page had written meanwhile
}

// text is the state that is shown.
func (h *history) text() string { return h.states[h.at] }

// unsaved reports whether it differs from the file.
func (h *history) unsaved() bool { return h.text() != h.saved }

// add makes a text the state that is shown; what had been taken back is forgotten.
func (h *history) add(text string) {
	if len(h.states) > 0 && h.text() == text {
		return
	}
	if len(h.states) > 0 {
		h.states = h.states[:h.at+1]
	}
	h.states = append(h.states, text)
	size := 0
	for _, s := range h.states {
		size += len(s)
	}
	for len(h.states) > 1 && (len(h.states) > maxStates || size > maxRemembered) {
		size -= len(h.states[0])
		h.states = h.states[1:]
	}
	h.at = len(h.states) - 1
}

// move goes some states back or forward, as far as there are any.
func (h *history) move(by int) { h.at, h.clash = min(max(h.at+by, 0), len(h.states)-1), false }

// wrote notes that a page is about to make a text the newest state; a page without its script has no
// name.
func (h *history) wrote(text, page string) {
	if text == h.text() {
		return
	}
	if h.by == nil || len(h.by) > 2*maxStates {
		h.by = make(map[string]string)
	}
	h.by[stateOf(text)] = page
}

// turn is a state and the one before it.
type turn struct{ before, after string }

// others are the steps from the state that a page was made of to the one that is shown, as far as
// other pages have made them.
func (h *history) others(base, page string) (list []turn) {
	from := slices.IndexFunc(h.states, func(x string) bool { return stateOf(x) == base })
	for i := from + 1; from >= 0 && i <= h.at; i++ {
		if page == "" || h.by[stateOf(h.states[i])] != page {
			list = append(list, turn{h.states[i-1], h.states[i]})
		}
	}
	return list
}

// drafts are the histories of a directory's files.
type drafts struct {
	desk *desk
	mu   sync.Mutex
	of   map[string]*history // guarded by mu, and so is what is in it
}

// sheet is one file as a page shows it.
type sheet struct {
	Text       string
	Unsaved    bool
	Undo, Redo bool
	// Other is what somebody else has made of the file, where there is something unsaved here.
	Other    string
	Conflict bool
	// Clash: two pages have written the same place, and the later is shown.
	Clash bool
}

// with gives the history of a file, read anew if it was written by others and nothing here is
// unsaved, to f, and returns what is to be shown afterwards. A file that is not there is errMissing.
func (d *drafts) with(file string, f func(h *history) error) (sheet, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	raw, sum, err := d.desk.Read(file)
	if err != nil {
		return sheet{}, err
	}
	h := d.of[file]
	switch {
	case sum == none && h == nil:
		return sheet{}, errMissing
	case h == nil:
		h = &history{saved: string(raw), sum: sum}
		h.add(h.saved)
		d.of[file] = h
	case sum != h.sum && (!h.unsaved() || string(raw) == h.text()) && sum != none:
		h.saved, h.sum = string(raw), sum
		h.add(h.saved)
	}
	if err := f(h); err != nil {
		return sheet{}, err
	}
	out := sheet{Text: h.text(), Unsaved: h.unsaved(), Undo: h.at > 0, Redo: h.at < len(h.states)-1, Clash: h.clash}
	if sum != h.sum && string(raw) != h.saved {
		out.Conflict, out.Other = true, string(raw)
	}
	return out, nil
}

// unsaved reports whether a file has a state here that is not written.
func (d *drafts) unsaved(file string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.of[file]
	return h != nil && h.unsaved()
}

// look shows a file without changing anything.
func (d *drafts) look(file string) (sheet, error) {
	return d.with(file, func(*history) error { return nil })
}

// save writes the state that is shown. If somebody else has written the file since, it is
// errChanged, unless over says that theirs may go.
func (d *drafts) save(file string, over bool) error {
	_, err := d.with(file, func(h *history) error {
		if over {
			_, sum, err := d.desk.Read(file)
			if err != nil {
				return err
			}
			h.sum = sum
		}
		if err := d.desk.Write(file, h.sum, []byte(h.text())); err != nil {
			return err
		}
		raw, sum, err := d.desk.Read(file)
		h.saved, h.sum, h.clash = string(raw), sum, false
		return err
	})
	return err
}

// take makes the file, as others have written it, the state that is shown.
func (d *drafts) take(file string) error {
	_, err := d.with(file, func(h *history) error {
		raw, sum, err := d.desk.Read(file)
		if err != nil || sum == none {
			return err
		}
		h.saved, h.sum, h.clash = string(raw), sum, false
		h.add(h.saved)
		return nil
	})
	return err
}
