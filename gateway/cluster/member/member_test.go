package member

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/lease"
	"sluice/gateway/cluster/roster"
	"sluice/policy/ballot"
	"sluice/test/harness"
	"sluice/test/nats"
)

// city is a roster that an operator signs, and the directories of its members.
type city struct {
	t        *testing.T
	dir      string
	operator []byte
	keys     map[string][2]string // private, public
	servers  *nats.Servers
}

func newCity(t *testing.T, s *nats.Servers, names ...string) *city {
	t.Helper()
	operator, line, err := ballot.Generate("operator")
	if err != nil {
		t.Fatal(err)
	}
	c := &city{t: t, dir: t.TempDir(), operator: operator, keys: map[string][2]string{}, servers: s}
	for _, name := range names {
		private, public, err := roster.New(name)
		if err != nil {
			t.Fatal(err)
		}
		c.keys[name] = [2]string{string(private), strings.TrimSpace(public)}
		dir := c.of(name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		c.write(filepath.Join(dir, "member.key"), string(private))
		c.write(filepath.Join(dir, "signers"), "operator "+line+"\n")
		if s == nil {
			c.write(filepath.Join(dir, "data.nk"), "none")
			c.write(filepath.Join(dir, "keys.nk"), "none")
			continue
		}
		c.copy(s.Data, filepath.Join(dir, "data.nk"))
		c.copy(s.Keys, filepath.Join(dir, "keys.nk"))
	}
	return c
}

func (c *city) of(name string) string { return filepath.Join(c.dir, name) }

func (c *city) write(path, text string) {
	c.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *city) copy(from, to string) {
	c.t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(to, string(raw))
}

// sign writes a roster, with members as front-1: front, or gone: 2026-11-27 for a front until then.
func (c *city) sign(version int, members ...string) {
	c.t.Helper()
	text := fmt.Sprintf("version: %d\nmembers:\n", version)
	for _, m := range members {
		name, roles, _ := strings.Cut(m, ": ")
		list := "[" + roles + "]"
		if _, err := time.Parse(time.DateOnly, roles); err == nil {
			list = "[], front_until: " + roles
		}
		text += fmt.Sprintf("  - {name: %s, key: %s, roles: %s}\n", name, c.keys[name][1], list)
	}
	sig, err := ballot.Sign(c.operator, []byte(text), roster.Namespace)
	if err != nil {
		c.t.Fatal(err)
	}
	c.put([2]string{text, string(sig.File())})
}

// put writes a roster and its signature, text what is there.
func (c *city) put(files [2]string) {
	c.t.Helper()
	c.write(c.file(), files[0])
	c.write(c.file()+".sig", files[1])
}

func (c *city) text() (files [2]string) {
	c.t.Helper()
	for n, file := range []string{c.file(), c.file() + ".sig"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			c.t.Fatal(err)
		}
		files[n] = string(raw)
	}
	return files
}

func (c *city) file() string { return filepath.Join(c.dir, "roster.yaml") }

func (c *city) config(name string, roles ...roster.Role) Config {
	cfg := Config{NATS: []string{"tls://127.0.0.1:1"}, Credentials: c.of(name), Name: name, Roles: roles,
		Roster: c.file()}
	if c.servers != nil {
		cfg.NATS, cfg.CA = c.servers.URLs(), c.servers.CA
	}
	return cfg
}

func place() Place {
	return Place{Tags: time.Hour, Opens: 24 * time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// open opens a member and runs it.
func (c *city) open(name string, roles ...roster.Role) *Member {
	c.t.Helper()
	m, err := Open(c.t.Context(), c.config(name, roles...), place())
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(c.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	c.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			c.t.Errorf("%s: %v", name, err)
		}
		m.Close()
	})
	return m
}

