package machine

import (
	"context"
	"fmt"
	"time"
)

// Behind is, of each partition that falls to this machine, by how much the last that it has counted is older than the
// last that came, by the servers' clock. What the servers do not say in time is left out.
func (m *Machine) Behind(ctx context.Context) map[int]time.Duration {
	behind := make(map[int]time.Duration)
	for p := range m.Partitions() {
		if !m.Duty.Owns(m.Name(), p) {
			continue
		}
		came, err := m.In.Written(ctx, fmt.Sprintf("in.*.%d", p))
		if err != nil || came.IsZero() {
			continue
		}
		counted, err := m.State.Written(ctx, fmt.Sprintf("state.%d", p))
		switch {
		case err != nil:
		case counted.IsZero():
			behind[p] = time.Since(came)
		default:
			behind[p] = max(came.Sub(counted), 0)
		}
	}
	return behind
}
