package gateway

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
	"sluice/register"
)

// housed are the sensors that stood for somebody, and the kind by which they did.
// A register in which such a sensor has another kind does not show it: that may be
// a slip, and a slip must not show a home. A sensor that is put to another use
// gets a new id.
type housed struct {
	path  string
	kinds map[string]string // by sensor
	dirty bool
}

// readHoused reads what is remembered in a state directory; nothing in a new one.
func readHoused(dir string) (housed, error) {
	h := housed{path: filepath.Join(dir, host.HomesFile), kinds: make(map[string]string)}
	raw, err := os.ReadFile(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &h.kinds)
	}
	if err != nil {
		return h, errors.New(h.path + " cannot be read; it says which sensors stand for homes. Put it back from a backup, or remove it once you have seen that every kind in the register is right")
	}
	return h, nil
}

// mind remembers that a sensor stands for somebody by its kind.
func (h *housed) mind(s *register.Sensor) {
	if h.kinds != nil && h.kinds[s.ID] != s.Kind {
		h.kinds[s.ID], h.dirty = s.Kind, true
	}
}

// other reports whether a sensor stood for somebody by another kind than it has
// now, one that still does.
func (h *housed) other(s *register.Sensor, homes map[string]bool) bool {
	was := h.kinds[s.ID]
	return was != "" && was != s.Kind && homes[was]
}

// save makes what was minded durable; before that nothing is shown by it.
func (h *housed) save() error {
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

// moved are the registered sensors that stood for somebody by another kind.
func (h *housed) moved(reg *register.Register) (ids []string) {
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