// TestCity: members that are opened from their files have the keys of their roles, of the partitions that fall to them;
// a later roster that is signed is taken, and another is not.
func TestCity(t *testing.T) {
	s := nats.Start(t)
	take := func(m *Member) {
		t.Helper()
		if err := m.reread(t.Context()); err != nil {
			t.Error(err)
		}
	}
	c := newCity(t, s, "front-1", "worker-1", "hall", "late")
	c.sign(1, "front-1: front", "worker-1: worker", "hall: releaser")
	front, worker := c.open("front-1", roster.Front), c.open("worker-1", roster.Worker)
	hall := c.open("hall", roster.Releaser)
	ctx, stop := context.WithCancel(t.Context())
	shared := make(chan bool)
	go func() {
		worker.Duty.Share(ctx, usualPartitions, func(ctx context.Context, _ int) error { <-ctx.Done(); return nil })
		close(shared)
	}()
	t.Cleanup(func() { stop(); <-shared })
	day := keys.EpochOf(time.Now())
	key := func(m *Member, use string) (k []byte) {
		t.Helper()
		harness.Await(t, time.Minute, use, func() bool {
			var err error
			k, err = m.Ring.Key(day, use)
			return err == nil
		})
		return k
	}
	if !bytes.Equal(key(worker, "seal-3"), key(front, "seal-3")) ||
		!bytes.Equal(key(worker, "part-3"), key(hall, "part-3")) {
		t.Error("members have different keys")
	}
	if _, err := Open(t.Context(), c.config("late", roster.Front), place()); err == nil ||
		!strings.Contains(err.Error(), "no member") {
		t.Errorf("who is not in the roster: %v", err)
	}
	c.sign(1, "front-1: front", "worker-1: worker", "hall: releaser", "late: front")
	take(front)
	if !strings.Contains(front.Problem(), "larger version") {
		t.Errorf("another roster of the same version: %q", front.Problem())
	}
	c.sign(2, "worker-1: worker", "hall: releaser", "late: front")
	take(front)
	if !strings.Contains(front.Problem(), "was a front") {
		t.Errorf("a roster without it: %q", front.Problem())
	}
	c.sign(2, "front-1: front", "worker-1: worker", "hall: releaser", "late: front")
	for _, m := range []*Member{front, worker, hall} {
		take(m)
		if m.Problem() != "" {
			t.Error(m.Problem())
		}
	}
	late := c.open("late", roster.Front)
	if !bytes.Equal(key(late, "seal-3"), key(front, "seal-3")) {
		t.Error("who came later has another key")
	}
	// Who has left, and goes on as if it had not, has no partition.
	bucket, err := front.Data.Bucket(t.Context(), "leases", leaseTTL, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gone-1", "gone-2", "hall"} {
		if _, err := lease.Take(t.Context(), bucket, "member."+name,
			lease.Who{Name: name, Run: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	harness.Await(t, time.Minute, "the others to be seen", func() bool {
		holders, err := lease.Holders(t.Context(), bucket, "member.")
		return err == nil && len(holders) == 4
	})
	for _, m := range []*Member{front, worker, hall} {
		m.Duty.Look(t.Context())
		for p := range usualPartitions {
			if !m.Duty.Owns("worker-1", p) {
				t.Errorf("partition %d falls to somebody who is no worker", p)
			}
		}
	}
	c.sign(3, "front-1: front", "hall: releaser", "late: front")
	take(front)
	if err := worker.reread(t.Context()); err == nil || !strings.Contains(err.Error(), "no place for this machine") {
		t.Errorf("who is taken out goes on: %v", err)
	}
	c.copy(s.Data, filepath.Join(c.of("late"), "keys.nk"))
	if _, err := Open(t.Context(), c.config("late", roster.Front), place()); err == nil ||
		!strings.Contains(err.Error(), "JetStream") {
		t.Errorf("keys over the account for data: %v", err)
	}
}

// TestNoWayBack: a machine whose roster is put back to an earlier one, and rightly signed, does not start with it,
// and one that runs says so; what others write in the place of rosters changes nothing.
func TestNoWayBack(t *testing.T) {
	s := nats.Start(t)
	take := func(m *Member) {
		t.Helper()
		if err := m.reread(t.Context()); err != nil {
			t.Error(err)
		}
	}
	c := newCity(t, s, "front-1", "hall", "gone")
	members := []string{"front-1: front", "hall: releaser"}
	c.sign(1, append(members, "gone: front")...)
	first := c.text()
	front, hall := c.open("front-1", roster.Front), c.open("hall", roster.Releaser)
	c.sign(2, members...)
	take(front)
	if !strings.Contains(front.Problem(), "gone was a front") {
		t.Errorf("a front is taken out: %q", front.Problem())
	}
	tomorrow := time.Now().UTC().AddDate(0, 0, 1) // it may be midnight meanwhile
	c.sign(2, append(members, "gone: "+tomorrow.Format(time.DateOnly))...)
	take(front)
	if front.Problem() != "" || front.roster.Load().Version != 2 {
		t.Fatal(front.Problem())
	}
	second := c.text()
	forge := func(body string) {
		t.Helper()
		_, last, err := front.latest(t.Context())
		if err == nil {
			_, err = front.epochs.Append(t.Context(), rosterSubject, last, body, []byte(body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	forge("noise")
	forge(`{"roster":"` + base64.StdEncoding.EncodeToString([]byte("version: 9\nmembers: []\n")) + `","signature":""}`)
	forge(`{"roster":"` + base64.StdEncoding.EncodeToString([]byte(first[0])) + `","signature":"` +
		base64.StdEncoding.EncodeToString([]byte(first[1])) + `"}`)
	c.put(first)
	if _, err := Open(t.Context(), c.config("front-1", roster.Front), place()); err == nil ||
		!strings.Contains(err.Error(), "version 2") {
		t.Errorf("an earlier roster: %v", err)
	}
	take(hall)
	if !strings.Contains(hall.Problem(), "there was one of version 2") {
		t.Errorf("the city has another one, and it does not say so: %q", hall.Problem())
	}
	far := keys.EpochOf(time.Now()) + 5
	if is, err := hall.Committed(t.Context(), far); !errors.Is(err, errBehind) {
		t.Errorf("under a roster that is not the city's nobody can have committed: %v, %v", is, err)
	}
	if is, err := front.Committed(t.Context(), far); is || err != nil {
		t.Errorf("somebody has committed to keys of next week: %v, %v", is, err)
	}
	c.put(second)
	for _, m := range []*Member{hall, c.open("front-1", roster.Front)} {
		take(m)
		if m.Problem() != "" || m.roster.Load().Version != 2 {
			t.Error(m.Problem())
		}
	}
}

// TestNameless: what a member calls itself at the servers is no name of its own: they keep it on their disks.
func TestNameless(t *testing.T) {
	c := Config{Name: "front-1"}
	if at := c.reach("data.nk"); strings.Contains(at.Name, c.Name) || at.Name == "" {
		t.Errorf("it is called %q", at.Name)
	}
}

// TestRefused: what cannot run is refused before anybody is called, and the error says what to write.
func TestRefused(t *testing.T) {
	c := newCity(t, nil, "front-1", "worker-1")
	c.sign(1, "front-1: front", "worker-1: worker")
	for what, change := range map[string]struct {
		edit func(*Config)
		want string
	}{
		"no server":       {func(c *Config) { c.NATS = nil }, "nats is missing"},
		"no address":      {func(c *Config) { c.NATS = []string{"nats-1"} }, "not tls://HOST:PORT"},
		"in clear":        {func(c *Config) { c.NATS = []string{"nats://nats-1:4222"} }, "not tls://HOST:PORT"},
		"one twice":       {func(c *Config) { c.NATS = append(c.NATS, c.NATS[0]) }, "an address is there twice"},
		"no credentials":  {func(c *Config) { c.Credentials = "" }, "data.nk"},
		"no name":         {func(c *Config) { c.Name = "" }, "name is missing"},
		"many partitions": {func(c *Config) { c.Partitions = 257 }, "1 and 256"},
		"no power of two": {func(c *Config) { c.Partitions = 24 }, "power of two"},
		"a role twice":    {func(c *Config) { c.Roles = append(c.Roles, roster.Front) }, "roles: one is there twice"},
		"almost a role":   {func(c *Config) { c.Roles = []roster.Role{"wroker"} }, "did you mean worker?"},
		"no roles":        {func(c *Config) { c.Roles = nil }, "roles is missing"},
		"another role":    {func(c *Config) { c.Roles = []roster.Role{"boss"} }, "front, worker and releaser"},
		"no roster":       {func(c *Config) { c.Roster = "" }, "roster is missing"},
		"no such roster":  {func(c *Config) { c.Roster += "x" }, "roster.yamlx"},
		"a stranger":      {func(c *Config) { c.Name = "front-2" }, "no member"},
		"not its role":    {func(c *Config) { c.Roles = append(c.Roles, roster.Worker) }, "does not have worker"},
		"another's key": {
			func(c *Config) { c.Credentials = filepath.Join(filepath.Dir(c.Roster), "worker-1") }, "not the key",
		},
		"no such directory": {func(c *Config) { c.Credentials += "x" }, "make the directory"},
		"no authority":      {func(c *Config) { c.CA = c.Roster + "x" }, "take ca out"},
	} {
		cfg := c.config("front-1", roster.Front)
		change.edit(&cfg)
		if _, err := Open(t.Context(), cfg, place()); err == nil || !strings.Contains(err.Error(), change.want) {
			t.Errorf("%s: %v, want %q", what, err, change.want)
		}
	}
}
