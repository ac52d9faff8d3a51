package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	keyring "sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/roster"
	"sluice/test/nats"
)

// members are who may have keys of the city, each by its role.
type members struct {
	t       *testing.T
	servers *nats.Servers
	roster  *roster.Roster
	private map[string][]byte
}

// newMembers has members as front-1: front.
func newMembers(t *testing.T, servers *nats.Servers, list ...string) *members {
	t.Helper()
	m := &members{t: t, servers: servers, private: make(map[string][]byte)}
	text := "version: 1\nmembers:\n"
	for _, one := range list {
		name, role, _ := strings.Cut(one, ": ")
		private, line, err := roster.New(name)
		if err != nil {
			t.Fatal(err)
		}
		m.private[name] = private
		text += fmt.Sprintf("  - {name: %s, key: %s, roles: [%s]}\n", name, strings.TrimSpace(line), role)
	}
	var err error
	if m.roster, err = roster.Parse("roster.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	return m
}

// long is how long keys live after their day.
const long = 24 * time.Hour

// ring is what a process of a member has of the keys, until it is ended.
func (m *members) ring(name, dir string) (r *keyring.Ring, end func()) {
	m.t.Helper()
	dial := func(credentials string) *engine.Conn {
		conn, err := engine.Dial(m.t.Context(), engine.Config{URLs: m.servers.URLs(), CA: m.servers.CA,
			Credentials: credentials, Patience: time.Minute})
		if err != nil {
			m.t.Fatal(err)
		}
		return conn
	}
	data, channel := dial(m.servers.Data), dial(m.servers.Keys)
	log, err := data.Open(m.t.Context(), keyring.Spec(3))
	if err != nil {
		m.t.Fatal(err)
	}
	me, err := roster.NewMe(name, m.private[name])
	if err != nil {
		m.t.Fatal(err)
	}
	member, _ := m.roster.Member(name)
	begun := time.Now()
	r, err = keyring.Open(keyring.Config{
		Me: me, Roster: func() *roster.Roster { return m.roster }, Channel: channel, Commitments: log,
		Partitions: partitions, Keep: member.May(roster.Front), Tags: long, Opens: long,
		Ahead: 10 * time.Minute, Patience: time.Hour, Dir: dir,
		Now: func() time.Time { return noon.Add(time.Since(begun)) },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(m.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	end = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			m.t.Errorf("keys of %s: %v", name, err)
		}
		data.Close()
		channel.Close()
	})
	m.t.Cleanup(end)
	return r, end
}
