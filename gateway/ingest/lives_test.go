package ingest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/handover"
	"sluice/plan"
)

// utter is the batch of a text like "2.1 at 7 without 1 as f ends": life 2's first batch says that it has
// turned from what is before 7, that nobody waits for life 1, its name, and that it ends.
func utter(t *testing.T, text string) *handover.Batch {
	t.Helper()
	b := &handover.Batch{}
	words := strings.Fields(text)
	if _, err := fmt.Sscanf(words[0], "%d.%d", &b.Life[0], &b.Number); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(words); n++ {
		if words[n] == "ends" {
			b.Ends = true
			continue
		}
		value, _ := strconv.Atoi(words[n+1])
		switch words[n] {
		case "at":
			b.Places = []handover.Place{{Stream: "s", Next: int64(value)}}
		case "without":
			b.Lapsed = []handover.Life{{byte(value)}}
		case "as":
			b.Name = words[n+1]
		}
		n++
	}
	return b
}

// TestTurns: batches are taken in each life's order, each once; a stream's windows are through when
// all lives say so that somebody waits for.
func TestTurns(t *testing.T) {
	for name, c := range map[string]struct {
		log     string
		taken   string
		through int64
		silent  int
	}{
		"in order":      {"1.1 at 5, 1.2 at 6", "1.1 1.2", 6, 0},
		"sent twice":    {"1.1 at 5, 1.1 at 9", "1.1", 5, 0},
		"overtaken":     {"1.2 at 6, 1.1 at 5, 1.2 at 9", "1.1 1.2", 6, 0},
		"waits":         {"1.1 at 5, 1.3 at 9", "1.1", 5, 0},
		"two":           {"1.1 at 5, 2.1 at 3", "1.1 2.1", 3, 0},
		"says nothing":  {"1.1 at 5, 2.1", "1.1 2.1", 5, 0},
		"ends":          {"1.1 at 5, 2.1 at 3, 2.2 ends", "1.1 2.1 2.2", 5, 0},
		"back in place": {"1.1 at 5, 1.2 at 3", "1.1 1.2", 5, 0},
		"a successor": {"1.1 at 5, 1.3 at 6, 2.1 at 7 without 1",
			"1.1 2.1 1.3", 7, 0},
		"what comes after all": {"1.1 at 5, 1.3 at 6, 2.1 at 7 without 1, 1.2 at 9, 1.2 at 9", "1.1 2.1 1.3 1.2", 7, 0},
		"a successor by name":  {"1.1 at 5 as f, 1.3 at 6, 2.1 at 7 as f, 3.1 at 8 as g", "1.1 2.1 1.3 3.1", 7, 0},
		"given up": {"1.1 at 5, 2.1 at 9, 3.1 without 1",
			"1.1 2.1 3.1", 9, 1},
		"and back": {"1.1 at 5, 2.1 at 9, 3.1 without 1, 1.2",
			"1.1 2.1 3.1 1.2", 5, 1},
	} {
		l, taken, silent := make(lives), "", 0
		for seq, text := range strings.Split(c.log, ", ") {
			b := utter(t, text)
			if l.had(b.Head) {
				continue
			}
			turn, gone, _ := l.line(b, uint64(seq+1), noon)
			for _, b := range turn {
				taken += fmt.Sprintf(" %d.%d", b.Life[0], b.Number)
			}
			silent += len(gone)
		}
		through, _ := l.through("s")
		if taken != " "+c.taken || through != c.through || silent != c.silent {
			t.Errorf("%s: taken%s, through %d, %d silent; want %s, %d, %d", name, taken, through, silent, c.taken,
				c.through, c.silent)
		}
	}
}

// TestLivesAreBounded, those that ended first going first; what is held back is, too.
func TestLivesAreBounded(t *testing.T) {
	l := make(lives)
	line := func(text string, life uint64) {
		b := utter(t, text)
		b.Life = handover.Life{byte(life), byte(life >> 8), byte(life >> 16)}
		l.line(b, life, noon)
	}
	line("0.1 at 5", 0)
	for n := range uint64(2 * maxLives) {
		line("0.1 at 5 ends", n+1)
	}
	if _, lives := l[handover.Life{}]; len(l) > maxLives+1 || !lives {
		t.Errorf("%d lives, and the one that lives is there: %v", len(l), lives)
	}
	for n := range 10 * maxAhead {
		line(fmt.Sprintf("0.%d at 5", 3+2*n), 0)
	}
	if of := l[handover.Life{}]; len(of.ahead) > maxAhead || len(of.Missing) > 4*maxAhead {
		t.Errorf("%d are held back, %d are missing", len(of.ahead), len(of.Missing))
	}
}

