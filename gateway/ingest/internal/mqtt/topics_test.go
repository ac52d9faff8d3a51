package mqtt

import (
	"fmt"
	"strings"
	"testing"
)

// TestSubscriptionsArePacked: however many topics there are, each is subscribed to
// once, in packets that a broker takes.
func TestSubscriptionsArePacked(t *testing.T) {
	var topics []string
	for n := range 20_000 {
		// at first many, and then long
		topics = append(topics, fmt.Sprintf("vendor/%d/%s", n, strings.Repeat("x", max(0, n-15_000)%1000)))
	}
	seen := map[string]bool{}
	for _, filters := range packed(topics) {
		bytes := 0
		for f, qos := range filters {
			if bytes += len(f) + 3; seen[f] || qos != 1 {
				t.Fatalf("%s is there twice, or not at QoS 1", f)
			}
			seen[f] = true
		}
		if len(filters) > 500 || bytes > 40<<10 {
			t.Errorf("%d filters of %d bytes in one packet", len(filters), bytes)
		}
	}
	if len(seen) != len(topics) {
		t.Errorf("%d of %d topics", len(seen), len(topics))
	}
}
