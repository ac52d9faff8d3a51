package main

import (
	"bytes"
	"cmp"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestTheAuditFinds breaks the product in ways that nobody sees from its numbers and
// expects the audit to fail at the row that is about it, and to pass the product
// with all faults asleep. The false-alarm rate is the audit's own.
func TestTheAuditFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("the audit takes minutes")
	}
	sluice, audit := buildFaulty(t), filepath.Join(t.TempDir(), "audit")
	command(t, ".", "go", "build", "-o", audit, ".") // without -race, whatever this test has
	look := func(c trial) (out []byte, err error) {
		for range 5 { // an address that was free may be somebody else's a moment later
			cmd := exec.Command(audit, "-sluice", sluice, "-quick", "-tells", told.String(), "-only", c.only,
				"-windows", c.windows)
			cmd.Env = append(os.Environ(), faultVariable+"="+c.fault)
			if out, err = cmd.CombinedOutput(); !bytes.Contains(out, []byte("address already in use")) {
				break
			}
		}
		return out, err
	}
	next := make(chan trial, len(trials))
	var all sync.WaitGroup
	run := func(c trial) {
		t.Run(c.name(), func(t *testing.T) {
			out, err := look(c)
			c.judge(t, out, err)
		})
	}
	for _, c := range trials {
		if c.only == "channels" { // they wait for the clock, all together and beside the others
			all.Go(func() { run(c) })
		} else {
			next <- c
		}
	}
	close(next)
	for range 4 { // t.Parallel would begin them in any order, and perhaps the longest last
		all.Go(func() {
			for c := range next {
				run(c)
			}
		})
	}
	all.Wait()
}

// TestNoFault: without a fault every section is run.
func TestNoFault(t *testing.T) {
	var run []string
	for _, c := range trials {
		if c.fault == "" {
			run = append(run, strings.Split(c.only, ",")...)
		}
	}
	for _, s := range sections {
		if !slices.Contains(run, s.name) {
			t.Errorf("section %s is not run without a fault", s.name)
		}
	}
}

// trial is one fault, what of the audit is to find it, in how many windows, and in
// which row.
type trial struct{ fault, only, windows, row string }

// name is that of its test.
func (c trial) name() string { return cmp.Or(c.fault, "no fault in "+c.only) }

// trials begin with those that take longest.
var trials = []trial{
	{"", "light,ways,heavy,homes,silent,forgets,channels", "2", ""},
	{"", "restarts,crashes", "2", ""},
	{"", "forger,collisions", "1", ""},
	{"noise too small by 1.25", "light:one", "50", "epsilon per window"},
	{"an owner's part that others spend", "forger:owned", "2", "owned: epsilon by two of each"},
	{"noise redrawn after a crash", "crashes", "2", "values per number"},
	{"bound reset at restart", "restarts", "1", "epsilon per epoch"},
	{"a mean without noise on its number", "ways:ways", "6", "mean over 6"},
	{"a quantile at half scale", "ways:ways", "4", "median over 60 units"},
	{"a bound one pair too high", "forger:shared", "1", "shared: epsilon by two of each"},
	{"a seq that hides another unit's reading", "collisions", "1", "units alone, where seq collide"},
	{"a seq that hides a unit's second reading", "collisions", "1", "their readings, where seq collide"},
	{"Gaussian noise too small by 1.3", "light:eight", "8", "coverage of n"},
	{"contribution bound ignored", "heavy", "2", "all cells and windows"},
	{"a threshold one unit too low", "light:one", "6", "p(publish | n)"},
	{"status by the exact count", "light:one", "6", "p(publish | n)"},
	{"an interval cut at the threshold", "light:one", "6", "coverage given that it is shown"},
	{"large amounts with too much noise", "ways:large", "3", "coverage of amount"},
	{"a sum that is not clamped", "homes", "3", "epsilon of their sum"},
	{"a home lives by its heartbeat", "homes", "1", "nobody, a heartbeat and too few"},
	{"one key for all epochs", "forgets", "1", "keys of an epoch"},
	{"alive by readings", "silent", "1", "with nobody and with two devices"},
	{"feedback that tells a bounded reading", "channels", "1", "what asks is told"},
	{"metrics that advance at once", "channels", "1", "metrics before and after"},
	{"metrics of the process", "channels", "1", "metrics before and after"},
}

// judge fails where the audit ended otherwise than it should.
func (c trial) judge(t *testing.T, out []byte, err error) {
	if failed := err != nil; failed != (c.row != "") {
		t.Fatalf("the audit ends with %v:\n%s", err, out)
	}
	found := c.row == ""
	for line := range strings.Lines(string(out)) {
		found = found || strings.HasPrefix(line, "FAIL") && strings.Contains(line, c.row)
	}
	if !found {
		t.Errorf("no row about %q failed:\n%s", c.row, out)
	}
}

// TestBounds: Clopper-Pearson bounds are where the binomial tails say, for the smallest
// alpha that a row divides, too; what is never seen in one world and always in the other
// proves most.
func TestBounds(t *testing.T) {
	for _, n := range []int{8, 50, 1000, 20_000} {
		for _, x := range []int{0, 1, 2, 5, 10, 20, n / 4, n / 2, n - 5, n - 1, n} {
			for _, a := range []float64{0.01, alpha, alpha / 320, alpha / 1e4} {
				if x > n {
					continue
				}
				near := func(bound float64, k int) bool { // P(at most k of n) is a
					return k < 0 || k >= n ||
						math.Abs(distuv.Binomial{N: float64(n), P: bound}.CDF(float64(k))/a-1) < 1e-3
				}
				if p := lower(x, n, a); p > float64(x)/float64(n) || !near(1-p, n-x) {
					t.Errorf("the lower bound of %d in %d at %g is %v", x, n, a, p)
				}
				if p := upper(x, n, a); p < float64(x)/float64(n) || !near(p, x) {
					t.Errorf("the upper bound of %d in %d at %g is %v", x, n, a, p)
				}
			}
		}
	}
	never, always := make([]float64, 1000), make([]float64, 1000)
	for i := range never {
		never[i] = math.Inf(-1)
	}
	if e := leastEpsilon(never, always, []float64{-1}, 4); e < 4 {
		t.Errorf("a thousand that are never shown and a thousand that are prove %v", e)
	}
	if e := leastEpsilon(slices.Repeat([]float64{1}, 8), make([]float64, 8), []float64{1}, 1); e != 0 {
		t.Errorf("eight samples prove %v", e)
	}
}
