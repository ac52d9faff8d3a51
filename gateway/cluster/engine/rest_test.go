package engine

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/nats"
)

// TestAtRest: who looks again and again for what is new has the servers make no reader, and sees what one would see.
func TestAtRest(t *testing.T) {
	t.Parallel()
	s := nats.Start(t)
	conn, err := Dial(t.Context(), Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data, Patience: time.Minute})
	harness.NoError(t, err)
	defer conn.Close()
	made, err := conn.nc.SubscribeSync("$JS.API.CONSUMER.CREATE.>")
	harness.NoError(t, err)
	readers := func() int { // that were asked for
		t.Helper()
		harness.NoError(t, conn.nc.Flush())
		n, _, err := made.Pending()
		harness.NoError(t, err)
		return n
	}

	l, err := conn.Open(t.Context(), Spec{Name: "BOOKS", Subjects: []string{"books.*"}, Replicas: 3})
	harness.NoError(t, err)
	seqs := []uint64{0}
	for i := 1; i <= 30; i++ {
		seq, err := l.Append(t.Context(), "books.a", seqs[i-1], fmt.Sprint(i), fmt.Append(nil, "entry ", i))
		harness.NoError(t, err)
		seqs = append(seqs, seq)
		if i == 10 || i == 25 { // others write between
			_, err = l.Append(t.Context(), fmt.Sprint("books.", i), 0, "other", nil)
			harness.NoError(t, err)
		}
	}
	look := func(from int) {
		t.Helper()
		var got, want []string
		for e, err := range l.Entries(t.Context(), "books.a", seqs[from]) {
			harness.NoError(t, err)
			got = append(got, fmt.Sprint(e.Seq, e.Subject, e.ID, string(e.Body)))
		}
		for i := max(from, 1); i < len(seqs); i++ {
			want = append(want, fmt.Sprint(seqs[i], "books.a", i, "entry ", i))
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %d on there are %q; want %q", from, got, want)
		}
	}
	for from := 20; from <= 30; from++ {
		look(from)
	}
	if n := readers(); n != 0 {
		t.Errorf("for a few entries there are %d readers", n)
	}
	if look(0); readers() == 0 {
		t.Error("for many entries there is no reader, or none is seen")
	}

	b, err := conn.Bucket(t.Context(), "leases", time.Hour, 3)
	harness.NoError(t, err)
	all, err := b.All(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("a new bucket has %q: %v", all, err)
	}
	for _, key := range []string{"only.one", "member.a", "member.b"} {
		revision, err := b.Create(t.Context(), key, []byte("of "+key))
		harness.NoError(t, err)
		if key == "member.b" {
			harness.NoError(t, b.Delete(t.Context(), key, revision))
		}
	}
	want := map[string][]byte{"only.one": []byte("of only.one"), "member.a": []byte("of member.a")}
	same := func(a, b []byte) bool { return string(a) == string(b) }
	harness.Await(t, time.Minute, "the server that is asked to have heard of all", func() bool {
		all, err = b.glance(t.Context())
		return err == nil && maps.EqualFunc(all, want, same)
	})
	before := readers()
	if all, err = b.All(t.Context()); err != nil || !maps.EqualFunc(all, want, same) {
		t.Errorf("the bucket has %q: %v", all, err)
	}
	if n := readers(); n != before {
		t.Errorf("for keys there are %d readers more", n-before)
	}
	if all, err = b.watched(t.Context()); err != nil || !maps.EqualFunc(all, want, same) {
		t.Errorf("a reader sees %q: %v", all, err)
	}
}
