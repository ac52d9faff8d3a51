package intake

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAMessageSaysNothing(t *testing.T) {
	m := Message{Topic: "city/v1/o/02:00:5e:00:00:01/up", Payload: []byte("02:00:5e:00:00:02")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		for _, v := range []any{m, &m, []Message{m}} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "5e") || strings.Contains(text, "3032") {
				t.Errorf("%s says %s", verb, text)
			}
		}
	}
}

// TestTheQueueIsBounded: what is taken and not done counts too.
func TestTheQueueIsBounded(t *testing.T) {
	q := New()
	big := Message{Payload: make([]byte, 1<<20)}
	taken := []Message{}
	for range 63 {
		q.Put(context.Background(), big)
		taken = append(taken, <-q.Take())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if q.Put(ctx, big) {
		t.Fatal("more than 64 MiB wait for acknowledgement")
	}
	q.Done(taken[:1])
	if !q.Put(context.Background(), big) {
		t.Error("there is room again, and it is not given")
	}
}

// TestASenderHasAShare: one that fills its own waits, and others do not.
func TestASenderHasAShare(t *testing.T) {
	q, one, other := New(), NewShare(), NewShare()
	small := Message{Payload: make([]byte, 250)}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	for full := false; !full; {
		ctx, stop := context.WithTimeout(ctx, 20*time.Millisecond)
		if full = !q.PutFrom(ctx, one, small); !full {
			n++
		}
		stop()
	}
	cancel()
	if n < 1000 || n > queued/4 {
		t.Errorf("one sender may have %d messages waiting", n)
	}
	if !q.PutFrom(context.Background(), other, small) {
		t.Error("another sender waits for it")
	}
	taken := []Message{<-q.Take()}
	q.Done(taken)
	if !q.PutFrom(context.Background(), one, small) {
		t.Error("its share has room again, and it waits")
	}
	huge := Message{Payload: make([]byte, 2*shareBytes)}
	if !q.PutFrom(context.Background(), NewShare(), huge) {
		t.Error("a message larger than a share never gets in")
	}
}
