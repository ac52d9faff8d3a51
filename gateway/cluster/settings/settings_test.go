package settings_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/settings"
	"sluice/test/nats"
)

var books = engine.Spec{Name: "BOOKS", Subjects: []string{"books"}, Replicas: 3, Forever: true}

func dial(t *testing.T, s *nats.Servers, credentials string) *engine.Conn {
	t.Helper()
	conn, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: credentials,
		Patience: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func sources(t *testing.T, s *nats.Servers) settings.Sources {
	return settings.Sources{Data: dial(t, s, s.Data), Keys: dial(t, s, s.Keys), System: dial(t, s, s.System),
		Slow: 5 * time.Second, Logs: []engine.Spec{books}}
}

// monitored is the same without credentials of the system.
func monitored(t *testing.T, s *nats.Servers) settings.Sources {
	from := sources(t, s)
	from.System = nil
	for _, n := range s.Nodes {
		from.Monitors = append(from.Monitors, n.Monitor)
	}
	return from
}

// found are findings, one a line.
func found(ctx context.Context, from settings.Sources) string {
	var b strings.Builder
	for _, f := range settings.Examine(ctx, from) {
		fmt.Fprintf(&b, "%s: %s; %s (lost: %v)\n", f.Of, f.What, f.Fix, f.Lost)
	}
	return b.String()
}

// TestAsWeShip: nothing is wrong with three servers that run with configs/nats.conf, however they are asked; and one
// that is away is missed.
func TestAsWeShip(t *testing.T) {
	s := nats.Start(t)
	conn := dial(t, s, s.Data)
	if _, err := conn.Open(t.Context(), books); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]settings.Sources{"system": sources(t, s), "monitors": monitored(t, s)} {
		if said := found(t.Context(), from); said != "" {
			t.Errorf("%s:\n%s", name, said)
		}
	}
	if said := found(t.Context(), settings.Sources{}); strings.Count(said, "not looked at") != 3 {
		t.Errorf("what is not looked at:\n%s", said)
	}
	same := sources(t, s)
	same.Keys = same.Data
	if said := found(t.Context(), same); !strings.Contains(said, "keys: their account has JetStream") ||
		!strings.Contains(said, "keys: they go through the account for data") {
		t.Errorf("one account for both:\n%s", said)
	}
	slow := s.Nodes[2].P.Cmd.Process
	from := sources(t, s)
	if err := slow.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(1500*time.Millisecond, func() { _ = slow.Signal(syscall.SIGCONT) })
	if said := found(t.Context(), from); strings.Contains(said, "of 3 answer") {
		t.Errorf("one answers late:\n%s", said)
	}
	s.Nodes[2].Kill()
	if said := found(t.Context(), sources(t, s)); !strings.Contains(said, "servers: 2 of 3 answer") {
		t.Errorf("one is away:\n%s", said)
	}
}

const unsynced = "it acknowledges what is not on its disk yet"

