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
