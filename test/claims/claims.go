// Package claims holds what pages say of intervals against what the simulator finds.
//
// A sentence is known by its id: the English text in opendata/i18n, the key in
// policy/explain, the field in opendata/api. Each sentence in which a language has a
// word for an interval, for noise or for the truth says in a table what it claims:
//
//	Nothing   it is about something else, or says that a number may be wrong
//	Counted   the interval holds what was counted, which the noise alone decides
//	Passed    the interval holds what passed, which max_contributions decides, too
//
// A sentence is said of every decision that the charter allows. So one that claims
// Passed stands only where the simulator finds, for each of them, that at least 95 of
// 100 shown intervals hold what passed.
package claims

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/simulate"
)

// Claim is what a sentence says of an interval.
type Claim string

// The claims.
const (
	Nothing Claim = "nothing"
	Counted Claim = "counted"
	Passed  Claim = "passed"
)

// enough is the share of intervals that pages speak of.
const enough = 0.95

// The words of English, Catalan and Spanish, in this order.
var (
	ofIntervals = [3]*regexp.Regexp{
		regexp.MustCompile(`(?i)\b(95|interval|band|noise|what was counted)\b`),
		regexp.MustCompile(`(?i)\b(95|franja|soroll|el que (es va comptar|s['’]ha comptat))\b`),
		regexp.MustCompile(`(?i)\b(95|banda|franja|ruido|lo que se ha contado)\b|lo que se contó`),
	}
	ofTruth = [3]*regexp.Regexp{
		regexp.MustCompile(`(?i)\b(truth|true|truly|real|really|actual|actually|passed|went by)\b`),
		regexp.MustCompile(`(?i)\b(veritat|vertader|vertadera|veritable|real|reals|realment|va passar|passat)\b|debò`),
		regexp.MustCompile(`(?i)\b(verdad|verdadero|verdadera|real|reales|realmente|pasado|pasaron)\b|pasó`),
	}
	quantified = regexp.MustCompile(`\b95\b`)
	ofCounting = [3]*regexp.Regexp{
		regexp.MustCompile(`\bcounted\b`), regexp.MustCompile(`\bcompt(ar|at)\b`),
		regexp.MustCompile(`\bcont(ó|ar|ado)`),
	}
)

// Check holds sentences, by id and in English, Catalan and Spanish (empty where there
// is none), against the table of what they claim and against the simulator. All that
// is wrong is in the error.
func Check(sentences map[string][3]string, table map[string]Claim, least func() (float64, error)) error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for id := range table {
		if _, ok := sentences[id]; !ok {
			say("%q is in the table of claims, and nobody says it", id)
		}
	}
	for id, texts := range sentences {
		claim, known := table[id]
		if !known && speaks(texts) {
			say("%q speaks of intervals, noise or the truth: say in claims_test.go what it claims", id)
		}
		if claim == Nothing && !speaks(texts) {
			say("%q has none of these words: take it out of claims_test.go", id)
		}
		for l, text := range texts {
			truth := ofTruth[l].MatchString(text)
			switch {
			case claim == Nothing && truth && quantified.MatchString(text):
				say("%q speaks of the truth and of 95 of 100: that claims something: %q", id, text)
			case claim == Counted && truth:
				say("%q claims what was counted, and speaks of what passed: %q", id, text)
			case claim == Counted && text != "" && !ofCounting[l].MatchString(text):
				say("%q claims what was counted, and does not say so: %q", id, text)
			}
		}
		if claim != Passed {
			continue
		}
		if share, err := least(); err != nil {
			wrong = append(wrong, err)
		} else if share < enough {
			say("%q claims that intervals hold what passed; the simulator finds that of %.3f under a decision that "+
				"the charter allows", id, share)
		}
	}
	return errors.Join(wrong...)
}

// speaks reports whether a sentence has, in any language, a word that a claim has.
func speaks(texts [3]string) bool {
	for l, text := range texts {
		if ofTruth[l].MatchString(text) || ofIntervals[l].MatchString(text) {
			return true
		}
	}
	return false
}

// Least is the simulator's: over the example's decisions about units, each with every
// max_contributions that the charter allows, the least share of the shown intervals
// that hold what passed.
var Least = sync.OnceValues(func() (float64, error) {
	p, err := bundle.Read(portalba.Policy())
	if err != nil {
		return 0, err
	}
	var shares []float64
	for i := range p.Decisions {
		d := &p.Decisions[i]
		if d.Stream.Unit.None() {
			continue
		}
		list, err := simulate.Outlook(context.Background(), p, d, simulate.City(p, d, 1, 1))
		if err != nil {
			return 0, err
		}
		for _, c := range list {
			shares = append(shares, c.Inside)
		}
	}
	if len(shares) == 0 {
		return 0, errors.New("the example has no decision about units")
	}
	return slices.Min(shares), nil
})
