package lease_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/lease"
	"sluice/test/harness"
	"sluice/test/nats"
)

func dial(t *testing.T, s *nats.Servers) *engine.Conn {
	t.Helper()
	conn, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data,
		Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func bucket(t *testing.T, s *nats.Servers, ttl time.Duration) *engine.Bucket {
	t.Helper()
	b, err := dial(t, s).Bucket(t.Context(), "leases", ttl, 3)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func is(name string) lease.Who { return lease.Who{Name: name, Run: "1"} }

// take takes the releaser's lease from nobody, when the servers are there.
func take(t *testing.T, b *engine.Bucket, who string) (l *lease.Lease) {
	t.Helper()
	harness.Await(t, time.Minute, "the lease to be taken", func() bool {
		var err error
		if l, err = lease.Take(t.Context(), b, "releaser", is(who)); err != nil && !errors.Is(err, engine.ErrAway) &&
			!errors.Is(err, lease.ErrTaken) { // by an attempt of ours whose answer did not come
			t.Fatal(err)
		}
		return err == nil
	})
	return l
}

// TestTakenOver: a lease that is kept is nobody else's, one that is not kept is somebody else's after about its time to
// live, and one that is dropped before that.
func TestTakenOver(t *testing.T) {
	s := nats.Start(t)
	const ttl = 5 * time.Second
	a, b := bucket(t, s, ttl), bucket(t, s, ttl)
	first := take(t, a, "one")
	ctx, stop := context.WithCancel(t.Context())
	kept := make(chan error, 1)
	go func() { kept <- first.Keep(ctx) }()
	for at := time.Now(); time.Since(at) < 3*ttl/2; time.Sleep(50 * time.Millisecond) {
		if _, err := lease.Take(t.Context(), b, "releaser", is("two")); err == nil {
			t.Fatalf("a lease is taken that is held: %v", first.Held())
		}
	}
	if who, err := lease.Holders(t.Context(), b, "rel"); err != nil || !slices.Equal(who, []string{"one"}) {
		t.Errorf("it is held by %v: %v", who, err)
	}
	if who, err := lease.Holders(t.Context(), b, "member."); err != nil || len(who) != 0 {
		t.Errorf("other leases are held by %v: %v", who, err)
	}
	stop()
	if err := <-kept; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	at := time.Now()
	var second *lease.Lease
	harness.Await(t, time.Minute, "the lease to expire", func() bool {
		held := first.Held()
		var err error
		second, err = lease.Take(t.Context(), b, "releaser", is("two"))
		if err == nil && held && first.Held() {
			t.Error("both hold it, by their own clocks")
		}
		return err == nil
	})
	if took := time.Since(at); took < ttl/3 || took > harness.Longer(2*ttl) {
		t.Errorf("it is taken over after %s, and lives for %s", took, ttl)
	}
	if first.Held() {
		t.Error("who has lost it believes to hold it")
	}
	if err := first.Keep(t.Context()); !errors.Is(err, lease.ErrTaken) {
		t.Errorf("who has lost it keeps it: %v", err)
	}
	if err := second.Drop(t.Context()); err != nil || second.Held() {
		t.Fatalf("it cannot be dropped: %v", err)
	}
	dropped := time.Now()
	take(t, a, "three") // when the server that is asked has heard of it
	if took := time.Since(dropped); took > harness.Longer(ttl/2) {
		t.Errorf("what was dropped is taken after %s", took)
	}
	if _, err := lease.Take(t.Context(), a, "a name", is("three")); !errors.Is(err, engine.ErrRefused) {
		t.Errorf("a key with a space is taken: %v", err)
	}
	if _, err := dial(t, s).Bucket(t.Context(), "leases", time.Minute, 3); !errors.Is(err, engine.ErrRefused) {
		t.Errorf("leases that live for longer: %v", err)
	}
}

// TestInherit: a process that starts under a name has the lease of the one before at once, which hears that it has lost
// it; nobody else has; and an attempt whose answer did not come is known again.
func TestInherit(t *testing.T) {
	s := nats.Start(t)
	const ttl = 10 * time.Minute // nothing expires here
	a, b := bucket(t, s, ttl), bucket(t, s, ttl)
	first, again, other := is("one"), lease.Who{Name: "one", Run: "2"}, is("two")
	if _, err := lease.Inherit(t.Context(), a, "releaser", first); err != nil {
		t.Fatal(err)
	}
	same, err := lease.Take(t.Context(), a, "releaser", first) // as if no answer had come
	if err != nil || !same.Held() {
		t.Fatalf("its own attempt is not known again: %v", err)
	}
	for _, try := range []struct {
		what string
		take func(context.Context, *engine.Bucket, string, lease.Who) (*lease.Lease, error)
		who  lease.Who
	}{
		{"another member takes it", lease.Take, other},
		{"another member inherits it", lease.Inherit, other},
		{"a later run takes it", lease.Take, again},
	} {
		if _, err := try.take(t.Context(), b, "releaser", try.who); !errors.Is(err, lease.ErrTaken) {
			t.Errorf("%s: %v", try.what, err)
		}
	}
	later, err := lease.Inherit(t.Context(), b, "releaser", again)
	if err != nil || !later.Held() {
		t.Fatalf("a later run does not inherit: %v", err)
	}
	if err := same.Drop(t.Context()); !errors.Is(err, engine.ErrFenced) {
		t.Errorf("the earlier run gives away what is the later one's: %v", err)
	}
	if who, err := lease.Holders(t.Context(), b, "rel"); err != nil || !slices.Equal(who, []string{"one"}) {
		t.Errorf("it is held by %v: %v", who, err)
	}
}

// TestKept: who keeps a lease keeps it where one of its attempts was written and no answer came; not where a later run
// has it.
func TestKept(t *testing.T) {
	s := nats.Start(t)
	const ttl = 10 * time.Second
	a, b := bucket(t, s, ttl), bucket(t, s, ttl)
	l := take(t, a, "one")
	kept := make(chan error, 1)
	go func() { kept <- l.Keep(t.Context()) }()
	unheard := func(who lease.Who) {
		t.Helper()
		harness.Await(t, time.Minute, "an attempt to be written", func() bool {
			_, revision, err := b.Get(t.Context(), "releaser")
			if err == nil {
				_, err = b.Update(t.Context(), "releaser", []byte(who.Name+" "+who.Run), revision)
			}
			return err == nil
		})
	}
	unheard(is("one"))
	harness.Await(t, time.Minute, "it to be written again", func() bool {
		_, before, err := b.Get(t.Context(), "releaser")
		time.Sleep(ttl / 2)
		_, after, err2 := b.Get(t.Context(), "releaser")
		return err == nil && err2 == nil && after > before
	})
	if !l.Held() {
		t.Error("it is lost to an attempt of its own")
	}
	unheard(lease.Who{Name: "one", Run: "2"})
	if err := <-kept; !errors.Is(err, lease.ErrTaken) || l.Held() {
		t.Errorf("who has lost it to a later run keeps it: %v", err)
	}
}

// TestNobodyAnswers: while the servers are away nobody believes to hold a lease for longer than it lives.
func TestNobodyAnswers(t *testing.T) {
	s := nats.Start(t)
	const ttl = 2 * time.Second
	l := take(t, bucket(t, s, ttl), "one")
	for _, n := range s.Nodes {
		n.Freeze(true)
	}
	at := time.Now()
	kept := make(chan error, 1)
	go func() { kept <- l.Keep(t.Context()) }()
	harness.Await(t, time.Minute, "the lease to end", func() bool { return !l.Held() })
	if took := time.Since(at); took > harness.Longer(2*ttl) {
		t.Errorf("it ends after %s", took)
	}
	err := <-kept
	for _, n := range s.Nodes {
		n.Freeze(false)
	}
	if !errors.Is(err, engine.ErrAway) {
		t.Errorf("it ends with %v", err)
	}
}

// TestOwner: all see the same owners, everybody has a part, and who comes or goes moves only its own.
func TestOwner(t *testing.T) {
	if lease.Owner(0, nil) != "" {
		t.Error("nobody owns something")
	}
	members := []string{"worker-1", "worker-2", "worker-3", "worker-4"}
	all := lease.Assign(32, members)
	turned := slices.Clone(members)
	slices.Reverse(turned)
	if !slices.Equal(all, lease.Assign(32, turned)) {
		t.Error("another order gives other owners")
	}
	parts := map[string]int{}
	for _, owner := range all {
		parts[owner]++
	}
	for _, m := range members {
		if parts[m] < 3 || parts[m] > 14 {
			t.Errorf("%s owns %d of 32", m, parts[m])
		}
	}
	without := lease.Assign(32, members[:3])
	for p, owner := range all {
		if owner != "worker-4" && without[p] != owner {
			t.Errorf("partition %d goes from %s to %s although %s left", p, owner, without[p], "worker-4")
		}
	}
	if want := lease.Owner(7, members); want != lease.Owner(7, append([]string{"worker-0x"}, members...)) &&
		lease.Owner(7, append([]string{"worker-0x"}, members...)) != "worker-0x" {
		t.Error(fmt.Sprint("a partition moves between others: ", want))
	}
}
