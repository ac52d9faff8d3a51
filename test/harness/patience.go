package harness

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// Patience is how long a story waits for what must come. It says nothing of how long
// that takes, and is so long that a machine may be busy with whatever else.
const Patience = 3 * time.Minute

// Await waits until something is so: as long as it may take on a quiet machine, and
// patiently in any case. Who asserts that something takes a time measures it, and holds
// it against longer. It looks again after a twentieth of the time that it has waited: whoever
// waits for a minute, and asks a whole program each time, leaves the machine to the others.
func Await(t *testing.T, most time.Duration, what string, ok func() bool) {
	t.Helper()
	most = max(most, Patience)
	for begun := time.Now(); !ok(); {
		waited := time.Since(begun)
		if waited > most {
			t.Fatalf("waited %s for %s", most, what)
		}
		time.Sleep(min(max(waited/20, 20*time.Millisecond), 250*time.Millisecond))
	}
}

// HeldUp reports whether a status of the open data says that the store cannot be read just now:
// whoever makes an answer has some seconds, in which a machine may stand still. Who is told so asks again.
func HeldUp(status int) bool { return status == http.StatusServiceUnavailable }

// Longer is how long what takes a time on a quiet machine may take on this one as it is
// now: of a core that n want, each has an nth, and nobody has any while the machine stands still.
func Longer(d time.Duration) time.Duration {
	raw, err := os.ReadFile("/proc/loadavg") // proc_loadavg(5)
	if err == nil {
		d = time.Duration(float64(d) * wanted(string(raw), runtime.NumCPU()))
	}
	return d + stood.within(d, time.Now())
}

// stills are the times in which the machine let nothing of ours run.
type stills struct {
	mu   sync.Mutex
	list []still
}

type still struct {
	end  time.Time
	late time.Duration
}

var stood stills

// beat is what a sleeper asks for; it is woken twice as late only where nothing runs.
const beat = 100 * time.Millisecond

// watch sleeps, and looks how long it did.
func (s *stills) watch() {
	for last := time.Now(); ; last = time.Now() {
		time.Sleep(beat)
		if late := time.Since(last) - beat; late > beat {
			s.add(still{time.Now(), late})
		}
	}
}

func (s *stills) add(x still) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list[max(0, len(s.list)-1000):], x)
}

// within is how long the machine stood still in what began so long ago, which that made longer.
func (s *stills) within(d time.Duration, now time.Time) (all time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range slices.Backward(s.list) {
		if now.Sub(x.end) > d+all {
			break
		}
		all += x.late
	}
	return all
}

// Limit is longer for timeout(1), in whole seconds, with as long as a machine may stand still.
func Limit(d time.Duration) string { return fmt.Sprint(int((Longer(d) + 40*time.Second).Seconds())) }

// wanted is how many want each core, of a minute's mean and of now the larger; 1 at least.
func wanted(loadavg string, cores int) float64 {
	var minute, five, fifteen, now float64
	if _, err := fmt.Sscanf(loadavg, "%g %g %g %g/", &minute, &five, &fifteen, &now); err != nil {
		return 1
	}
	return max(1, minute/float64(cores), now/float64(cores))
}
