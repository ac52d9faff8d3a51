package listener

import (
	"testing"
	"time"
)

// TestAdmit: passwords and sensors are exchanged while it runs. Whoever has none any
// more, or another, is cut off; nobody else notices.
func TestAdmit(t *testing.T) {
	topic := func(id string) string { return "city/v1/o/" + id + "/feedback" }
	s := open(t,
		Config{Passwords: secrets{"a": "x", "b": "y", "c": "z"},
			Feedback: map[string]string{"a": topic("a"), "b": topic("b"), "c": topic("c")}})
	stays, changes, goes := s.connect(4, "1", "a", "x"), s.connect(4, "2", "b", "y"), s.connect(4, "3", "c", "z")
	s.l.Admit(Admission{
		Passwords: secrets{"a": "x", "b": "new", "d": "w"},
		Feedback:  map[string]string{"a": topic("a"), "b": topic("b"), "d": topic("d")},
	}, func(id string) bool { return id != "a" })
	changes.gone(10 * time.Second)
	goes.gone(10 * time.Second)
	stays.works()
	s.connect(4, "2", "b", "new").works()
	s.connect(4, "4", "d", "w").works()
	for user, password := range map[string]string{"b": "y", "c": "z"} {
		c := s.dial()
		c.send(hello(4, 2, "5", user, password))
		if body := c.want(0x20); body[1] == 0 {
			t.Errorf("%s gets in by a password of before", user)
		}
	}
}

// TestTurnedOutWhileComingIn: who was let in by the list of before and is not admitted
// yet is not let in.
func TestTurnedOutWhileComingIn(t *testing.T) {
	s := newAdmitted()
	u := newUser("a", "")
	s.disconnect(u)
	if s.add(&conn{user: u}) {
		t.Error("it is admitted")
	}
	if !s.add(&conn{user: newUser("a", "")}) {
		t.Error("nobody is admitted any more")
	}
}
