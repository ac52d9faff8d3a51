// Command torture kills, starves, stalls and damages a gateway for as long as it is
// told to, and holds what the public sees against an oracle that shares no code
// with it. Four numbers must be 0 in the table that it prints: readings lost in
// silence, counted twice, values shown twice, and things said wrongly.
//
//	torture -seed 7 -duration 60m
//
// Run it in the module's root: it builds the gateway with a failpoint before and
// after each durable step (see steps), all asleep until a trial names one.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() { os.Exit(run()) }

func run() int {
	seed := flag.Uint64("seed", uint64(time.Now().Unix()), "repeats a run")
	duration := flag.Duration("duration", time.Hour, "how long in all; phases share it")
	keep := flag.Bool("keep", false, "leave the directories of worlds in which something was found")
	from := flag.String("from", "", "goes on with the rest of a run, from this phase on, under the same seed")
	only := flag.String("only", "", "phases to run, separated by commas; all when empty")
	flag.Parse()
	// Ctrl-C ends the trial under way and prints the table.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root, err := os.Getwd()
	var dir string
	if err == nil {
		dir, err = os.MkdirTemp("", "sluice-torture-bin-")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	fmt.Println("seed", *seed)
	r, err := torture(settings{ctx: ctx, root: root, dir: dir, seed: *seed, duration: *duration, only: *only,
		from: *from, keep: *keep, progress: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	}
	r.print(os.Stdout)
	if r.bad() {
		return 1
	}
	return 0
}

// settings of a run.
type settings struct {
	ctx       context.Context // ends the run early
	root, dir string
	seed      uint64
	duration  time.Duration
	beside    int // how many phases are run at a time: they mostly wait; 0 for one
	only      string
	from      string
	keep      bool
	progress  io.Writer
}

// phase is one way to hurt a gateway; share is its part of the time, in hundredths.
type phase struct {
	name  string
	share int
	run   func(*trial)
	need  []string
}

var phases = []phase{
	{"kills, listener", 8, kills, nil},
	{"kills, mosquitto", 8, brokerKills, []string{"mosquitto"}},
	{"mosquitto killed", 5, brokerDies, []string{"mosquitto"}},
	{"failpoints, one", 20, singles, nil},
	{"failpoints, pairs", 10, pairs, nil},
	{"disk faults", 8, diskFaults, []string{"strace"}},
	{"store away", 6, storeAway, []string{"influxd"}},
	{"damage", 16, damages, nil},
	{"verbs and backups", 5, verbs, nil},
	{"signed policies", 7, councils, []string{"ssh-keygen"}},
	{"homes", 4, homes, nil},
	{"standstills", 3, stalls, nil},
	{"clock jumps", 2, clockJumps, nil},
	{"rogues", 3, rogues, nil},
}

// trial is a phase while it runs.
type trial struct {
	settings
	h        *harness
	deadline time.Time
	row      verdicts
	count    *progress
	name     string
	skipped  string
	fired    map[string]bool
	reached  map[string]bool
}

// more says whether there is time for another trial.
func (t *trial) more() bool { return t.ctx.Err() == nil && time.Now().Before(t.deadline) }

// goesOn says whether there is another one to try: a phase has a trial, however little time it is given, unless so many
// worlds came to none.
func (t *trial) goesOn(worlds uint64, trials int) bool {
	return t.more() || t.ctx.Err() == nil && trials == 0 && worlds < 5
}

// progress is what a run has found so far, for the line that is printed each minute.
// Worlds that are not over count with what they have.
type progress struct {
	kills atomic.Int64
	mu    sync.Mutex
	done  verdicts // guarded by mu
	now   verdicts // guarded by mu; of the world under way
}

// saw keeps what the world under way has found.
func (p *progress) saw(v verdicts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = v
}

// over adds a world.
func (p *progress) over(v verdicts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done.plus(v)
	p.now = verdicts{}
}

func (p *progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.done
	v.plus(p.now)
	return fmt.Sprintf("%d trials, %d kills, lost %d, doubled %d, twice %d, wrong %d", v.Trials, p.kills.Load(), v.Lost,
		v.Doubled, v.Twice, v.Wrong)
}

// speak prints a line each minute until it is stopped.
func (p *progress) speak(s settings, end time.Time) (stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Minute):
				fmt.Fprintf(s.progress, "%s seed %d: %s; %s left\n", time.Now().Format(time.TimeOnly), s.seed, p.line(),
					max(0, time.Until(end)).Round(time.Second))
			}
		}
	}()
	return cancel
}

