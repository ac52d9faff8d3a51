package keys

import (
	"bytes"
	"testing"
)

// FuzzQuestion: whatever somebody asks, answering ends, and only a member is answered.
func FuzzQuestion(f *testing.F) {
	c := newCity(f, "f:front", "w:worker")
	front := c.ring("f", nil)
	front.tend(f.Context())
	good, _, err := ask(c.me["w"], dayOf(today), []string{"seal-0"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}\n"))
	// What a member may sign: the rest of the way is behind the signature.
	for _, text := range []string{
		`{"epoch":"20784","want":["seal-0"],"key":""}`, `{"epoch":"1","want":null,"key":"AAAA"}`,
	} {
		signed, err := c.me["w"].Sign(questionSpace, []byte(text))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(signed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got := front.answer(raw); got != nil && !bytes.Equal(raw, good) {
			t.Errorf("%q is answered", raw)
		}
	})
}

// FuzzMember: whatever a member signs, answering it ends.
func FuzzMember(f *testing.F) {
	c := newCity(f, "f:front", "w:worker")
	front := c.ring("f", nil)
	front.tend(f.Context())
	f.Add([]byte(`{"epoch":"20784","want":["seal-0"],"key":"AAAA"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for space, use := range map[string]func([]byte){
			questionSpace: func(signed []byte) { front.answer(signed) },
			commitmentSpace: func(signed []byte) {
				if is, err := readCommitment(c.roster, dayOf(today), signed); err == nil {
					t.Errorf("a worker commits: %+v", is)
				}
			},
			ReceiptSpace: func(signed []byte) {
				if is, err := ReadReceipt(c.roster, signed); err == nil && is.Member != "w" {
					t.Errorf("it signs for %q", is.Member)
				}
			},
		} {
			if signed, err := c.me["w"].Sign(space, raw); err == nil {
				use(signed)
			}
		}
	})
}

// FuzzAnswer: whatever is in an answer, its keys are those of the commitment.
func FuzzAnswer(f *testing.F) {
	b, err := draw(dayOf(today), partitions)
	if err != nil {
		f.Fatal(err)
	}
	all := digestsOf(b, dayOf(today), partitions)
	names := dayOf(today).uses(partitions)
	f.Add(write(all, b, names))
	f.Add(write(all, bunch{"seal-1": b["seal-1"]}, names))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, plain []byte) {
		list, got, err := parse(bytes.Clone(plain), names, all.sum())
		if err != nil {
			return
		}
		if !bytes.Equal(write(list, got, names), plain) {
			t.Error("it is written in another way")
		}
		for use, k := range got {
			if *k != *b[use] {
				t.Errorf("another key for %s", use)
			}
		}
	})
}

// FuzzSpan: an epoch's name is written in one way.
func FuzzSpan(f *testing.F) {
	for _, name := range []string{"20784", "tag-1795780800-3600", "tag-1-0", "-1", "020784", "tag-1-1-1", "tag--1-1"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if at, ok := parseSpan(name); ok && (at.String() != name || at.length < 1 || at.end().Year() > 10_000) {
			t.Errorf("%q is %q", name, at)
		}
	})
}
