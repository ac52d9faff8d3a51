package rollcall

import (
	"strings"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/test/harness"
	"sluice/test/nats"
)

// TestCall: each machine says how it is, also where no majority of the servers is there; what anybody else answers is
// bounded, and two processes of one name are found.
func TestCall(t *testing.T) {
	s := nats.Start(t)
	dial := func() *engine.Conn {
		conn, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data,
			Patience: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		return conn
	}
	asks := dial()
	if list, err := Call(t.Context(), asks); err != nil || len(list) > 0 {
		t.Errorf("nobody says %+v: %v", list, err)
	}
	began := time.Now()
	says := func(name, run, hint string) {
		stop, err := Answer(t.Context(), dial(), func() Said {
			return Said{Name: name, Run: run, Since: began, Problems: []Problem{{Part: "clock", Hint: hint}}}
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
	}
	says("town-1", "a", "it is slow")
	says("town-2", "b", "")
	says("town-2", "c", "\x1b[2J")
	says("town-3", "d", strings.Repeat("x", mostBytes))
	says("", "e", "")
	var list []Said
	await := func(what string) {
		t.Helper()
		harness.Await(t, time.Minute, what, func() bool {
			var err error
			list, err = Call(t.Context(), asks)
			return err == nil && len(list) == 3
		})
	}
	await("three answers that can be shown")
	if list[0].Name != "town-1" || list[0].Problems[0].Hint != "it is slow" {
		t.Errorf("%+v", list)
	}
	for _, one := range list {
		if strings.Contains(one.Problems[0].Hint, "\x1b") {
			t.Errorf("a terminal would obey %q", one.Problems[0].Hint)
		}
	}
	if twins := Twins(list); len(twins) != 1 || len(twins["town-2"]) != 2 {
		t.Errorf("twins are %+v", twins)
	}
	s.Nodes[1].Kill()
	s.Nodes[2].Kill()
	await("the same with one server of three")
}