func (t *trial) say(format string, args ...any) {
	fmt.Fprintf(t.progress, "%s %s: %s\n", time.Now().Format(time.TimeOnly), t.name, fmt.Sprintf(format, args...))
}

// add takes a world's findings over and forgets the world.
func (t *trial) add(w *world) {
	if w == nil {
		return
	}
	for _, n := range w.notes {
		t.say("%s", n)
	}
	t.row.plus(w.verdicts)
	t.count.over(w.verdicts)
	t.row.notes = append(t.row.notes, w.notes...)
	raw, _ := os.ReadFile(w.seen)
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "fired" {
			t.fired[strings.Join(f[1:len(f)-1], " ")] = true
			if f[len(f)-1] == "kill" {
				t.h.kills.Add(1)
			}
		} else if len(f) > 1 {
			t.reached[strings.Join(f[1:], " ")] = true
		}
	}
	if t.keep && len(w.notes) > 0 {
		t.say("left: %s and %s", w.dir, w.keys)
		w.gateway.kill()
		return
	}
	w.end()
}

// result is what a run found.
type result struct {
	rows    []*trial
	points  []string
	reached map[string]bool
	fired   map[string]bool
	took    time.Duration
	seed    uint64
	kills   int64
}

func torture(s settings) (*result, error) {
	begun := time.Now()
	h, err := build(s.root, s.dir)
	if err != nil {
		return nil, err
	}
	r := &result{seed: s.seed, points: h.points, reached: map[string]bool{}, fired: map[string]bool{}}
	end, count := begun.Add(s.duration), &progress{}
	h.kills = &count.kills
	defer count.speak(s, end)()
	r.rows = make([]*trial, len(phases))
	var all sync.WaitGroup
	for _, list := range s.lanes() {
		all.Go(func() { s.live(list, h, count, end, r.rows) })
	}
	all.Wait()
	r.rows = slices.DeleteFunc(r.rows, func(t *trial) bool { return t == nil })
	for _, t := range r.rows {
		maps.Copy(r.reached, t.reached)
		maps.Copy(r.fired, t.fired)
	}
	r.took, r.kills = time.Since(begun), count.kills.Load()
	return r, nil
}

// lanes are the numbers of the phases to run, those of each lane one after the other.
func (s settings) lanes() [][]int {
	lanes, shares := make([][]int, max(1, s.beside)), make([]int, max(1, s.beside))
	for n, p := range phases {
		if s.only != "" && !strings.Contains(","+s.only+",", ","+p.name+",") || s.from != "" && s.from != p.name {
			continue
		}
		s.from = ""
		lane := slices.Index(shares, slices.Min(shares))
		lanes[lane] = append(lanes[lane], n)
		shares[lane] += p.share
	}
	return lanes
}

// live runs phases one after the other. Later ones know what those before have reached.
func (s settings) live(list []int, h *harness, count *progress, end time.Time, rows []*trial) {
	shares, fired, reached := 0, map[string]bool{}, map[string]bool{}
	for _, n := range list {
		shares += phases[n].share
	}
	for _, n := range list {
		p := phases[n]
		// What one phase has taken too long is taken from all that follow, so that the whole
		// ends in time.
		length := max(0, time.Until(end)-finish) * time.Duration(p.share) / time.Duration(shares)
		shares -= p.share
		if s.only != "" {
			length = s.duration
		}
		fmt.Fprintf(s.progress, "%s seed %d: %s, for %s\n", time.Now().Format(time.TimeOnly), s.seed, p.name,
			length.Round(time.Second))
		t := &trial{settings: s, h: h, count: count, deadline: time.Now().Add(length), name: p.name, fired: fired,
			reached: reached}
		t.seed = s.seed*1000 + uint64(n)
		rows[n] = t
		for _, tool := range p.need {
			if _, err := exec.LookPath(tool); err != nil {
				t.skipped = "there is no " + tool
			}
		}
		if t.skipped != "" {
			t.say("skipped: %s", t.skipped)
			continue
		}
		p.run(t)
		t.say("%d trials, lost %d, doubled %d, twice %d, wrong %d", t.row.Trials, t.row.Lost, t.row.Doubled,
			t.row.Twice, t.row.Wrong)
	}
}

