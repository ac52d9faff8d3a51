package member

import (
	"strings"
	"testing"
	"time"
)

// TestEnding: a server's certificate is seen from here, and named two weeks before it ends.
func TestEnding(t *testing.T) {
	for days, said := range map[int]bool{0: true, 13: true, 15: false} {
		end := time.Now().AddDate(0, 0, days)
		f := ending("a:1", end)
		if (len(f) == 1) != said || said && !strings.Contains(f[0].What, end.Format(time.DateOnly)) {
			t.Errorf("%d days before its end: %+v", days, f)
		}
	}
	if f := ending("a:1", time.Time{}); f != nil {
		t.Errorf("nobody knows when: %+v", f)
	}
}
