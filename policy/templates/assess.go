package templates

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sluice/internal/yamldoc"
)

// assessHead begins a new dpia.yaml.
const assessHead = `# Answers for the impact assessment, which sluice policy dpia reads. The paragraphs are a template's: make them yours.
decisions:
`

// Assess adds the template's paragraphs for a decision to the answers in dpia.yaml, as they stand
// in the file, or to none: what a sign says, why no less would do, and what can go wrong. A
// decision that has answers keeps them.
func (t Template) Assess(raw []byte, id string) ([]byte, error) {
	var b strings.Builder
	for _, part := range []struct {
		key   string
		words map[string]string
	}{{"context", t.Notice}, {"necessity", t.DPIA.Necessity}, {"risks", t.DPIA.Risks}} {
		fmt.Fprintf(&b, "%s:\n", part.key)
		for _, lang := range []string{"ca", "es", "en"} {
			fmt.Fprintf(&b, "  %s: %s\n", lang, strconv.Quote(strings.TrimSpace(part.words[lang])))
		}
	}
	if strings.TrimSpace(string(raw)) == "" {
		entry := "  " + strconv.Quote(id) + ":\n    " + strings.ReplaceAll(strings.TrimSpace(b.String()), "\n",
			"\n    ")
		return []byte(assessHead + entry + "\n"), nil
	}
	out, err := yamldoc.Insert(raw, []string{"decisions"}, strconv.Quote(id), b.String())
	if errors.Is(err, yamldoc.ErrInsert) {
		return raw, nil // people write their own
	}
	return out, err
}
