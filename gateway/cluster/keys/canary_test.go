package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/roster"
	"sluice/test/harness"
	"sluice/test/nats"
)

// machine is one with a connection for data and one for keys.
type machine struct {
	ring       *keys.Ring
	data, keys *engine.Conn
	die        context.CancelFunc
}

// TestCanaries: with three real servers, keys travel to whom they are for, and are in no file of any server: neither a
// key itself, nor in hexadecimal or base64. What is published in a log in clear is found there, so they are looked for
// in the right place.
func TestCanaries(t *testing.T) {
	s := nats.Start(t)
	text, private := "version: 1\nmembers:\n", map[string][]byte{}
	for _, m := range []struct{ name, role string }{
		{"front-1", "front"}, {"front-2", "front"}, {"worker-1", "worker"}, {"city-hall", "releaser"},
	} {
		raw, line, err := roster.New(m.name)
		if err != nil {
			t.Fatal(err)
		}
		private[m.name] = raw
		text += fmt.Sprintf("  - {name: %s, key: %s, roles: [%s]}\n", m.name, strings.TrimSpace(line), m.role)
	}
	r, err := roster.Parse("roster.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{}
	start := func(name string) *machine {
		t.Helper()
		if dirs[name] == "" {
			dirs[name] = t.TempDir()
		}
		return begin(t, s, r, name, private[name], dirs[name])
	}
	front, other, worker, hall := start("front-1"), start("front-2"), start("worker-1"), start("city-hall")
	day := keys.EpochOf(time.Now())
	tag := fmt.Sprintf("tag-%d-86400-footfall", day*86400)
	var canaries [][]byte
	have := func(m *machine, use string) []byte {
		t.Helper()
		k := await(t, m, day, use)
		canaries = append(canaries, k)
		return k
	}
	for use, pair := range map[string][2]*machine{
		tag: {front, other}, "seal-7": {front, worker}, "part-7": {worker, hall}, "part-31": {other, hall},
	} {
		if !bytes.Equal(have(pair[0], use), have(pair[1], use)) {
			t.Errorf("two members have two keys for %s", use)
		}
	}
	tags := await(t, front, day, tag)
	// A worker and a front die and come back: the one asks, the other has its directory.
	worker.die()
	front.die()
	if back := start("worker-1"); !bytes.Equal(await(t, back, day, "seal-7"), await(t, other, day, "seal-7")) {
		t.Error("a worker that comes back gets another key")
	}
	s.Nodes[0].Kill() // and a server with it
	other.die()
	if back := start("front-1"); !bytes.Equal(await(t, back, day, tag), tags) {
		t.Error("a front that comes back has another key")
	}
	log, err := hall.data.Open(t.Context(), engine.Spec{Name: "CLEAR", Subjects: []string{"clear"}, Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	const clear = "a canary that sings 4711"
	if _, err := log.Append(t.Context(), "clear", 0, "1", []byte(clear)); err != nil {
		t.Fatal(err)
	}
	s.Nodes[0].Start()
	s.Whole()
	for _, n := range s.Nodes {
		found := search(t, n.Store, []byte(clear))
		if found == 0 && n != s.Nodes[0] {
			t.Errorf("%s keeps its logs elsewhere", n.Name)
		}
		for i, k := range canaries {
			for _, form := range [][]byte{
				k, []byte(hex.EncodeToString(k)), []byte(base64.StdEncoding.EncodeToString(k)[:40]),
			} {
				if search(t, n.Store, form) > 0 || strings.Contains(n.P.Err.String(), string(form)) {
					t.Errorf("%s has canary %d in a file or in its log", n.Name, i)
				}
			}
		}
	}
}

// begin starts a member's ring.
func begin(t *testing.T, s *nats.Servers, r *roster.Roster, name string, private []byte, dir string) *machine {
	t.Helper()
	m := &machine{}
	for conn, credentials := range map[**engine.Conn]string{&m.data: s.Data, &m.keys: s.Keys} {
		c, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: credentials,
			Name: name, Patience: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		*conn = c
	}
	me, err := roster.NewMe(name, private)
	if err != nil {
		t.Fatal(err)
	}
	log, err := m.data.Open(t.Context(), keys.Spec(3))
	if err != nil {
		t.Fatal(err)
	}
	member, _ := r.Member(name)
	m.ring, err = keys.Open(keys.Config{
		Me: me, Roster: func() *roster.Roster { return r }, Channel: m.keys, Commitments: log, Partitions: 32,
		Keep: member.May(roster.Front), Tags: time.Hour, Opens: 24 * time.Hour, Ahead: 10 * time.Minute,
		Patience: time.Hour, Dir: dir, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.ring.Run(ctx) }()
	gone := false
	m.die = func() {
		if stop(); gone {
			return
		}
		gone = true
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		m.data.Close()
		m.keys.Close()
	}
	t.Cleanup(m.die)
	return m
}

// await is a key, when it is there.
func await(t *testing.T, m *machine, day int64, use string) (k []byte) {
	t.Helper()
	harness.Await(t, time.Minute, use+" to be there", func() (is bool) {
		var err error
		k, err = m.ring.Key(day, use)
		return err == nil
	})
	return k
}

// search counts the files below a directory that have a text in them.
func search(t *testing.T, dir string, text []byte) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // a server removes files while we look
		}
		if raw, err := os.ReadFile(path); err == nil && bytes.Contains(raw, text) {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
