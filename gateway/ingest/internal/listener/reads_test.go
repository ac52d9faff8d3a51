package listener

import "testing"

// TestWhoReadsWhat: a sensor reads its own feedback, an owner that of its sensors, one by one or all at once.
func TestWhoReadsWhat(t *testing.T) {
	for _, c := range []struct {
		feedback, topic string
		may             bool
	}{
		{"city/v1/a/one/feedback", "city/v1/a/one/feedback", true},
		{"city/v1/a/one/feedback", "city/v1/a/two/feedback", false},
		{"city/v1/a/one/feedback", "city/v1/a/+/feedback", false},
		{"city/v1/a/+/feedback", "city/v1/a/one/feedback", true},
		{"city/v1/a/+/feedback", "city/v1/a/+/feedback", true},
		{"city/v1/a/+/feedback", "city/v1/b/one/feedback", false},
		{"city/v1/a/+/feedback", "city/v1/+/one/feedback", false},
		{"city/v1/a/+/feedback", "city/v1/a/#", false},
		{"city/v1/a/+/feedback", "city/v1/a/one/up", false},
		{"city/v1/a/+/feedback", "city/v1/a/one/x/feedback", false},
		{"city/v1/a/+/feedback", "city/v1/a/#/feedback", false},
		{"city/v1/a/+/feedback", "city/v1/a//feedback", false},
		{"", "", false},
	} {
		if got := newUser("u", c.feedback).reads(c.topic); got != c.may {
			t.Errorf("%s reads %s: %v", c.feedback, c.topic, got)
		}
	}
}
