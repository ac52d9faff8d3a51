// Audit tests the guarantee from outside, as a stranger with money and patience
// would: it runs the real binary, sends it readings over MQTT, reads what the
// open-data server shows, and holds that against what the decisions promise. It
// knows nothing of the source; every formula here is its own.
//
//	go run ./test/audit -sluice bin/sluice            all of it, a quarter of an hour
//	go run ./test/audit -sluice bin/sluice -quick     fewer windows: a minute or two
//
// All decisions have epsilon 1, delta 0.01 and min_units 3; they run through the
// same code as any other. Exit code 1 when anything fails.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// What every decision here promises.
const (
	epsilon  = 1.0
	delta    = 0.01
	minUnits = 3
)

// alpha is the false-alarm rate of each row of the report: one in a thousand,
// over everything that the row looks at.
const alpha = 0.001

// report collects rows; a row that fails makes the whole fail.
type report struct{ failed int }

func (r *report) row(ok bool, what, format string, args ...any) {
	verdict := "ok  "
	if !ok {
		verdict = "FAIL"
		r.failed++
	}
	fmt.Printf("%s  %-46s %s\n", verdict, what, fmt.Sprintf(format, args...))
}

var sections = []struct {
	name string
	run  func(*report, options) error
}{{"light", light}, {"ways", otherWays}, {"heavy", heavy}, {"restarts", restarts}, {"crashes", crashes}}

type options struct {
	sluice string
	quick  bool
}

func main() {
	var o options
	only := flag.String("only", "", "sections to run, by comma: light, ways, heavy, restarts, crashes")
	flag.StringVar(&o.sluice, "sluice", "bin/sluice", "the binary to audit")
	flag.BoolVar(&o.quick, "quick", false, "fewer windows")
	flag.Parse()
	fmt.Println("seed none: the noise is the gateway's own")
	if err := audit(o, *only); err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
}

func audit(o options, only string) error {
	var r report
	begun := time.Now()
	for _, s := range sections {
		if only != "" && !strings.Contains(","+only+",", ","+s.name+",") {
			continue
		}
		at := time.Now()
		fmt.Printf("\n%s\n", titles[s.name])
		if err := s.run(&r, o); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("      (%.0f s)\n", time.Since(at).Seconds())
	}
	fmt.Printf("\n%.0f s in all.\n", time.Since(begun).Seconds())
	if r.failed > 0 {
		return errors.New("the guarantee does not hold; see FAIL above")
	}
	fmt.Println("Nothing here shows less protection, or less exactness, than is promised.")
	return nil
}

var titles = map[string]string{
	"light":    "Light: one unit more in one cell, all other units forged",
	"ways":     "Other ways: means, medians, large amounts, and what is forgotten",
	"heavy":    "Heavy: one unit in a thousand cells, in every window of its epoch",
	"restarts": "Restarts: one unit in another cell after each of many crashes within its epoch",
	"crashes":  "Crashes: one number for ever",
}
