package policy

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestSwapUnderLoad changes the policy again and again while 10,000 readings a
// second come, over the border of two windows: none is lost, refused or counted
// twice, and no window has two policies.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	const each, messages = 500, 160 // 80,000 readings in eight seconds
	edited := make(chan int)
	stop := make(chan struct{})
	go func() {
		path := filepath.Join(c.Dir, "policy/decisions/gates.yaml")
		text, n := harness.Read(t, path), 0
		for {
			select {
			case <-stop:
				edited <- n
				return
			case <-time.After(700 * time.Millisecond):
				n++
				harness.Write(t, path, text+fmt.Sprintf("# edit %d\n", n)) // another digest, the same words
			}
		}
	}()
	seq, start := 0, time.Now()
	for m := range messages {
		at := harness.Ten.Add(time.Minute)
		if m >= messages/2 {
			at = harness.Ten.Add(time.Hour + time.Minute)
		}
		if m == messages/2 {
			c.Tick(harness.Ten.Add(time.Hour + 30*time.Second))
		}
		if m < messages/2 && m == 1 {
			c.Tick(harness.Ten.Add(30 * time.Second))
		}
		if m == messages-1 { // the edits are as many as the machine has time for
			harness.Await(t, 20*time.Second, "several versions", func() bool {
				return c.Metric("sluice_policy_version") >= 4
			})
		}
		var b strings.Builder
		b.WriteByte('[')
		for n := range each {
			if n > 0 {
				b.WriteByte(',')
			}
			seq++
			fmt.Fprintf(&b, `{"ts":%q,"seq":%d,"fields":{"passed":1}}`, at.Format(time.RFC3339), seq)
		}
		b.WriteByte(']')
		c.Link.Publish("city/v1/acme/gate-1/up", []byte(b.String()), false)
		if due := start.Add(time.Duration(m) * 50 * time.Millisecond); time.Now().Before(due) {
			time.Sleep(time.Until(due))
		}
	}
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	close(stop)
	n := <-edited
	versions := c.Metric("sluice_policy_version")
	if versions < 4 {
		t.Errorf("%v versions of %d edits were in force; want several", versions, n)
	}
	c.Tick(harness.Ten.Add(3 * time.Hour))
	total := 0.0
	harness.Await(t, 20*time.Second, "both windows", func() bool {
		total = 0
		// a window has a row for each measure, and the store takes one window after the other
		windows := map[time.Time]bool{}
		for _, i := range c.Items("gates", harness.Ten, harness.Ten.Add(2*time.Hour)) {
			if i.Value != nil && i.Measure == "passed" {
				total += *i.Value
				windows[i.Start] = true
			}
		}
		return len(windows) == 2
	})
	if total != each*messages {
		t.Errorf("%v of %d readings were counted over %v versions", total, each*messages, versions)
	}
	t.Logf("%d readings in %v, %v versions", each*messages, took.Round(time.Millisecond), versions)
}
