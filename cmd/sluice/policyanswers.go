package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sluice/policy/dpia"
)

// readAnswers reads dpia.yaml of a policy directory; none is no answers.
func readAnswers(dir string) (*dpia.Answers, error) {
	name := filepath.Join(dir, dpia.AnswersName)
	raw, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return dpia.ParseAnswers(name, raw)
}