// TestEachSettingWrong: whatever of the configuration loses something is found, by whoever can see it.
func TestEachSettingWrong(t *testing.T) {
	for name, c := range map[string]struct {
		edits             []nats.Edit
		system, monitored string // what is said; empty where it cannot be seen
	}{
		"sync": {[]nats.Edit{nats.Instead("sync_interval: always", "sync_interval: 2m")},
			"nats-2: " + unsynced, "nats-2: " + unsynced},
		"no sync": {[]nats.Edit{nats.Instead("sync_interval: always", "")},
			"nats-3: " + unsynced, "nats-3: " + unsynced},
		"no unique tag": {[]nats.Edit{nats.Instead(`unique_tag: "zone:"`, "")},
			"nats-1: nothing keeps replicas in different zones", "nats-1: nothing keeps replicas in different zones"},
		"one zone": {[]nats.Edit{func(n int, conf string) string {
			return strings.Replace(conf, fmt.Sprintf(`"zone:%d"`, n+1), `"zone:cellar"`, 1)
		}}, "it is in the zone of nats-", "it is in the zone of nats-"},
		"keys are kept": {[]nats.Edit{nats.Instead("KEYS {\n", "KEYS {\n jetstream: enabled\n")},
			"keys: their account has JetStream", "keys: their account has JetStream"},
		"keys go elsewhere": {[]nats.Edit{nats.Instead("KEYS {\n", "KEYS {\n exports: [{stream: \"keys.>\"}]\n")},
			"keys: their account exports subjects", ""},
		"payload": {[]nats.Edit{nats.Instead("max_payload: 1MiB", "max_payload: 64KiB")},
			"nats-1: max_payload is 65536", "nats-1: max_payload is 65536"},
		"MQTT": {[]nats.Edit{nats.Instead("max_payload: 1MiB", "max_payload: 1MiB\nmqtt { port: -1 }")},
			"nats-1: it takes MQTT", "nats-1: it takes MQTT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := nats.Start(t, c.edits...)
			if said := found(t.Context(), sources(t, s)); !strings.Contains(said, c.system) {
				t.Errorf("by the system's account, want %q:\n%s", c.system, said)
			}
			said := found(t.Context(), monitored(t, s))
			if !strings.Contains(said, c.monitored) || c.monitored == "" && said != "" {
				t.Errorf("by the monitoring endpoints, want %q:\n%s", c.monitored, said)
			}
		})
	}
}

// TestLogsWrong: whatever of a log loses something is found, and such a log is not opened.
func TestLogsWrong(t *testing.T) {
	s := nats.Start(t)
	from := sources(t, s)
	if said := found(t.Context(), from); said != "" {
		t.Errorf("a log that is not there yet:\n%s", said)
	}
	const whole = `{"name":"BOOKS","subjects":["books"],"retention":"limits","storage":"file","num_replicas":3,` +
		`"discard":"new","deny_delete":true,"deny_purge":true,"max_msg_size":1001024}`
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{`"num_replicas":3`, `"num_replicas":1`, "BOOKS: replicas is 1 and not 3"},
		{`"storage":"file"`, `"storage":"memory"`, "BOOKS: storage is not file"},
		{`"discard":"new"`, `"discard":"old"`, "BOOKS: discard is not new"},
		{`"deny_delete":true`, `"deny_delete":false`, "BOOKS: deny_delete is not set"},
		{`"deny_purge":true`, `"deny_purge":false`, "BOOKS: deny_purge is not set"},
		{`"num_replicas":3`, `"num_replicas":1,"persist_mode":"async"`, "BOOKS: persist_mode is async"},
		{`"retention":"limits"`, `"retention":"limits","max_age":3600000000000`, "BOOKS: entries end by age"},
		{`"subjects":["books"]`, `"subjects":["books","other"]`, "BOOKS: its subjects are others"},
		{`"num_replicas":3`, `"num_replicas":3,"persist_mode":"async"`, "BOOKS: persist_mode is async"}, // refused
		{`"retention":"limits"`, `"retention":"limits","allow_batched":true`, "BOOKS: counters, schedules or fast batches"},
		{`"retention":"limits"`, `"retention":"limits","republish":{"src":"books","dest":"shown"}`,
			"BOOKS: it publishes again what it keeps"},
	} {
		made, err := from.Data.Ask(t.Context(), "$JS.API.STREAM.CREATE.BOOKS",
			[]byte(strings.Replace(whole, c.old, c.new, 1)))
		if err != nil || strings.Contains(string(made), `"error"`) {
			t.Logf("%s: the servers refuse it: %.200s", c.new, made)
			continue
		}
		if said := found(t.Context(), from); !strings.Contains(said, c.want) || c.want == "" && said != "" {
			t.Errorf("%s: want %q:\n%s", c.new, c.want, said)
		}
		if _, err := from.Data.Open(t.Context(), books); (err != nil) != (c.want != "") {
			t.Errorf("%s: it is opened: %v", c.new, err)
		}
		if _, err := from.Data.Ask(t.Context(), "$JS.API.STREAM.DELETE.BOOKS", nil); err != nil {
			t.Fatal(err)
		}
	}
}
