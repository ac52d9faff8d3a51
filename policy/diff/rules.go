package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"sluice/policy/explain"
	"sluice/policy/rules"
)

// rules compares rules and modules as text: what they do cannot be told from how
// they look, so a change is weaker, and may end anything. Only modules where there
// were none must protect more: they can do nothing but deny, which they can do to
// everything.
func (c *comparison) rules() {
	old, new := c.old.Rules(), c.new.Rules()
	local := slices.ContainsFunc(slices.Collect(maps.Keys(old)), isLocal)
	names := slices.AppendSeq(slices.Collect(maps.Keys(old)), maps.Keys(new))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		was, had := old[name]
		is, has := new[name]
		if had == has && was == is {
			continue
		}
		x := Change{About: name, Key: "rules", Mark: Weaker, Ends: true, Old: ruleText(name, was, had), New: ruleText(name, is, has)}
		if isLocal(name) {
			x.Key = "module"
			if !local {
				x.Mark = Stronger
			}
		}
		c.add(x)
	}
}

// foundedRules says which rules a first policy brings. Those of this program need no
// word: the format of motions stands for them.
func (c *comparison) foundedRules() {
	new, own := c.new.Rules(), Own()
	brings := slices.ContainsFunc(slices.Collect(maps.Keys(new)), func(name string) bool { return !isLocal(name) })
	for _, name := range slices.Sorted(maps.Keys(new)) {
		switch {
		case isLocal(name):
			c.add(Change{About: name, Key: "module", New: ruleText(name, new[name], true)})
		case new[name] != own[name]:
			c.add(Change{About: name, Key: "foreign", Mark: Weaker, New: ruleText(name, new[name], true)})
		}
	}
	if !brings {
		c.add(Change{About: "rules/", Key: "unbound", Mark: Weaker})
		return
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if _, has := new[name]; !has {
			c.add(Change{About: name, Key: "absent", Mark: Weaker})
		}
	}
}

// Own are this program's rules by file name, without their tests.
func Own() map[string]string {
	out := make(map[string]string)
	names, _ := fs.Glob(rules.FS, "*.rego") // the pattern is right
	for _, name := range names {
		if raw, err := rules.FS.ReadFile(name); err == nil && !strings.HasSuffix(name, "_test.rego") {
			out["rules/"+name] = string(raw)
		}
	}
	return out
}

// ruleText names a file by its SHA-256, and says whether it is this program's.
func ruleText(name, source string, there bool) [3]string {
	if !there {
		return [3]string{}
	}
	sum := sha256.Sum256([]byte(source))
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if isLocal(name) {
		return text(digest)
	}
	whose := notOurs
	if Own()[name] == source {
		whose = ours
	}
	var out [3]string
	for l := range explain.Languages {
		out[l] = digest + " (" + whose[l] + ")"
	}
	return out
}

var (
	ours    = [3]string{"the program's own", "la del programa", "la del programa"}
	notOurs = [3]string{"not the program's own", "no és la del programa", "no es la del programa"}
)

func isLocal(name string) bool { return strings.HasPrefix(name, "local/") }
