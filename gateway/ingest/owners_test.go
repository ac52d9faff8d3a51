package ingest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/plan"
	"sluice/register"
)

// parted is a stream whose bound of two the owners o and p divide.
func parted(t testing.TB, parts map[string]int64) *plan.Stream {
	t.Helper()
	s := footfall(t, 2)
	s.Protect.ByOwner = parts
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s
}

// ownersTown has a sensor of each of three owners in one zone.
func ownersTown(t testing.TB, dir string, s *plan.Stream) *Ingest {
	t.Helper()
	i := awake(t, dir, s)
	reg, err := register.Parse("register.yaml", []byte(`sensors:
  - {id: a, owner: o, kind: k, zone: rambla, registered: 2026-01-01}
  - {id: b, owner: p, kind: k, zone: rambla, registered: 2026-01-01}
  - {id: c, owner: q, kind: k, zone: rambla, registered: 2026-01-01}
`))
	if err != nil {
		t.Fatal(err)
	}
	v := i.routing.versions[0]
	for _, id := range []string{"b", "c"} {
		v.Plans[id] = v.Plans["a"]
	}
	n := renewal{Renewal: Renewal{Register: reg, Digest: v.Digest, Plans: v.Plans}, roster: newRoster(reg)}
	if !i.changes.renew(n) {
		t.Fatal("the register is not taken")
	}
	return i
}

// passes lets a device pass a sensor at an hour after noon.
func (i *Ingest) passes(sensor string, device, hour int) {
	s := i.routing.byID[sensor]
	text := fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:10:00:%02x","rssi":-40}}`,
		noon.Add(time.Duration(hour)*time.Hour).Format(time.RFC3339), device, device)
	i.deliver(s, &intake.Message{Topic: s.entry.UpTopic(), Payload: []byte(text), Received: noon}, noon.UnixNano())
}

// units are how many count in an hour after noon.
func (i *Ingest) units(hour int) int64 {
	w := i.windows.streams["footfall"].windows[noon.Add(time.Duration(hour)*time.Hour).UnixNano()]
	if w == nil {
		return 0
	}
	return w.Sums(nil)[0].Units
}

// TestParts: what one owner's sensors send spends nothing of another's part, also after
// the log was read back; and an owner without a part counts nowhere.
func TestParts(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("keys need memory: ", err)
	}
	defer os.RemoveAll(dir)
	s := parted(t, map[string]int64{"o": 1, "p": 1})
	open := func() *Ingest {
		i := ownersTown(t, dir, s)
		i.cfg.Future = 48 * time.Hour
		i.clock.now = noon
		return i
	}
	i := open()
	i.passes("a", 1, 0) // o has spent its part of 1
	i.passes("b", 1, 0) // and p its, in the same pair
	i.passes("a", 2, 0)
	i.save(t)
	_ = i.journal.log.Close()
	i = open()
	defer i.journal.log.Close()
	i.passes("a", 1, 1)
	i.passes("a", 2, 1)
	i.passes("b", 1, 1)
	if n := i.units(1); n != 0 {
		t.Errorf("%d units count although their parts are spent", n)
	}
	i.passes("b", 2, 1) // p has spent nothing of 2
	if n := i.units(1); n != 1 {
		t.Errorf("%d units count; want the one that p has not told of", n)
	}
	i.passes("c", 3, 1)
	if n := i.units(1); n != 1 || i.account.Refused["E401"] != 1 {
		t.Errorf("%d units count, and %v is refused; want one, and E401 for an owner without a part", n,
			i.account.Refused)
	}
}
