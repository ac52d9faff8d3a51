package homes

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"sluice/gateway/host"
	"sluice/perm"
	"sluice/policy/compile"
	"sluice/register"
)

// Record are the sensors that stood for somebody, and the kind by which they did.
// A register in which such a sensor has another kind does not show it: that may be
// a slip, and a slip must not show a home. A sensor that is put to another use
// gets a new id.
type Record struct {
	path  string
	kinds map[string]string // by sensor
	dirty bool
}

// Read reads what is remembered in a state directory; nothing in a new one.
func Read(dir string) (*Record, error) {
	h := &Record{path: filepath.Join(dir, host.HomesFile), kinds: make(map[string]string)}
	raw, err := os.ReadFile(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &h.kinds)
	}
	if err != nil {
		return h, errors.New(h.path + " cannot be read; it says which sensors stand for homes. Put it back from a " +
			"backup, or remove it once you have seen that every kind in the register is right")
	}
	return h, nil
}

// note remembers that a sensor stands for somebody by its kind.
func (h *Record) note(s *register.Sensor) {
	if h.kinds != nil && h.kinds[s.ID] != s.Kind {
		h.kinds[s.ID], h.dirty = s.Kind, true
	}
}

// other reports whether a sensor stood for somebody by another kind than it has
// now, one that still does.
func (h *Record) other(s *register.Sensor, homes map[string]bool) bool {
	was := h.kinds[s.ID]
	return was != "" && was != s.Kind && homes[was]
}

// Save makes what was noted durable; before that nothing is shown by it.
func (h *Record) Save() error {
	if !h.dirty {
		return nil
	}
	raw, err := json.Marshal(h.kinds)
	if err != nil {
		return err
	}
	if err := perm.Replace(h.path, raw, host.ModePrivate); err != nil {
		return err
	}
	h.dirty = false
	return nil
}

// Moved are the registered sensors that stood for somebody by another kind.
func (h *Record) Moved(reg *register.Register) (ids []string) {
	every := make(map[string]bool)
	for _, kind := range slices.Collect(maps.Values(h.kinds)) {
		every[kind] = true
	}
	for i := range reg.Sensors {
		if s := &reg.Sensors[i]; h.other(s, every) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// Sorts are how each sensor of a register is shown, in its order, under the policy
// that was in force last and by what is known of kinds. It notes who stands for a home;
// Save that before anything is shown by it.
func (h *Record) Sorts(reg *register.Register, set *compile.Set, known Known) []Shown {
	homes := Of(set)
	maps.Copy(homes, known)
	out := make([]Shown, len(reg.Sensors))
	for i := range reg.Sensors {
		s := &reg.Sensors[i]
		switch _, known := set.Kinds[s.Kind]; {
		case !known:
			out[i] = Unknown
		case homes[s.Kind]:
			out[i] = Home
			h.note(s)
		case h.other(s, homes):
			out[i] = Unknown
		default:
			out[i] = Singly
		}
	}
	return out
}
