package doctor

import (
	"os"
	"strings"
	"testing"
	"time"

	"sluice/gateway/config"
	"sluice/test/harness"
	"sluice/test/members"
	"sluice/test/nats"
)

// look is what doctor says of a member's place, one finding a line.
func look(t *testing.T, city *members.City, name string) string {
	t.Helper()
	d := &machine{new(findings), &config.Config{Cluster: city.Config(name)}}
	d.cluster(t.Context())
	var b strings.Builder
	for _, f := range d.list {
		b.WriteString(string(f.Verdict) + " " + f.Check + " " + f.Found + " -> " + f.Hint + "\n")
		if f.Verdict != Fine && f.Hint == "" {
			t.Errorf("%s: nothing is said that mends it", f.Found)
		}
	}
	return b.String()
}

// says fails the test where something is not said.
func says(t *testing.T, said string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(said, w) {
			t.Errorf("want %q; doctor says\n%s", w, said)
		}
	}
}

// TestSeveralMachines: with servers as configs/nats.conf sets them up nothing is wrong; what a machine lacks is said,
// and so are servers that are away.
func TestSeveralMachines(t *testing.T) {
	s := nats.Start(t)
	city := members.Found(t, s, "front-1: front", "count-1: worker", "hall: releaser")
	said := ""
	harness.Await(t, time.Minute, "the servers to know one another", func() bool { // which they say beside the logs
		said = look(t, city, "front-1")
		return !strings.Contains(said, "warn servers servers: ")
	})
	says(t, said, "ok cluster this machine is front-1: front; the roster is of version 1", "ok servers 3 of 3 answer",
		"ok servers nothing is seen")
	if strings.Contains(said, "warn") || strings.Contains(said, "fail") {
		t.Errorf("all is well, and doctor says\n%s", said)
	}
	if err := os.Rename(s.System, city.File("hall", "keys.nk")); err != nil {
		t.Fatal(err)
	}
	says(t, look(t, city, "hall"), "fail servers keys: ")
	if err := os.Remove(city.File("hall", "system.nk")); err != nil {
		t.Fatal(err)
	}
	says(t, look(t, city, "hall"), "warn servers servers: the servers were not looked at")
	if err := os.Chmod(city.File("count-1", "member.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	says(t, look(t, city, "count-1"), "fail cluster "+city.File("count-1", "member.key")+" can be read by others")
	s.Nodes[1].Kill()
	said = look(t, city, "front-1")
	says(t, said, "unreachable servers "+s.Nodes[1].Addr, "warn servers 2 of 3 answer: nothing stops",
		"warn servers servers: 2 of 3")
	s.Nodes[2].Kill()
	says(t, look(t, city, "front-1"), "unreachable servers "+s.Nodes[2].Addr,
		"fail servers 1 of 3 answer, which is no majority")
	s.Nodes[0].Kill()
	said = look(t, city, "front-1")
	if strings.Count(said, "unreachable") != 3 || strings.Contains(said, "ok servers") {
		t.Errorf("all are away, and doctor says\n%s", said)
	}
}

// TestServersThatLose: what loses an acknowledged reading, or keeps a key, is wrong, and the fix is said.
func TestServersThatLose(t *testing.T) {
	s := nats.Start(t, nats.Instead("sync_interval: always", "sync_interval: 2m"),
		nats.Instead("KEYS {\n", "KEYS {\n jetstream: enabled\n"),
		nats.Instead("max_payload: 1MiB", "max_payload: 64KiB"))
	city := members.Found(t, s, "all: front, worker, releaser", "more: worker")
	says(t, look(t, city, "all"),
		"fail servers nats-1: it acknowledges what is not on its disk yet -> set sync_interval",
		"fail servers keys: their account has JetStream", "fail servers nats-3: max_payload is 65536",
		"warn cluster who publishes sees readings as well: all")
	raw := "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4" // a user that the servers do not know
	if err := os.WriteFile(city.File("more", "data.nk"), []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, look(t, city, "more"), "the credentials are not accepted")
}
