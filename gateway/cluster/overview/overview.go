// Package overview says how a city's machines and partitions do, as the servers show it to whoever may read their
// account for data: who is there, who owns what, how much waits, and how old it is. Everything else there is sealed and
// stays so: no key is needed, and nothing is opened or written.
package overview

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/gateway/cluster/books"
	"sluice/gateway/cluster/duty"
	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/lease"
	"sluice/gateway/cluster/roster"
)

// City is how they are at one moment.
type City struct {
	// Majority: the servers answer as one. Without it nothing below is known, and nothing is acknowledged.
	Majority   bool        `json:"majority"`
	Problem    string      `json:"problem,omitempty"`
	Members    []Member    `json:"members"`
	Releaser   string      `json:"releaser"` // who releases; empty for nobody
	Halted     string      `json:"halted"`   // why nobody releases until the books are recovered; empty for no reason
	Partitions []Partition `json:"partitions"`
	// Missing are the partitions that have said less of closed windows than others have: these windows wait for them.
	Missing []int `json:"missing"`
	// Out are servers that do not keep what is written, by the names that they have themselves.
	Out []string `json:"servers_out"`
}

// Member is one machine of the roster.
type Member struct {
	Name  string        `json:"name"`
	Roles []roster.Role `json:"roles"`
	There bool          `json:"there"`
	Owns  []int         `json:"owns"` // partitions
}

// Partition is one of the parts that the city's units fall into.
type Partition struct {
	N     int    `json:"partition"`
	Owner string `json:"owner"` // empty for nobody
	// Batches are those of fronts that are kept: what its owner has not counted, or not yet taken away.
	Batches uint64 `json:"batches"`
	// Behind is how much later the last batch was written than the owner's last state, in seconds.
	Behind float64 `json:"behind_seconds"`
	// Parts are those of windows that not all partitions have said.
	Parts uint64 `json:"parts"`
}

// Of looks at what the servers have. It takes a few seconds at most. Without a roster, nil, the members are those who
// are there, and nothing is known of their roles.
func Of(ctx context.Context, conn *engine.Conn, r *roster.Roster, partitions int) City {
	c := Unknown("")
	if r != nil {
		for _, m := range r.Members {
			if !m.Left() {
				c.Members = append(c.Members, Member{Name: m.Name, Roles: m.Roles, Owns: []int{}})
			}
		}
	}
	for n := range partitions {
		c.Partitions = append(c.Partitions, Partition{N: n})
	}
	looks := []func(context.Context, *engine.Conn) error{c.leases, c.waiting, c.ages, c.said, c.out, c.halts}
	for _, look := range looks {
		err := look(ctx, conn)
		if errors.Is(err, engine.ErrAway) {
			c.Problem = "no majority of the servers answers: nothing is acknowledged, nothing is released, and " +
				"nothing is known of the machines until two of three are there"
			return c
		}
		if err != nil {
			c.Problem = err.Error()
			return c
		}
	}
	c.Majority = true
	return c
}

// Unknown is a city of which nothing can be seen.
func Unknown(why string) City {
	return City{Problem: why, Members: []Member{}, Partitions: []Partition{}, Missing: []int{}, Out: []string{}}
}

// leases say who is there, and who does what.
func (c *City) leases(ctx context.Context, conn *engine.Conn) error {
	bucket, err := conn.FindBucket(ctx, duty.Bucket)
	if err != nil || bucket == nil {
		return err
	}
	all, err := bucket.All(ctx)
	if err != nil {
		return err
	}
	leases := duty.Leases(all)
	share := leases.Sharing()
	for _, name := range slices.Concat(leases.Here(), share) {
		if c.member(name) == nil {
			c.Members = append(c.Members, Member{Name: name, Owns: []int{}})
		}
	}
	for i := range c.Partitions {
		p := &c.Partitions[i]
		p.Owner = lease.Owner(p.N, share)
		if m := c.member(p.Owner); m != nil {
			m.Owns = append(m.Owns, p.N)
		}
	}
	for _, name := range leases.Here() {
		if m := c.member(name); m != nil {
			m.There = true
		}
	}
	c.Releaser = leases.Alone("releaser")
	return nil
}

func (c *City) halts(ctx context.Context, conn *engine.Conn) (err error) {
	c.Halted, err = books.Halted(ctx, conn)
	return err
}

func (c *City) member(name string) *Member {
	i := slices.IndexFunc(c.Members, func(m Member) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &c.Members[i]
}

// held adds up what a log has of each partition, whose number is a word of the subject.
func (c *City) held(
	ctx context.Context, conn *engine.Conn, log, pattern string, add func(p *Partition, n uint64),
) error {
	l, err := conn.Find(ctx, log)
	if err != nil || l == nil {
		return err
	}
	all, err := l.Held(ctx, pattern)
	for subject, n := range all {
		var epoch, p int
		at := subject[strings.IndexByte(subject, '.')+1:]
		if found, err := fmt.Sscanf(at, "%d.%d", &epoch, &p); err == nil && found == 2 && p >= 0 &&
			p < len(c.Partitions) {
			add(&c.Partitions[p], n)
		}
	}
	return err
}

func (c *City) waiting(ctx context.Context, conn *engine.Conn) error {
	return c.held(ctx, conn, "IN", "in.*.*", func(p *Partition, n uint64) { p.Batches += n })
}

// said counts what partitions have said of windows that wait. The last entry of all stays, whatever was done with it.
func (c *City) said(ctx context.Context, conn *engine.Conn) error {
	var most, total uint64
	if err := c.held(ctx, conn, "PART", "part.*.*.*", func(p *Partition, n uint64) {
		p.Parts += n
		most, total = max(most, p.Parts), total+n
	}); err != nil || total < 2 {
		return err
	}
	for _, p := range c.Partitions {
		if p.Parts < most {
			c.Missing = append(c.Missing, p.N)
		}
	}
	return nil
}

// ages compares what fronts wrote last with what owners did.
func (c *City) ages(ctx context.Context, conn *engine.Conn) error {
	in, err := conn.Find(ctx, "IN")
	if err != nil || in == nil {
		return err
	}
	state, err := conn.Find(ctx, "STATE")
	if err != nil {
		return err
	}
	for i := range c.Partitions {
		p := &c.Partitions[i]
		came, err := in.Written(ctx, fmt.Sprintf("in.*.%d", p.N))
		if err != nil {
			return err
		}
		var counted time.Time
		if state != nil {
			if counted, err = state.Written(ctx, fmt.Sprintf("state.%d", p.N)); err != nil {
				return err
			}
		}
		if came.IsZero() {
			continue
		}
		if counted.IsZero() { // nobody has counted anything: it waits since it came
			counted, came = came, time.Now()
		}
		p.Behind = max(came.Sub(counted).Seconds(), 0)
	}
	return nil
}

// out are the servers that a log lacks.
func (c *City) out(ctx context.Context, conn *engine.Conn) error {
	for _, name := range []string{"IN", "STATE", "BOOKS"} {
		l, err := conn.Find(ctx, name)
		if err != nil || l == nil {
			return err
		}
		of, err := l.Out(ctx)
		if err != nil {
			return err
		}
		c.Out = append(c.Out, of...)
	}
	slices.Sort(c.Out)
	c.Out = slices.Compact(c.Out)
	return nil
}
