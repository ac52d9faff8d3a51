// Audit tests the guarantee from outside, as a stranger with money and patience
// would: it runs the real binary, sends it readings over MQTT, reads what the
// open-data server shows, and holds that against what the decisions promise. It
// knows nothing of the source; every formula here is its own.
//
//	go run ./test/audit -sluice bin/sluice            all of it, under a quarter of an hour
//	go run ./test/audit -sluice bin/sluice -quick     fewer windows: some minutes
//
// All decisions have epsilon 1, delta 0.01 and min_units 3, where nothing else is
// said; they run through the same code as any other. Exit code 1 when anything fails.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// What every decision here promises, where nothing else is said.
const (
	epsilon  = 1.0
	delta    = 0.01
	minUnits = 3
)

// alpha is the false-alarm rate of each row of the report that judges chance, over
// everything that the row looks at: one in five thousand. Fifty such rows, and a run
// over a gateway without fault has none of them fail in at least 99 of 100 cases.
const alpha = 0.0002

// report is what one section has to say.
type report struct {
	lines          []string
	chance, failed int
}

// row says what is so or not so without any chance in it.
func (r *report) row(ok bool, what, format string, args ...any) {
	verdict := "ok  "
	if !ok {
		verdict = "FAIL"
		r.failed++
	}
	r.lines = append(r.lines, fmt.Sprintf("%s  %-50s %s", verdict, what, fmt.Sprintf(format, args...)))
}

// judge is a row that chance makes fail with at most alpha.
func (r *report) judge(ok bool, what, format string, args ...any) {
	r.chance++
	r.row(ok, what, format, args...)
}

// section is one part of the audit. A beside one mostly waits, and does so while the
// others run.
type section struct {
	name, title string
	run         func(*report, options) error
	beside      bool
}

var sections = []section{
	{"light", "Light: one unit more in one cell, all other units forged", light, false},
	{"ways", "Other ways: means, medians and large amounts", otherWays, false},
	{"heavy", "Heavy: one unit in hundreds of cells, in every window of its epoch", heavy, false},
	{"forger", "Forger: somebody else sends the unit's identifier elsewhere", forger, false},
	{"collisions", "Collisions: one unit has the seq of everybody else", collisions, false},
	{"homes", "Homes: the sensor is the unit", homes, false},
	{"silent", "Silent: who sends no heartbeat, and who sends nothing else", silent, false},
	{"forgets", "Forgets: keys after their epoch", forgets, false},
	{"restarts", "Restarts: one unit in another cell after each of many crashes within its epoch", restarts, false},
	{"crashes", "Crashes: one number for ever", crashes, false},
	{"channels", "Channels: what sensors are told, and metrics, with a unit and without it", channels, true},
}

type options struct {
	sluice  string
	quick   bool
	windows int
	streams string // those of the section to look at; all when empty
	tells   time.Duration
}

// lasts is how many windows a section lives through.
func (o options) lasts(whole, quick int) int {
	switch {
	case o.windows > 0:
		return o.windows
	case o.quick:
		return quick
	}
	return whole
}

// of are those of a section's streams that are asked for.
func (o options) of(list []decision) []decision {
	return slices.DeleteFunc(slices.Clone(list), func(d decision) bool {
		return o.streams != "" && !slices.Contains(strings.Split(o.streams, "+"), d.id)
	})
}

func main() {
	var o options
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	only := flag.String("only", "",
		"sections to run, by comma, each perhaps with some of its streams, as light:one+eight; of "+
			strings.Join(names, ", "))
	flag.StringVar(&o.sluice, "sluice", "bin/sluice", "the binary to audit")
	flag.BoolVar(&o.quick, "quick", false, "fewer windows")
	flag.IntVar(&o.windows, "windows", 0, "so many windows in each section; 0 for as many as it needs")
	flag.DurationVar(&o.tells, "tells", 5*time.Minute, "how often the gateway tells sensors what it dropped")
	flag.Parse()
	fmt.Println("seed none: the noise is the gateway's own")
	if err := audit(o, *only); err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
}

// asked are the sections of a list such as light:one,heavy, with their options.
func asked(o options, only string) (list []section, with []options, err error) {
	wanted := make(map[string]string)
	for _, word := range strings.Split(only, ",") {
		name, streams, _ := strings.Cut(word, ":")
		if only != "" && !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return nil, nil, fmt.Errorf("there is no section %q", name)
		}
		wanted[name] = streams
	}
	for _, s := range sections {
		if streams, ok := wanted[s.name]; ok || only == "" {
			o.streams = streams
			list, with = append(list, s), append(with, o)
		}
	}
	return list, with, nil
}

// done is how a section ended.
type done struct {
	report
	err  error
	took time.Duration
}

func audit(o options, only string) error {
	list, with, err := asked(o, only)
	if err != nil {
		return err
	}
	begun := time.Now()
	run := func(n int) (d done) {
		at := time.Now()
		d.err = list[n].run(&d.report, with[n])
		d.took = time.Since(at)
		return d
	}
	beside := make([]chan done, len(list))
	for n, s := range list {
		if s.beside {
			beside[n] = make(chan done, 1)
			go func() { beside[n] <- run(n) }()
		}
	}
	failed, chance := 0, 0
	for n, s := range list {
		fmt.Printf("\n%s\n", s.title)
		var d done
		if c := beside[n]; c != nil {
			d = <-c
		} else {
			d = run(n)
		}
		for _, line := range d.lines {
			fmt.Println(line)
		}
		if d.err != nil {
			return fmt.Errorf("%s: %w", s.name, d.err)
		}
		fmt.Printf("      (%.0f s%s)\n", d.took.Seconds(),
			map[bool]string{true: ", most of them beside the others"}[s.beside])
		failed, chance = failed+d.failed, chance+d.chance
	}
	fmt.Printf("\n%.0f s in all. %d rows judge chance; where nothing is wrong, any of them fails with at most %.2g.\n",
		time.Since(begun).Seconds(), chance, alpha*float64(chance))
	if failed > 0 {
		return errors.New("the guarantee does not hold; see FAIL above")
	}
	fmt.Println("Nothing here shows less protection, or less exactness, than is promised.")
	return nil
}
