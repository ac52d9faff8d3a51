// Package member is a machine's place in a cluster: it reads who it is, connects, looks whether the servers keep what
// they acknowledge, and has what every role needs: a connection, keys, and duties.
//
// The directory of credentials has
//
//	data.nk      seed of the servers' account that logs are in
//	keys.nk      seed of the one that keys go through, which has no JetStream
//	system.nk    seed of the servers' own account, where this machine is to look at all of their settings; else none
//	member.key   the member's private key, whose public half is in the roster
//	signers      who may sign the roster, as allowed_signers of ssh-keygen(1)
//
// The roster is read again each minute. One that is not signed, or cannot follow the one before (roster.Follows), is
// not taken: the one before holds, and Problem says so. One that lacks this member in its roles ends its work. Who
// takes a new one writes it with its signature, into the log EPOCHS, and nobody starts with one that is older than
// what is there: a machine whose file is put back does not go back in time.
package member

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/cluster/duty"
	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/roster"
	"sluice/gateway/cluster/settings"
	"sluice/internal/retry"
)

// Place is what a member needs beside its configuration.
type Place struct {
	// Keys is a memory-backed directory for keys; empty for none.
	Keys string
	// Tags is how long after the end of a span in which units are recognised something of it is tagged, and Opens how
	// long after a day something of it is opened.
	Tags, Opens time.Duration
	// Shredded is given receipts for keys, as they were signed; nil for nobody.
	Shredded func(receipt []byte)
	// Single is a simulation with one server.
	Single bool
	Now    func() time.Time
	Log    *slog.Logger
}

// Member is a machine that is connected.
type Member struct {
	Data *engine.Conn // for logs
	Ring *keys.Ring
	Duty *duty.Member

	c      Config
	place  Place
	keys   *engine.Conn
	roster atomic.Pointer[roster.Roster]
	epochs *engine.Log
	read   retry.Once // why the roster that is there is not taken
}

const (
	// leaseTTL has what a dead machine did begun elsewhere after 6.4 to 9 s (see duty), which leaves six of the 15 s
	// for which its death may be felt to what is begun: that reads its state. A machine may stand still for 6.4 s, and
	// most elections of servers are over by then; where not, leases are taken again when the election is.
	leaseTTL    = 8 * time.Second
	rosterEvery = time.Minute
	ahead       = 10 * time.Minute
	patience    = 6 * time.Hour
)

// Open reads who this machine is, connects, and refuses servers that lose what they acknowledge or keep what they must
// not.
func Open(ctx context.Context, c Config, p Place) (_ *Member, err error) {
	c.SetDefaults()
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Member{c: c, place: p}
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	s, r, me, err := c.identity(ctx)
	if err != nil {
		return nil, err
	}
	for _, doubt := range c.Doubts() {
		p.Log.Warn("the cluster's configuration is unwise", "why", doubt)
	}
	m.roster.Store(r)
	if m.Data, err = engine.Dial(ctx, m.reach("data.nk")); err != nil {
		return nil, c.hint(err, "data.nk")
	}
	if m.keys, err = engine.Dial(ctx, m.reach("keys.nk")); err != nil {
		return nil, c.hint(err, "keys.nk")
	}
	if err := m.examine(ctx); err != nil {
		return nil, err
	}
	return m, m.open(ctx, me, s)
}

func (m *Member) reach(credentials string) engine.Config {
	reach := m.c.reach(credentials)
	reach.Log = m.place.Log
	return reach
}

func (m *Member) replicas() int {
	if m.place.Single {
		return 1
	}
	return 3
}

// open opens what is on the servers.
func (m *Member) open(ctx context.Context, me *roster.Me, s roster.Signature) (err error) {
	if m.epochs, err = m.Data.Open(ctx, keys.Spec(m.replicas())); err != nil {
		return err
	}
	if err := m.agree(ctx, s, m.roster.Load()); err != nil {
		return fmt.Errorf("%s: %w", m.c.Roster, err)
	}
	bucket, err := m.Data.Bucket(ctx, duty.Bucket, leaseTTL, m.replicas())
	if err != nil {
		return err
	}
	m.Duty = duty.New(bucket, m.c.Name, m.place.Log)
	m.Duty.Counts = func(name string) bool {
		one, _ := m.roster.Load().Member(name)
		return one.May(roster.Worker)
	}
	m.Ring, err = keys.Open(keys.Config{
		Me: me, Roster: m.roster.Load, Channel: m.keys, Commitments: m.epochs, Partitions: m.c.Partitions,
		Keep: m.c.May(roster.Front), Tags: m.place.Tags, Opens: m.place.Opens, Ahead: ahead, Patience: patience,
		Owns: m.Duty.Owns, Shredded: m.place.Shredded, Dir: m.place.Keys, Now: m.place.Now, Log: m.place.Log,
	})
	if err != nil {
		return err
	}
	return m.Ring.Agree(ctx)
}

// examine looks at the servers, as far as this machine may.
func (m *Member) examine(ctx context.Context) error {
	from := settings.Sources{
		Data: m.Data, Keys: m.keys, Single: m.place.Single, Logs: []engine.Spec{keys.Spec(m.replicas())},
	}
	if _, err := os.Stat(m.c.file("system.nk")); !errors.Is(err, fs.ErrNotExist) {
		system, err := engine.Dial(ctx, m.reach("system.nk"))
		if err != nil {
			return m.c.hint(err, "system.nk")
		}
		defer system.Close()
		from.System = system
	}
	var wrong []string
	for _, f := range settings.Examine(ctx, from) {
		if f.Lost {
			wrong = append(wrong, fmt.Sprintf("%s: %s; %s", f.Of, f.What, f.Fix))
		}
	}
	if len(wrong) > 0 {
		return errors.New("the servers would lose what they acknowledge, or keep what they must not: " +
			strings.Join(wrong, "; "))
	}
	return nil
}

// Run keeps keys, the roster, and who shares partitions up to date, until ctx ends. A worker's partitions are shared by
// Duty.Share, beside it.
func (m *Member) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	beside.Go(func() { m.Duty.Watch(ctx) })
	beside.Go(func() { m.Duty.Here(ctx) })
	var left error
	beside.Go(func() {
		defer stop()
		for left == nil && retry.Sleep(ctx, rosterEvery) {
			left = m.reread(ctx)
		}
	})
	err := m.Ring.Run(ctx)
	stop()
	beside.Wait()
	if left != nil {
		return left
	}
	return err
}

// Problem says what keeps the member from its work; empty for nothing.
func (m *Member) Problem() string {
	if why := m.read.Last(); why != "" {
		return "the roster is not taken: " + why
	}
	return m.Ring.Problem()
}

// Close ends the connections; Run must have returned.
func (m *Member) Close() {
	for _, conn := range []*engine.Conn{m.Data, m.keys} {
		if conn != nil {
			conn.Close()
		}
	}
}
