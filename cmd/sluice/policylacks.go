package main

import (
	"errors"
	"strings"

	"sluice/simulate"
)

// lacksError is why a decision cannot be simulated, in the language of its sentences.
func lacksError(v locale, err error) error {
	var l *simulate.Lacks
	if !errors.As(err, &l) {
		return err
	}
	return errors.New(v.Say("decision %s cannot be simulated: %s", l.Decision, strings.Join(l.Sentences, "; ")))
}
