package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// verbs are what operators do by hand, killed at any of its durable steps and done
// again: taking a number back, and going on from a backup that is too old.
func verbs(t *trial) {
	points := t.h.points
	t.worlds(func(seed uint64) (*world, error) {
		w, err := found(t.h, seed, "", "")
		if err != nil {
			return w, err
		}
		if err := w.settings(fmt.Sprintf("witness: %q\n", filepath.Join(w.dir, "witness"))); err != nil {
			return w, err
		}
		w.patience = 30 * time.Second
		return w, w.open()
	}, func(w *world) error {
		if w.hour == 5 {
			fault := pick(w, points, "gateway/ledger/recover.go:", "gateway/rollback/")
			if err := w.putBack(fault); err != nil {
				return fmt.Errorf("a recovery under %s: %w", fault, err)
			}
			return nil
		}
		if w.hour == 2 {
			w.backup = w.snapshotAtRest()
		}
		if err := w.play(func(int) error { return nil }); err != nil {
			return err
		}
		if w.hour%2 == 0 {
			fault := pick(w, points, "gateway/ledger/recover.go:withdraw")
			if err := w.takeBack(w.hour-1, fault); err != nil {
				return fmt.Errorf("withdraw under %s: %w", fault, err)
			}
		}
		return nil
	})
}

// pick is a kill at one of the points that begin so.
func pick(w *world, points []string, prefixes ...string) string {
	some := matching(points, prefixes...)
	if len(some) == 0 {
		return ""
	}
	return some[w.rnd.IntN(len(some))] + "|kill|1"
}

// matching are the points that begin so.
func matching(points []string, prefixes ...string) (some []string) {
	for _, p := range points {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(p, prefix) }) {
			some = append(some, p)
		}
	}
	return some
}

// verb runs a command that a fault may kill, and then again without.
func (w *world) verb(fault string, args ...string) error {
	env := []string{"SLUICE_TORTURE_SEEN=" + w.seen, "SLUICE_TORTURE_FAULTS=" + fault}
	for range 3 {
		p, err := launch(env, w.h.bin, args...)
		if err != nil {
			return err
		}
		select {
		case <-p.done:
		case <-time.After(w.patience):
			p.kill()
			return fmt.Errorf("sluice %s does not end", args[0])
		}
		if p.exit() == 0 {
			return nil
		}
		if p.exit() != -1 {
			return fmt.Errorf("sluice %s ends with %d: %s", strings.Join(args[:2], " "), p.exit(), p.last(3))
		}
		env[1] = "SLUICE_TORTURE_FAULTS="
	}
	return nil
}

// takeBack withdraws an hour of the gates: it is shown as withdrawn from then on,
// and nothing else is.
func (w *world) takeBack(hour int, fault string) error {
	err := w.verb(fault, "withdraw", "gates", "-c", filepath.Join(w.dir, "gateway.yaml"), "--start",
		start(hour).Format(time.RFC3339), "--reason", "a trial")
	if err != nil && !strings.Contains(err.Error(), "withdrawn already") {
		return err
	}
	err = w.until(w.patience, fmt.Sprintf("hour %d to be withdrawn", hour), func() bool {
		list, err := w.items("gates", hour)
		for _, i := range list {
			if i.Status == "published" {
				return false
			}
		}
		return err == nil && len(list) == rowsOf["gates"]
	})
	if err == nil { // the store and the books follow one another, and who is killed in between leaves them apart
		err = w.until(w.patience, fmt.Sprintf("the books to withdraw hour %d", hour), func() bool {
			raw, _ := os.ReadFile(filepath.Join(w.state(), "public/withdrawals.jsonl"))
			return strings.Contains(string(raw), `"start":"`+start(hour).Format(time.RFC3339))
		})
	}
	for key := range w.shown {
		if strings.HasPrefix(key, "gates "+start(hour).Format("15:04 ")) {
			delete(w.shown, key)
		}
	}
	return err
}

// snapshotAtRest stops the gateway, copies its files and starts it.
func (w *world) snapshotAtRest() snapshot {
	w.kill()
	s := w.snapshot()
	if w.spawn() == nil {
		w.up(w.patience)
	}
	return s
}

// putBack replaces the state directory by a copy that is three hours older. It must
// not release; after a recovery it is silent until midnight and says so, and then
// goes on exactly.
func (w *world) putBack(fault string) error {
	w.kill()
	old := snapshot{}
	for path, raw := range w.snapshot() {
		if strings.HasPrefix(path, w.keys) {
			old[path] = raw
		}
	}
	for path, raw := range w.backup {
		if strings.HasPrefix(path, w.state()) {
			old[path] = raw
		}
	}
	w.restore(old)
	if err := w.spawn(); err != nil {
		return err
	}
	if ok, _ := w.up(w.patience); ok {
		w.tick(start(w.hour + 1).Add(3 * time.Minute))
		err := w.until(w.patience, "a refusal of a directory that is too old", func() bool {
			raw, err := fetch(w.admin + "/readyz")
			return err == nil && strings.Contains(string(raw), "ledger recover")
		})
		if err != nil {
			return err
		}
	}
	w.Refused++
	w.kill()
	if err := w.verb(fault, "ledger", "recover", "-c", filepath.Join(w.dir, "gateway.yaml")); err != nil {
		return err
	}
	w.strict = false
	if err := w.spawn(); err != nil {
		return err
	}
	w.up(w.patience)
	w.hour = epoch + 2 // behind local midnight
	w.tick(start(w.hour))
	if err := w.settled(); err != nil {
		return err
	}
	if w.until(6*time.Second, "a gap", func() bool { return w.gap("gates", epoch-1) != "" }) != nil {
		w.wrong("a recovery's silence is not in gaps.jsonl")
	}
	w.strict = true
	return w.play(func(int) error { return nil })
}
