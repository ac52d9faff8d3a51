package logs

import (
	"sync"
	"time"
)

// Account is how many batches were acknowledged, and how long that took in all, from when each was put.
type Account struct {
	Batches uint64
	Took    time.Duration
}

// account keeps one. Batches are acknowledged in the order in which they are put; which of the two is heard of first is
// not known.
type account struct {
	mu    sync.Mutex
	began []time.Time // of those that are put and not settled; guarded by mu
	acks  uint64      // guarded by mu
	said  Account     // guarded by mu
}

// put notes that a batch is on its way.
func (a *account) put(began time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.began = append(a.began, began)
	a.settle()
}

// acked notes that the first n are acknowledged.
func (a *account) acked(n uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.acks = n
	a.settle()
}

// settle takes what is both put and acknowledged; with mu.
func (a *account) settle() {
	for len(a.began) > 0 && a.said.Batches < a.acks {
		a.said.Batches++
		a.said.Took += time.Since(a.began[0])
		a.began = a.began[1:]
	}
}

// Account says it; it may be called by any goroutine.
func (o *Out) Account() Account {
	o.told.mu.Lock()
	defer o.told.mu.Unlock()
	return o.told.said
}
