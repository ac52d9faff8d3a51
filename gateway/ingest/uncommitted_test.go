package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/gateway/release"
)

// TestNobodyHasCommitted: what somebody writes into a partition's log, or into its state, as of a day that no front has
// keys for, keeps it back for some seconds at most, however much it is.
func TestNobodyHasCommitted(t *testing.T) {
	today := keyEpoch(noon)
	for _, epoch := range []int64{today + 1, today - 1} {
		synctest.Test(t, func(t *testing.T) {
			front, logs := aCity(t, memoryKeys{})
			o := logs.owner(front, 0, onlyOf(today))
			looks := 0
			o.state.seals.committed = func(_ context.Context, of int64) (bool, error) {
				if looks++; looks < 3 {
					return false, errors.New("the servers are away")
				}
				return of == today, nil
			}
			forged := slices.Clone(logs.in[0][0].Body)
			binary.BigEndian.PutUint64(forged[1:], uint64(epoch))
			forged[20]++ // of another life
			began := time.Now()
			for n := range 1000 {
				if err := o.take(t.Context(), Entry{uint64(n + 1), forged}); err != nil {
					t.Fatal(err)
				}
			}
			section := binary.BigEndian.AppendUint64(head(stateFirst|stateLast, 0), uint64(epoch))
			section = append(binary.BigEndian.AppendUint32(section, 100), make([]byte, 100)...)
			if _, err := o.state.read(t.Context(), Entry{1, section}); !errors.Is(err, errState) {
				t.Errorf("a state of another day: %v", err)
			}
			if took := time.Since(began); took < doubtful || took > 2*doubtful {
				t.Errorf("it is kept back for %s", took)
			}
			for n, e := range logs.in[0] {
				e.Seq = uint64(1001 + n)
				if err := o.take(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			if n := o.inner.account.Received; n != 4 {
				t.Errorf("%d of 4 readings", n)
			}
		})
	}
}

// TestACommitmentThatIsLate: while somebody may have committed to keys, they are waited for.
func TestACommitmentThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := seals{keys: &lateKeys{late: 1, asked: map[int64]bool{}}}
		s.committed = func(context.Context, int64) (bool, error) {
			return time.Since(began) > doubtful-time.Second, nil
		}
		if _, err := s.key(t.Context(), 1); err != nil {
			t.Error(err)
		}
	})
}

// partEpochs is in which epochs a partition has said something of windows.
type partEpochs map[int64]int

func (s partEpochs) Put(_ context.Context, epoch int64, _ int, _ release.Partial) error {
	s[epoch]++
	return nil
}

// TestADayThatNobodyHasKeysFor: what is said of a window without readings does not wait for keys that nobody makes, as
// on the first day of a city that nobody is heard in, and what is said of readings has those of its day.
func TestADayThatNobodyHasKeysFor(t *testing.T) {
	front, logs := aCity(t, memoryKeys{})
	front.live(event{tick: 14 * time.Hour})
	front.end()
	today := keyEpoch(noon)
	for _, committed := range []bool{true, false} {
		o, parts := logs.owner(front, 0, memoryKeys{}), partEpochs{}
		o.cfg.Parts = parts
		o.state.seals.committed = func(context.Context, int64) (bool, error) { return committed, nil }
		o.epoch = today + 7
		o.takeAll(t, logs)
		if parts[today] == 0 || committed != (parts[today+7] == 0) {
			t.Errorf("somebody has committed: %v; parts by epoch are %v", committed, parts)
		}
	}
}
