package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/gateway/release"
	"sluice/register"
)

var errFenced = errors.New("somebody else has written")

// contest is a partition that several owners believe is theirs. Each call of a log is a step, and between two steps of
// one anybody else may have made some.
type contest struct {
	*memoryLogs
	r      *rand.Rand
	front  *town
	worker *Worker
	now    time.Time
	most   int  // bytes of an entry of the state
	faulty bool // what is read may not be what is there
	want   map[string]release.Partial
	tears  bool // so that what is missing for ever may be a gap
	blank  bool // somebody who misread has begun without any facts
	wrong  error
}

// newContest draws a day with a front that dies now and then, and what one owner says of it whom nobody disturbs.
func newContest(t *testing.T, r *rand.Rand) *contest {
	t.Helper()
	keys := memoryKeys{}
	c := &contest{memoryLogs: newLogs(), r: r, most: []int{stateMost, 500}[r.IntN(2)]}
	front := newTown(t, filepath.Join(inMemory(t), "front"),
		&Front{Name: "front", Partitions: 1, Keys: keys, Out: c.memoryLogs})
	at := 12 * time.Hour
	front.live(event{tick: at})
	for n := range 60 {
		switch r.IntN(10) {
		case 0:
			front.live(event{restart: true})
		case 1, 2, 3:
			at += time.Duration(r.IntN(80)) * time.Minute
			front.live(event{tick: at})
		default:
			front.live(event{sensor: []string{"scan-a", "scan-b", "spy"}[r.IntN(3)], records: []record{{"", fmt.Sprintf(
				`{"seq":%d,"fields":{"device":"d%d","rssi":%d}}`, n, r.IntN(6), -r.IntN(100))}}})
		}
	}
	front.live(event{tick: at + 26*time.Hour})
	c.front, c.now = front, front.now
	alone := newLogs()
	alone.in[0] = slices.Clone(c.in[0])
	o := alone.owner(front, 0, keys)
	c.want = make(map[string]release.Partial)
	o.cfg.Parts = noted(c.want)
	o.takeAll(t, alone)
	reg, err := register.Parse("register.yaml", []byte(townSensors))
	if err != nil {
		t.Fatal(err)
	}
	if c.worker, err = NewWorker(reg, []Version{townVersion(t, reg)}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return c
}

// noted is what is said of windows, by their names.
type noted map[string]release.Partial

func (w noted) Put(_ context.Context, _ int64, _ int, p release.Partial) error {
	w[fmt.Sprint(p.Key())] = p
	return nil
}

// rival is one who believes to own it. It is the logs as it has them.
type rival struct {
	*contest
	wait  func() bool // ends a step; false when it has died
	idle  bool        // it has read all
	reads int         // how often it has begun to read its state
}

// rival begins one. Next is a step, and stop its end.
func (c *contest) rival() (v *rival, next func(), stop func()) {
	v = &rival{contest: c}
	step, stop := iter.Pull(func(yield func(struct{}) bool) {
		dead := false
		v.wait = func() bool { dead = dead || !yield(struct{}{}); return !dead }
		for v.wait() {
			o, err := v.own()
			if err == nil {
				err = o.run(context.Background())
			}
			if !dead && !errors.Is(err, errFenced) && c.wrong == nil {
				c.wrong = err
			}
		}
	})
	return v, func() { step() }, stop
}

// own is Worker.Own, which waits in between. Where readers were faulty, one that is not may find a state that is not
// whole for good, since one that was has written behind less than there is: so it has a last word as well.
func (v *rival) own() (*Owner, error) {
	for n := 0; ; n++ {
		o, err := v.worker.owner(Owned{Keys: memoryKeys{}, In: v, State: (*rivalState)(v), Parts: v, Exact: true,
			Silence: time.Hour, CatchUp: time.Hour, Now: func() time.Time { return v.now },
			Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return nil, err
		}
		o.state.most = v.most
		if err = o.recover(context.Background(), v.tears && n >= 3); !errors.Is(err, errTorn) {
			v.blank = v.blank || v.faulty && o.state.upon == 0 && len(o.torn) > 0
			return o, err
		}
	}
}

// Read has a reader begin ahead of its place where it is faulty.
func (v *rival) Read(_ context.Context, _ int, from uint64) iter.Seq2[Entry, error] {
	if v.faulty {
		from -= min(from, uint64(v.r.IntN(3)))
	}
	return v.entries(v.in, from, func() bool { return false })
}

func (v *rival) entries(of map[int][]Entry, from uint64, enough func() bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for !enough() {
			if !v.wait() {
				yield(Entry{}, errDead)
				return
			}
			n := slices.IndexFunc(of[0], func(e Entry) bool { return e.Seq >= from })
			if v.idle = n < 0; v.idle {
				continue
			}
			e := of[0][n]
			if from = e.Seq + 1; !yield(e, nil) {
				return
			}
		}
	}
}

func (v *rival) Drop(_ context.Context, _ int, before uint64) error { return v.drop(v.in, before) }

// drop leaves the last.
func (v *rival) drop(of map[int][]Entry, before uint64) error {
	if !v.wait() {
		return errDead
	}
	of[0] = entriesFrom(of[0], min(before, lastOf(of)))
	return nil
}

func lastOf(of map[int][]Entry) uint64 {
	if list := of[0]; len(list) > 0 {
		return list[len(list)-1].Seq
	}
	return 0
}

// Put looks that what is said is what it would be without all that, or nothing.
func (v *rival) Put(_ context.Context, _ int64, _ int, p release.Partial) error {
	if !v.wait() {
		return errDead
	}
	name := fmt.Sprint(p.Key())
	want, known := v.want[name]
	if nothing := v.tears && gapOf(p) != ""; !nothing && (!known || !reflect.DeepEqual(p, want)) {
		v.wrong = fmt.Errorf("of %s somebody says %s; want %s", name, inWords(p), inWords(want))
	}
	v.parts[name] = p
	return nil
}

// rivalState is the state's log.
type rivalState rival

// Load has a reader begin again further ahead, miss one, or believe an earlier one to be the last, where it is faulty.
func (s *rivalState) Load(context.Context, int) iter.Seq2[Entry, error] {
	v := (*rival)(s)
	v.reads++
	last, read := lastOf(v.state), uint64(0)
	fault := -1
	if v.faulty && len(v.state[0]) > 2 {
		fault = v.r.IntN(6)
	}
	at := v.r.IntN(len(v.state[0]) + 1)
	return func(yield func(Entry, error) bool) {
		if last == 0 {
			return
		}
		n := 0
		for e, err := range v.entries(v.state, 1, func() bool { return read >= last }) {
			if n++; err == nil {
				read = e.Seq
			}
			if fault == 0 && n == at && read < last {
				continue
			}
			if !yield(e, err) || err != nil || fault == 1 && n == at {
				return
			}
			if fault == 2 && n == at {
				for _, e := range v.state[0] {
					if e.Seq <= read && v.r.IntN(2) == 0 && !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}

func (s *rivalState) Append(_ context.Context, _ int, after uint64, _ string, body []byte) (uint64, error) {
	v := (*rival)(s)
	if !v.wait() {
		return 0, errDead
	}
	if lastOf(v.state) != after {
		return 0, errFenced
	}
	v.last++
	seq := v.last
	v.state[0] = append(v.state[0], Entry{seq, slices.Clone(body)})
	if !v.wait() { // it is there, and who has written it does not hear of it
		return 0, errDead
	}
	return seq, nil
}

func (s *rivalState) Drop(_ context.Context, _ int, before uint64) error {
	return (*rival)(s).drop(s.state, before)
}

// fight has several owners at once, who die and begin again between any two calls, and in the end one alone.
func (c *contest) fight(steps int) {
	type one struct {
		*rival
		next, stop func()
	}
	list := make([]one, 2+c.r.IntN(2))
	begin := func(n int) {
		v, next, stop := c.rival()
		list[n] = one{v, next, stop}
	}
	for n := range list {
		begin(n)
	}
	for range steps {
		n := c.r.IntN(len(list))
		for range 1 + c.r.IntN(30) {
			c.now = c.now.Add(time.Duration(c.r.IntN(1500)) * time.Millisecond)
			list[n].next()
		}
		if c.r.IntN(20) == 0 {
			list[n].stop()
			begin(n)
		}
	}
	c.faulty = false
	for range 5 { // who has read too little learns it with the next of what the front says
		c.front.i.front.beat = true
		c.front.commit()
		c.now = c.now.Add(stateEvery)
		list[0].idle = false
		for n := 0; n < 5000 && !list[0].idle; n++ {
			list[0].next()
		}
	}
	for n := range list {
		list[n].stop()
	}
}

// TestOwnersThatInterleave: whoever owns a partition, with how many others beside, and whenever they die, what they say
// of a window is what one owner says whom nobody disturbs: nothing less, and no unit once more than it may. Where
// readers miss entries, read them twice or believe an earlier one to be the last, it is that or nothing.
func TestOwnersThatInterleave(t *testing.T) {
	fewer(t)
	for seed, faulty := range map[uint64]bool{
		58: true, 138: true, 404: true, // who misses the only commit says smaller numbers, or nothing
		353:    true,  // one that misreads has the last word, and who goes on must have it too
		225276: false, // owners differ about whether a commit that was not finished is kept
	} {
		if err := contested(t, seed, faulty); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64().Draw(r, "seed")
		if err := contested(t, seed, rapid.Bool().Draw(r, "faulty")); err != nil {
			r.Fatal(err)
		}
	})
}

// contested is what is wrong with one such day. Who has had to begin without facts does not know which windows are to
// be said, and may say nothing of them: who releases has nothing from the partition then, and so a gap.
func contested(t *testing.T, seed uint64, faulty bool) error {
	t.Helper()
	c := newContest(t, rand.New(rand.NewPCG(seed, 1)))
	c.faulty, c.tears = faulty, faulty
	c.fight(60)
	c.front.end()
	for name := range c.want {
		if _, said := c.parts[name]; !said && !c.blank && c.wrong == nil {
			c.wrong = fmt.Errorf("nobody says anything of %s", name)
		}
	}
	if c.wrong != nil {
		return fmt.Errorf("%d bytes an entry: %w", c.most, c.wrong)
	}
	return nil
}
