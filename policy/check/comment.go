package check

import (
	"strings"

	"sluice/internal/yamldoc"

	"sluice/internal/pattern"
)

// numbered is what is cut off from "Llei 3 #4": a comment that begins with a number, without the
// blank that comments have.
var numbered = pattern.New(`^\s+(#\d.*)$`)

// commented warns of texts for people that YAML ends at a number sign.
func (c *checker) commented(file string, tree *yamldoc.Tree) {
	lines := strings.Split(string(c.files[file]), "\n")
	for _, s := range tree.Strings() {
		at := tree.At(strings.Split(s.Place, "/"), false)
		if !prose.MatchString(s.Place) || at.Line < 1 || at.Line > len(lines) {
			continue
		}
		line := []rune(strings.TrimRight(lines[at.Line-1], "\r"))
		rest, plain := strings.CutPrefix(string(line[min(len(line), at.Column-1):]), s.Text)
		if m := numbered.FindStringSubmatch(rest); plain && s.Text != "" && m != nil {
			c.at(file, "W45", s.Place, strings.TrimSpace(m[1]), s.Text+" "+strings.TrimSpace(m[1]))
		}
	}
}
