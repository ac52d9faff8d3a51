package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sorts groups a snapshot's files by what they are, so that each sort is hit as often.
func sorts(s snapshot, w *world) (names []string, files map[string][]string) {
	number := regexp.MustCompile(`[0-9a-f]{16,}|[0-9]+`)
	files = map[string][]string{}
	for path := range s {
		name := strings.Replace(strings.Replace(path, w.state(), "state", 1), w.keys, "keys", 1)
		if name == "state/lock" || strings.HasSuffix(name, "-shm") {
			continue // empty, and made anew
		}
		sort := number.ReplaceAllString(name, "N")
		files[sort] = append(files[sort], path)
	}
	for name := range files {
		slices.Sort(files[name])
		names = append(names, name)
	}
	slices.Sort(names)
	return names, files
}

// wreck is a world with three hours behind it and half of a fourth open, killed;
// every trial begins with it.
type wreck struct {
	now, before snapshot
	oracle
}

func (w *world) sink() (wreck, error) {
	var k wreck
	for range 3 {
		if err := w.play(func(int) error { return nil }); err != nil {
			return k, err
		}
		if w.hour == 2 {
			w.kill()
			k.before = w.snapshot()
			if err := w.resume(""); err != nil {
				return k, err
			}
		}
	}
	if err := w.first(); err != nil {
		return k, err
	}
	w.kill()
	k.now = w.snapshot()
	k.oracle = w.clone()
	return k, nil
}

// first is the open hour's first half: forty new devices among others.
func (w *world) first() error {
	w.tick(start(w.hour).Add(30 * time.Minute))
	w.publish(60, 0, 0.5)
	w.devices(w.hour*40, w.hour*40+40, false)
	return w.settled()
}

// second is its other half, and the hour after it: the forty devices come again,
// with thirty new ones.
func (w *world) second() error {
	w.tick(start(w.hour).Add(time.Hour))
	w.publish(60, 0.5, 1)
	if err := w.closeHour(); err != nil {
		return err
	}
	w.tick(start(w.hour).Add(time.Hour))
	w.publish(60, 0, 1)
	w.devices((w.hour-1)*40, (w.hour-1)*40+40, true)
	w.devices(w.hour*40, w.hour*40+30, false)
	return w.closeHour()
}

func (w *world) resume(fault string) error {
	if err := w.spawn(fault); err != nil {
		return err
	}
	w.up(w.patience)
	return nil
}

func (o *oracle) clone() oracle {
	c := newOracle()
	c.hour, c.seq, c.sent, c.last = o.hour, o.seq, o.sent, o.last
	for h, zones := range o.sums {
		c.sums[h] = map[string]truth{}
		for z, t := range zones {
			c.sums[h][z] = t
		}
	}
	for h, u := range o.units {
		c.units[h] = u
	}
	for k, v := range o.shown {
		c.shown[k] = v
	}
	return c
}

// plan is one trial: a sort of file, or one of those below, and what happens to it.
type plan struct{ sort, wound int }

const (
	allOlder = -1 - iota
	allKeysGone
	booksLive
	older
	begunAnew
)

// wound does what a plan says. What is live is done later, while the gateway runs.
func (w *world) wound(k wreck, p plan, names []string, files map[string][]string) (what string, live func() error) {
	switch p.sort {
	case allOlder:
		old := snapshot{}
		for path, raw := range k.now {
			if strings.HasPrefix(path, w.keys) {
				old[path] = raw
			}
		}
		for path, raw := range k.before {
			if strings.HasPrefix(path, w.state()) {
				old[path] = raw
			}
		}
		w.restore(old)
		return "the whole state directory is an hour old, the keys are not", nil
	case allKeysGone:
		for path := range k.now {
			if strings.HasPrefix(path, w.keys) {
				_ = os.Remove(path)
			}
		}
		return "all keys are gone, as after a reboot", nil
	case booksLive:
		path := filepath.Join(w.state(), "public", []string{"releases.jsonl", "ledger.jsonl"}[w.rnd.IntN(2)])
		harm := wounds[p.wound]
		return "public/" + filepath.Base(path) + " is " + harm.name + " while the gateway runs", func() error {
			return harm.do(w, path, k.before[path])
		}
	}
	if p.sort == older {
		what, err := w.age(p.wound)
		if err != nil {
			w.note("WRONG in the trial itself: %s: %v", what, err)
		}
		return what, nil
	}
	list := files[names[p.sort]]
	path := list[w.rnd.IntN(len(list))]
	what = filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path) + " is " + wounds[p.wound].name
	if err := wounds[p.wound].do(w, path, k.before[path]); err != nil {
		w.note("WRONG in the trial itself: %s: %v", what, err)
	}
	return what, nil
}

