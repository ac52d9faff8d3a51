package activation

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"sluice/policy/rego"
)

// holder has the View that readers see; they need no lock for it.
type holder struct {
	mu   sync.Mutex // held while view is exchanged
	view atomic.Pointer[View]
}

// View is which policy is in force now.
func (h *holder) View() *View { return h.view.Load() }

// Cells are those of this gateway's streams, by stream.
func (h *holder) Cells() map[string]map[string]bool { return h.View().Cells() }

// SomeCells are, by stream, up to limit cells of each policy.
func (h *holder) SomeCells(limit int) map[string][]string { return h.View().SomeCells(limit) }

// Location is the city's; nil before any policy.
func (h *holder) Location() *time.Location { return h.View().Location() }

// update exchanges the view for a changed one. Change gets a copy; of the maps in it,
// too, it must make another (with).
func (h *holder) update(change func(v *View)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := *h.view.Load()
	change(&v)
	h.view.Store(&v)
}

// with is a copy of a map that has one entry more.
func with[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	out := make(map[K]V, len(m)+1)
	maps.Copy(out, m)
	out[key] = value
	return out
}

// count counts a policy that was refused.
func (h *holder) count(code rego.Code) {
	h.update(func(v *View) { v.Refused = with(v.Refused, code, v.Refused[code]+1) })
}
