package machine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/brief"
	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/lease"
	"sluice/gateway/cluster/rollcall"
	"sluice/internal/retry"
)

// watch is what a machine sees of the others, and says of itself.
type watch struct {
	run string

	mu    sync.Mutex
	twin  string   // another process of this one's name; empty for none; guarded by mu
	out   []string // servers that do not keep what is written; guarded by mu
	since time.Time
	seen  time.Time       // when a majority of the servers has answered; guarded by mu
	waits []rollcall.Wait // what the releaser waits for; guarded by mu
}

// watchEvery is how often a machine looks at the others.
const watchEvery = 10 * time.Second

// Watch answers the roll with what is said of this machine, and looks whether it is there twice and whether all
// servers keep what is written, until ctx ends.
func (m *Machine) Watch(ctx context.Context, say func(*rollcall.Said)) error {
	m.watch.run = rand.Text()
	host, _ := os.Hostname() // for a person's eyes
	began := time.Now().UTC().Truncate(time.Second)
	answer := func() rollcall.Said {
		s := rollcall.Said{Name: m.Name(), Run: m.watch.run, Host: host, Since: began,
			Now: time.Now().UTC()}
		say(&s)
		return s
	}
	stop := func() {}
	defer func() { stop() }()
	var news retry.Once
	for begun := false; ; {
		if !begun {
			if s, err := rollcall.Answer(ctx, m.Data, answer); err == nil {
				begun, stop = true, s
			}
		}
		m.look(ctx, &news)
		if !retry.Sleep(ctx, watchEvery) {
			return nil
		}
	}
}

// look looks once. What cannot be seen stays as it was.
func (m *Machine) look(ctx context.Context, news *retry.Once) {
	w := &m.watch
	if list, err := rollcall.Call(ctx, m.Data); err == nil {
		twin := ""
		for _, s := range list {
			if s.Name == m.Name() && s.Run != w.run {
				twin = fmt.Sprintf("another process is %s too, on %s since %s: each takes the other's work away. "+
					"Stop one of them, or give it a name and a key of its own (sluice cluster member new)", m.Name(),
					s.Host,
					s.Since.UTC().Format(time.RFC3339))
			}
		}
		w.mu.Lock()
		w.twin = twin
		w.mu.Unlock()
		if news.News(twin) && twin != "" {
			m.cfg.Log.Error("the name of this machine is there twice", "hint", twin)
		}
	}
	var out []string
	for _, log := range []*engine.Log{m.In, m.State, m.Part} {
		of, err := log.Out(ctx)
		if err != nil {
			return
		}
		out = append(out, of...)
	}
	slices.Sort(out)
	w.lacks(slices.Compact(out))
}

// lacks notes which servers do not keep what is written.
func (w *watch) lacks(out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = time.Now()
	if len(w.out) == 0 {
		w.since = w.seen
	}
	w.out = out
}

// Waits notes what windows wait for, as the machine sees it that releases.
func (m *Machine) Waits(missing map[int]time.Time) {
	list := make([]rollcall.Wait, 0, len(missing))
	for partition, since := range missing {
		list = append(list, rollcall.Wait{For: fmt.Sprintf("partition %d", partition), Since: since.UTC(),
			Why: "it has not said what it has of a window; see whether a worker owns it, and how far that is behind"})
	}
	slices.SortFunc(list, func(a, b rollcall.Wait) int { return strings.Compare(a.For, b.For) })
	m.watch.mu.Lock()
	defer m.watch.mu.Unlock()
	m.watch.waits = list
}

// Waiting are those that windows have waited for longer than that.
func (m *Machine) Waiting(longer time.Duration) []rollcall.Wait {
	m.watch.mu.Lock()
	defer m.watch.mu.Unlock()
	short := func(w rollcall.Wait) bool { return time.Since(w.Since) < longer }
	return slices.DeleteFunc(slices.Clone(m.watch.waits), short)
}

// Notes are what is to be said although the machine works.
func (m *Machine) Notes() (list []string) {
	m.watch.mu.Lock()
	defer m.watch.mu.Unlock()
	if len(m.watch.out) > 0 {
		list = append(list, brief.Text(fmt.Sprintf("server %s has kept nothing since %s: it is away, or has switched "+
			"JetStream off since its disk is full. See its log, and sluice doctor; with one server more like that "+
			"nothing is acknowledged", strings.Join(m.watch.out, ", "), m.watch.since.UTC().Format(time.RFC3339))))
	}
	return list
}

// alone says what keeps this machine from its place among the others; empty for nothing.
func (m *Machine) alone() string {
	m.watch.mu.Lock()
	twin, seen := m.watch.twin, m.watch.seen
	m.watch.mu.Unlock()
	if since, why := m.Data.Lost(); why != "" || !m.Data.Up() {
		return fmt.Sprintf("none of the cluster's servers is reached since %s (%s): nothing is acknowledged and "+
			"nothing is released until they are back", since.UTC().Format(time.RFC3339), why)
	}
	since, why := m.Duty.Absent()
	switch {
	case twin != "":
		return twin
	case errors.Is(why, lease.ErrTaken) && seen.Sub(since) > watchEvery: // and not said by a server that is alone
		return fmt.Sprintf("another process is %s since %s, and has this machine's place. Stop one of them, or give "+
			"it a name and a key of its own (sluice cluster member new)", m.Name(),
			since.UTC().Format(time.RFC3339))
	case why != nil:
		return fmt.Sprintf("no majority of the servers answers since %s: nothing is acknowledged and nothing is "+
			"released until two of three are there (sluice cluster status says which are)",
			since.UTC().Format(time.RFC3339))
	}
	return ""
}
