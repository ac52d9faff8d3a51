package pseudonym

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestBound: no unit is used more often than allowed, whatever the order.
func TestBound(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		e := NewEpoch(make([]byte, KeySize))
		most := rapid.Int64Range(1, 5).Draw(r, "most")
		used := map[int]int64{}
		for range rapid.IntRange(0, 100).Draw(r, "n") {
			u := rapid.IntRange(0, 5).Draw(r, "unit")
			tag := e.Tag([]byte{byte(u)})
			if e.Room(tag, most) != (used[u] < most) {
				r.Fatalf("unit %d has %d of %d and room is %v", u, used[u], most, e.Room(tag, most))
			}
			if e.Room(tag, most) {
				e.Use(tag)
				used[u]++
			}
		}
	})
}

// TestCounts: each unit is one of those that there were, and one of those that were turned
// away from the first time on that it had no room, with its room as it was; so it is after
// a recovery.
func TestCounts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		e, again := NewEpoch(make([]byte, KeySize)), NewEpoch(make([]byte, KeySize))
		most := rapid.Int64Range(1, 3).Draw(r, "most")
		used, away := map[int]int64{}, map[int]bool{}
		for range rapid.IntRange(0, 60).Draw(r, "n") {
			u := rapid.IntRange(0, 9).Draw(r, "unit")
			tag := e.Tag([]byte{byte(u)})
			if e.Room(tag, most) != (used[u] < most) {
				r.Fatalf("unit %d has %d of %d and room is %v", u, used[u], most, e.Room(tag, most))
			}
			if e.Room(tag, most) {
				e.Use(tag)
				again.Use(tag)
				used[u]++
				continue
			}
			if e.TurnAway(tag) == away[u] {
				r.Fatalf("that unit %d is turned away is news: %v", u, !away[u])
			}
			again.TurnAway(tag)
			away[u] = true
			if !e.Room(tag, most+1) { // where the bound is lifted
				r.Fatalf("unit %d, turned away, has no room for one more", u)
			}
		}
		for name, x := range map[string]*Epoch{"it": e, "recovered, it": again} {
			if units, turned := x.Counts(); units != int64(len(used)) || turned != int64(len(away)) {
				r.Fatalf("%s counts %d units, %d turned away; there were %d, %d", name, units, turned, len(used),
					len(away))
			}
		}
	})
}

func TestTagsNeedTheKey(t *testing.T) {
	a, b := NewEpoch([]byte("0123456789abcdef")), NewEpoch([]byte("0123456789abcdeF"))
	if a.Tag([]byte("x")) == b.Tag([]byte("x")) {
		t.Error("two keys give the same tag")
	}
	first := a.Tag([]byte("x"))
	if first != a.Tag([]byte("x")) || first == a.Tag([]byte("y")) {
		t.Error("a tag must stand for one unit")
	}
	if s := fmt.Sprint(first); s != "tag" {
		t.Errorf("a tag prints as %s", s)
	}
	tag := a.Tag([]byte("x"))
	a.Use(tag)
	a.Forget()
	if a.Tag([]byte("x")) == tag || !a.Room(tag, 1) {
		t.Error("Forget left the key or a tag")
	}
}

// TestParts: what one owner's sensors have used does not enter another's part; counters do
// not run over, and nothing of it outlives the epoch.
func TestParts(t *testing.T) {
	e := NewEpoch(make([]byte, KeySize))
	tag := e.Tag([]byte("x"))
	for n := range 2 {
		if !e.PartRoom(tag, 1, 2) {
			t.Fatalf("with %d of 2 used there is no room", n)
		}
		e.UsePart(tag, 1)
	}
	if e.PartRoom(tag, 1, 2) || !e.PartRoom(tag, 2, 1) || e.Room(tag, 2) || !e.Room(tag, 3) {
		t.Error("two of two are used: of this part, of no other, and of the whole")
	}
	for range 1 << 16 {
		e.UsePart(tag, 1)
	}
	if e.PartRoom(tag, 1, 10_000) || e.Room(tag, 10_000) {
		t.Error("who counted very often has room again")
	}
	if units, away := e.Counts(); units != 1 || away != 0 {
		t.Errorf("one unit that nobody turned away is %d, %d", units, away)
	}
	e.Forget()
	if len(e.parts) != 0 || len(e.used) != 0 {
		t.Error("an epoch that is forgotten knows units")
	}
}
