package check

import (
	"strings"

	"sluice/internal/locales"
	"sluice/policy/explain"
)

// sorts are types as JSON schemas name them, of which one is wanted.
type sorts []string

func (s sorts) in(l explain.Lang) string {
	say := locales.In(int(l))
	out := make([]string, len(s))
	for i, name := range s {
		out[i], _ = say.Text("check.sort." + name)
	}
	return strings.Join(out, " "+say.Say("check.sort.or")+" ")
}
