package mqtt

import (
	"testing"
	"time"
)

// TestDroppedIsKnownOnceSaidToTheEnd: what a broker keeps of its number is of before a connection,
// and so may be what stands when it begins to say it anew.
func TestDroppedIsKnownOnceSaidToTheEnd(t *testing.T) {
	d := dropped{offered: true, since: time.Now()}
	for n, step := range []struct {
		topic, payload string
		retained       bool
		number         int64
		said           int
		known, waits   bool
	}{
		{topicDropped, "7", true, 7, 0, false, true},
		{topicUptime, "20 seconds", true, 7, 0, false, true},
		{topicUptime, "22 seconds", false, 7, 0, false, true}, // 55 is on its way
		{topicDropped, "55", false, 55, 0, false, true},
		{topicUptime, "24 seconds", false, 55, 1, true, false},
		{topicUptime, "24 seconds", true, 55, 1, true, false},
		{topicDropped, "-1", false, 55, 1, true, false},
		{topicDropped, "many", false, 55, 1, true, false},
		{topicUptime, "26 seconds", false, 55, 2, true, false},
	} {
		d.take(step.topic, []byte(step.payload), step.retained)
		if number, said, known, waits := d.status(); number != step.number || said != step.said ||
			known != step.known || waits != step.waits {
			t.Errorf("after message %d: %d, said %d times, known %v, waits %v", n+1, number, said, known, waits)
		}
	}
	d = dropped{offered: true, since: time.Now().Add(-longestWait)}
	if _, _, known, waits := d.status(); known || waits {
		t.Errorf("of one that does not say it: known %v, waits %v", known, waits)
	}
}