// aCity is a front with readings of an hour, handed over to one partition.
func aCity(t *testing.T, keys Keys) (*town, *memoryLogs) {
	t.Helper()
	logs := newLogs()
	front := newTown(t, filepath.Join(inMemory(t), "front"), &Front{Partitions: 1, Keys: keys, Out: logs})
	front.live(event{tick: 12*time.Hour + time.Minute})
	for n := range 4 {
		front.live(event{sensor: "scan-a", records: []record{{"d0", fmt.Sprintf(
			`{"ts":"2026-03-02T12:01:00Z","seq":%d,"fields":{"device":"d%d","rssi":-50}}`, n, n)}}})
	}
	return front, logs
}

func (o *Owner) takeAll(t *testing.T, logs *memoryLogs) {
	t.Helper()
	for e := range logs.Read(context.Background(), o.cfg.Partition, o.read+1) {
		if err := o.take(context.Background(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatIsNotSealedByAFrontIsLeftOut: bytes that somebody writes into the log, and a front's batch with
// another number, change nothing.
func TestWhatIsNotSealedByAFrontIsLeftOut(t *testing.T) {
	keys := memoryKeys{}
	front, logs := aCity(t, keys)
	true1 := slices.Clone(logs.in[0][1].Body)
	forged := slices.Clone(true1)
	forged[34]++ // its number
	logs.in[0] = slices.Insert(logs.in[0], 1, Entry{logs.in[0][0].Seq, forged}, Entry{logs.in[0][0].Seq, []byte("x")})
	front.live(event{tick: 14 * time.Hour})
	front.end()
	o := logs.owner(front, 0, keys)
	o.takeAll(t, logs)
	if n := o.inner.account.Received; n != 4 {
		t.Errorf("%d of 4 readings", n)
	}
}

// TestALogThatIsPutBack: where servers go on as they were before, a front that lives on is heard to have said more.
// What it had said may have been readings of any window that was open, so all those are gaps; who hears all has none.
func TestALogThatIsPutBack(t *testing.T) {
	for _, lost := range []int{0, 2} {
		keys := memoryKeys{}
		front, logs := aCity(t, keys)
		logs.in[0] = slices.Delete(logs.in[0], 2, 2+lost)
		for range 2 * maxAhead {
			front.i.front.beat = true
			front.commit()
		}
		o := logs.owner(front, 0, keys)
		o.takeAll(t, logs)
		if len(o.gaps) > 0 || len(logs.parts) > 0 {
			t.Errorf("%d lost: before it is known where that led: %v, %d parts", lost, o.gaps, len(logs.parts))
		}
		front.live(event{tick: 13*time.Hour + 30*time.Minute}) // the first hour closes, as a gap
		o.takeAll(t, logs)
		if n := o.inner.account.Received; n != int64(4-lost) {
			t.Errorf("%d lost: %d readings", lost, n)
		}
		for hour, gap := range map[int]bool{1: lost > 0, 3: false, 4: false} {
			name := keyName("w", "sums", noon.Add(time.Duration(hour)*time.Hour))
			if got := o.gaps[name]; (got == reasonPutBack) != gap {
				t.Errorf("%d lost: the window of hour %d has the gap %q", lost, hour, got)
			}
		}
	}
}

// TestWhatIsLostIsTold: where a front says its next place, ends, or has another in its place, it is told between which
// places something of it was lost, also by an owner that was begun again meanwhile.
func TestWhatIsLostIsTold(t *testing.T) {
	for then, want := range map[string]way{"1.900 at 9": {"s", 5, 9}, "1.900 ends": {"s", 5, 5},
		"2.1 at 8 as f": {"s", 5, 8}} {
		l := make(lives)
		l.line(utter(t, "1.1 at 5 as f"), 1, noon)
		for n := range maxAhead + 1 {
			if _, _, lost := l.line(utter(t, fmt.Sprintf("1.%d", n+3)), uint64(n+2), noon); len(lost) > 0 {
				t.Fatalf("before it says where it is: %v", lost)
			}
		}
		id := handover.Life{1}
		raw, err := json.Marshal(l[id])
		if err != nil {
			t.Fatal(err)
		}
		again := &life{}
		if err := json.Unmarshal(raw, again); err != nil {
			t.Fatal(err)
		}
		l[id] = again
		again.Next = 900 // whatever came meanwhile
		if _, _, lost := l.line(utter(t, then), 5000, noon); len(lost) != 1 || lost[0] != want {
			t.Errorf("%s: %v; want %v", then, lost, want)
		}
	}
}

// onlyOf are the keys of one epoch; those of all others are on their way for ever.
type onlyOf int64

func (k onlyOf) Key(epoch int64, use string) ([]byte, error) {
	if epoch != int64(k) {
		return nil, errLate
	}
	return memoryKeys{}.Key(epoch, use)
}

// TestABatchOfAnEpochThatIsFar: what somebody writes into the log as of a day that is far keeps nothing back.
func TestABatchOfAnEpochThatIsFar(t *testing.T) {
	today := keyEpoch(noon)
	for _, epoch := range []int64{today + 2, today + 1000, 1 << 60, -1} {
		front, logs := aCity(t, memoryKeys{})
		forged := slices.Clone(logs.in[0][0].Body)
		binary.BigEndian.PutUint64(forged[1:], uint64(epoch))
		forged[20]++ // of another life
		for n := range logs.in[0] {
			logs.in[0][n].Seq++
		}
		logs.in[0] = slices.Insert(logs.in[0], 0, Entry{1, forged})
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		o := logs.owner(front, 0, onlyOf(today))
		for e := range logs.Read(ctx, 0, 1) {
			if err := o.take(ctx, e); err != nil {
				t.Fatalf("epoch %d: %v", epoch, err)
			}
		}
		stop()
		if n := o.inner.account.Received; n != 4 {
			t.Errorf("epoch %d: %d of 4 readings", epoch, n)
		}
	}
}

// TestKeysThatAreGone: windows of an epoch whose keys are gone are gaps, and nothing else is.
func TestKeysThatAreGone(t *testing.T) {
	front, logs := aCity(t, memoryKeys{})
	front.live(event{tick: 14 * time.Hour})
	front.end()
	of := keyEpoch(noon)
	o := logs.owner(front, 0, memoryKeys{of: true})
	o.takeAll(t, logs)
	if len(logs.parts) != 0 || !o.lostDays[of] {
		t.Errorf("%d parts of what nobody can read", len(logs.parts))
	}
	w, code, err := o.window(handover.Window{Stream: "different", Plan: plannedBy(o, "different"),
		Start: noon.UnixNano()})
	if err != nil || code == 0 || !w.Lost {
		t.Error("a window of that day counts", code, err)
	}
}

func plannedBy(o *Owner, id string) string {
	var spec *plan.Stream
	_, spec = o.inner.routing.specAt(id, noon)
	return spec.Digest
}

// TestTwoOwners: of two, one cannot write its state any more.
func TestTwoOwners(t *testing.T) {
	keys := memoryKeys{}
	front, logs := aCity(t, keys)
	one, two := logs.owner(front, 0, keys), logs.owner(front, 0, keys)
	one.takeAll(t, logs)
	two.takeAll(t, logs)
	if err := one.save(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := two.save(context.Background()); err == nil {
		t.Error("both own the partition")
	}
	front.end()
}

// TestAFrontThatIsSilentIsGivenUp: windows wait for it as long as they may, then they close as gaps.
func TestAFrontThatIsSilentIsGivenUp(t *testing.T) {
	keys := memoryKeys{}
	front, logs := aCity(t, keys)
	other := newTown(t, filepath.Join(inMemory(t), "other"), &Front{Partitions: 1, Keys: keys, Out: logs})
	other.live(event{tick: 12*time.Hour + time.Minute})
	o := logs.owner(front, 0, keys)
	o.cfg.Lapse = logs
	front.live(event{tick: 14 * time.Hour})
	o.takeAll(t, logs)
	if len(logs.parts) > 0 {
		t.Error("windows close without a front that lives")
	}
	o.cfg.Silence = 15 * time.Second
	speak := func(after time.Duration) {
		front.now = front.now.Add(after)
		front.live(event{tick: 14*time.Hour + front.now.Sub(noon)%time.Hour})
		front.i.front.beat = true
		front.commit()
		o.takeAll(t, logs)
		if err := o.lapse(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	speak(time.Minute) // it was the log that was silent, and not one of them
	for range 14 {
		speak(time.Second)
	}
	if o.takeAll(t, logs); len(logs.parts) > 0 {
		t.Error("windows close without a front that was silent for 14 seconds")
	}
	for range 3 {
		speak(time.Second)
	}
	if o.takeAll(t, logs); len(logs.parts) == 0 {
		t.Fatal("windows wait for ever")
	}
	for name, p := range logs.parts {
		if p := fmt.Sprintf("%+v", p); p == "" {
			t.Error(name)
		}
	}
	if _, waits := o.lives.through("different"); !waits {
		t.Error("nobody is waited for")
	}
	front.end()
	other.end()
}