// whileRunning harms the public books of a gateway that runs. They are derived, so
// they must be whole again, or the harm be said, and the numbers stay right.
func (w *world) whileRunning(harm func() error, fault string) {
	if err := w.resume(fault); err != nil {
		w.wrong("%v", err)
		return
	}
	w.client = dial(w.mqtt)
	err := w.serve()
	if err == nil {
		err = harm()
	}
	if err == nil {
		err = w.second()
	}
	if err != nil {
		w.wrong("%v", err)
		return
	}
	_ = w.until(15*time.Second, "the books to be whole", func() bool { // verify says it where they are not
		time.Sleep(300 * time.Millisecond)
		p, err := launch(nil, w.h.bin, "verify", w.pages)
		if err != nil {
			return false
		}
		<-p.done
		return p.exit() == 0
	})
	bad := w.Wrong
	if w.verify(); w.Wrong == bad {
		w.Mended++
	}
}

// damages wounds each sort of file in each way while the gateway is down, and the
// public books while it runs.
func damages(t *trial) {
	w, err := t.listening(t.seed)
	if err != nil {
		t.row.wrong("%v", err)
		return
	}
	k, err := w.sink()
	if err != nil {
		w.wrong("%v", err)
		t.add(w)
		return
	}
	names, files := sorts(k.now, w)
	var plans []plan
	for s := range names {
		for d := range wounds {
			plans = append(plans, plan{s, d})
		}
	}
	for d := range wounds {
		plans = append(plans, plan{booksLive, d})
	}
	for d := range aged {
		plans = append(plans, plan{older, d})
	}
	plans = append(plans, plan{begunAnew, 0})
	w.rnd.Shuffle(len(plans), func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
	// First what a short run must not miss: the whole directory, all keys, a book, the
	// store, left alone and killed in the midst.
	const least = 6
	plans = append([]plan{{allOlder, 0}, {allKeysGone, 0}, {booksLive, 0},
		{slices.Index(names, "state/public/releases.jsonl"), 4}, {older, len(aged) - 1}, {older, len(aged) - 1}},
		plans...)
	t.say("%d sorts of files, %d trials in all: %s", len(names), len(plans), strings.Join(names, " "))
	for n, p := range plans {
		if n >= least && !t.more() {
			break
		}
		w.kill()
		w.opendata.kill()
		w.client.close()
		w.restore(k.now)
		found := w.verdicts
		w.oracle = k.clone()
		w.verdicts = found
		w.strict, w.patience = false, 20*time.Second
		w.Trials++
		t.count.saw(w.verdicts)
		before := len(w.notes)
		fault := ""
		if n%2 == 1 { // every other mending is killed in the midst
			fault = t.mending(w)
		}
		what := t.suffer(w, p, k, names, files, fault)
		if fault != "" {
			what += ", killed at " + fault
		}
		for i := before; i < len(w.notes); i++ {
			w.notes[i] = what + ": " + w.notes[i]
		}
	}
	w.notes = slices.Clone(w.notes)
	t.add(w)
}

// suffer does what one plan says and looks at what comes of it.
func (t *trial) suffer(
	w *world, p plan, k wreck, names []string, files map[string][]string, fault string,
) (what string) {
	if p.sort == begunAnew {
		if err := w.anew(fault); err != nil {
			w.wrong("%v", err)
		}
		return "the state directory is gone, and a simulation begins anew"
	}
	what, live := w.wound(k, p, names, files)
	if live == nil {
		w.aftermath(what, fault)
	} else {
		w.whileRunning(live, fault)
	}
	return what
}

// mending is a kill at a durable step, of those first to which no trial has come yet.
func (t *trial) mending(w *world) string {
	list := slices.DeleteFunc(slices.Clone(t.h.points), func(p string) bool { return t.reached[p] })
	if len(list) == 0 || w.rnd.IntN(2) == 0 {
		list = t.h.points
	}
	return fmt.Sprintf("%s|kill|%d", list[w.rnd.IntN(len(list))], 1+w.rnd.IntN(2))
}

// wayBack are the words of a hint that says what to do.
var wayBack = regexp.MustCompile(
	`(?i)\b(put|restore|backup|recover|remove|rm|mv|move|begin|copy|mend|chmod|delete|repair|start)\b`)

// aftermath starts the gateway over a wounded directory. It must mend it, say a
// gap, or refuse with the file's name and a way back.
func (w *world) aftermath(what, fault string) {
	if err := w.spawn(fault); err != nil {
		w.wrong("%v", err)
		return
	}
	ok, slow := w.up(30 * time.Second)
	if fault != "" && !ok && !slow && w.gateway.exit() == -1 {
		w.watch()
		if err := w.spawn(); err != nil {
			w.wrong("%v", err)
			return
		}
		ok, slow = w.up(30 * time.Second)
	}
	switch {
	case slow:
		w.wrong("the gateway neither starts nor ends within 30 s: %s", w.gateway.last(2))
		return
	case !ok:
		w.refused(what, w.gateway.said())
		return
	}
	if what == storeForGood {
		if err := w.recoverStore(); err != nil {
			w.wrong("%v", err)
			return
		}
	}
	w.client = dial(w.mqtt)
	if err := w.serve(); err != nil {
		w.wrong("%v", err)
		return
	}
	if what == storeForGood { // the gateway is silent until midnight now
		for h := range 3 {
			w.check(h)
		}
		return
	}
	gaps, bad := w.Gaps, w.Lost+w.Doubled+w.Twice+w.Wrong
	if err := w.second(); err != nil {
		if w.waits(what) {
			w.Refused++
			return
		}
		w.wrong("%v", err)
		return
	}
	for h := range 3 {
		w.check(h)
	}
	w.copies()
	if w.Gaps == gaps && w.Lost+w.Doubled+w.Twice+w.Wrong == bad {
		w.Mended++
	}
}

// refused looks at how a gateway says that it does not start.
func (w *world) refused(what, said string) {
	w.watch()
	if code := w.gateway.exit(); code != 3 {
		w.wrong("ends with %d: %s", code, w.gateway.last(3))
		return
	}
	if !names(what, said) {
		w.wrong("refused, and no file is named: %s", w.gateway.last(2))
		return
	}
	if !wayBack.MatchString(w.gateway.last(3)) {
		w.wrong("refused, and no way back is named: %s", w.gateway.last(2))
		return
	}
	w.Refused++
}

// waits says whether a gateway that runs and releases nothing says so, and why.
func (w *world) waits(what string) bool {
	raw, err := fetch(w.admin + "/readyz")
	if err != nil || !strings.Contains(string(raw), `"ready":false`) &&
		!strings.Contains(string(raw), `"ready": false`) {
		return false
	}
	return names(what, string(raw)+w.gateway.said())
}

// names says whether a text speaks of the file that was wounded, or of its directory.
func names(what, said string) bool {
	if strings.HasPrefix(what, "the whole") || strings.HasPrefix(what, "all keys") {
		return strings.Contains(said, "older") || strings.Contains(said, "key")
	}
	path, _, _ := strings.Cut(what, " is ")
	base := strings.TrimSuffix(filepath.Base(path), "-wal")
	return strings.Contains(said, base) || strings.Contains(said, filepath.Dir(path)+"/") ||
		strings.Contains(said, fmt.Sprintf("%s ", filepath.Dir(path)))
}
