package admin

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestMetricsAreDocumented: docs/operations.md has a row for each metric with its
// labels, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(raw), "| metric | labels |")
	if !ok {
		t.Fatal("docs/operations.md has no table of metrics")
	}
	table, _, _ = strings.Cut(table, "\n- ")
	told := map[string][]string{}
	code := regexp.MustCompile("`([a-z_]+)`")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.Contains(cells[1], "sluice_") {
			continue
		}
		var labels []string
		for _, m := range code.FindAllStringSubmatch(cells[2], -1) {
			labels = append(labels, m[1])
		}
		for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
			told[m[1]] = labels
		}
	}
	ch := make(chan *prometheus.Desc, 100)
	newMetrics(&Sources{}).Describe(ch)
	close(ch)
	for d := range ch {
		m := regexp.MustCompile(`fqName: "([a-z_]+)".*variableLabels: \{([a-z,]*)\}`).FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("%s is not understood", d)
		}
		labels, ok := told[m[1]]
		if want := strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' }); !ok || !slices.Equal(labels, want) {
			t.Errorf("%s has the labels %v; docs/operations.md says %v (%v)", m[1], want, labels, ok)
		}
		delete(told, m[1])
	}
	for name := range told {
		t.Errorf("docs/operations.md has %s, which is not there", name)
	}
}