// finish is what ending a world takes: its last hour and both checks.
const finish = 10 * time.Second

// bad says whether one of the four is not 0.
func (r *result) bad() bool {
	for _, t := range r.rows {
		if t.row.Lost+t.row.Doubled+t.row.Twice+t.row.Wrong > 0 {
			return true
		}
	}
	return false
}

// idle are the phases that were begun and came to no trial.
func (r *result) idle() (names []string) {
	for _, t := range r.rows {
		if t.skipped == "" && t.row.Trials == 0 {
			names = append(names, t.name)
		}
	}
	return names
}

func (r *result) print(out io.Writer) {
	fmt.Fprintf(out, "seed %d, %s, %d kills; failpoints: %d, reached %d, fired %d\n", r.seed, r.took.Round(time.Second),
		r.kills, len(r.points), len(r.reached), len(r.fired))
	fmt.Fprintln(out, "| phase | trials | lost | doubled | shown twice | said wrongly | refused | mended | gaps |\n"+
		"|---|---|---|---|---|---|---|---|---|")
	for _, t := range r.rows {
		if t.skipped != "" {
			fmt.Fprintf(out, "| %s | skipped: %s | | | | | | | |\n", t.name, t.skipped)
			continue
		}
		v := t.row
		fmt.Fprintf(out, "| %s | %d | %d | %d | %d | %d | %d | %d | %d |\n", t.name, v.Trials, v.Lost, v.Doubled,
			v.Twice, v.Wrong, v.Refused, v.Mended, v.Gaps)
	}
	for _, p := range r.unreached() {
		fmt.Fprintf(out, "not reached: %s\n", p)
	}
	for _, t := range r.rows {
		for _, n := range t.row.notes {
			fmt.Fprintf(out, "%s: %s\n", t.name, n)
		}
	}
}

// scratch is a directory of a phase's own.
func (t *trial) scratch(name string) string {
	dir := filepath.Join(t.dir, name)
	_ = os.MkdirAll(dir, 0o700)
	return dir
}

// aside are durable steps that only a long run comes to, and what has to happen before
// it does. docs/reliability.md lists them.
var aside = map[string]string{
	"gateway/ledger/recover.go:Import:tx.ExecContext#2":                "a recovery from books with gaps",
	"books/growing.go:rewrite:":                                        "a rewrite of a book in which a step fails",
	"perm/write.go:Replace:os.Remove#1":                                "a rename that fails",
	"gateway/ingest/internal/checkpoint/copier.go:drop:":               "a rewriting of the checkpoint that fails",
	"gateway/ingest/internal/checkpoint/keys.go:load:":                 "a key that is too short",
	"gateway/ingest/internal/checkpoint/keys.go:OpenKeys:":             "a kill in the midst of a key that is made",
	"gateway/ingest/internal/checkpoint/log.go:Append:w.file.Truncate": "a write to the checkpoint that fails half way",
	"gateway/ingest/internal/checkpoint/tend.go:put:os.Remove":         "a key that cannot be kept",
}

// unreached are the points that no trial has come to and that are not set aside.
func (r *result) unreached() (out []string) {
	for _, p := range r.points {
		known := r.reached[p]
		for part := range aside {
			known = known || strings.HasPrefix(p, part)
		}
		if !known {
			out = append(out, p)
		}
	}
	return out
}
