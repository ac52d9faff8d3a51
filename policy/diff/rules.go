package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"sluice/internal/locales"
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
		x := Change{About: name, Key: "rules", Mark: Weaker, Ends: true, Old: c.ruleText(name, was, had),
			New: c.ruleText(name, is, has)}
		if isLocal(name) {
			x.Key = "module"
			if !local {
				x.Mark = Stronger
			}
		}
		c.add(x)
	}
}

// firstRules says which rules a first policy brings. Those of this program need no
// word: the format of motions stands for them.
func (c *comparison) firstRules() {
	new, own := c.new.Rules(), digests(c.before.Format)
	brings := slices.ContainsFunc(slices.Collect(maps.Keys(new)), func(name string) bool { return !isLocal(name) })
	for _, name := range slices.Sorted(maps.Keys(new)) {
		switch {
		case isLocal(name):
			c.add(Change{About: name, Key: "module", New: c.ruleText(name, new[name], true)})
		case digest(new[name]) != own[name]:
			c.add(Change{About: name, Key: "foreign", Mark: Weaker, New: c.ruleText(name, new[name], true)})
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

// ownIn are the SHA-256 of the program's rules in earlier formats of motions, where
// they were others: a motion of such a format is compared with those.
var ownIn = map[int]map[string]string{
	4: {
		"rules/charter.rego": "cfc5c703ce2545f8bef0f8cfa7240f47bd0608e19bc2351889b41bef14e71043",
		"rules/lib.rego":     "c92dafca3fd025a153daae9fe0a82f0f511dcf02efad4a3c9a2bdcd2ac038628",
		"rules/plan.rego":    "a725bb02fdd2abc4a18414f8a61ed0b6eb25e9b684dd9021ab9e3100b146a047",
		"rules/release.rego": "c85a4f70de6aa750f333b93f4c25b57698fc3094639688ad5c628bf9227080ba",
	},
	5: {
		"rules/charter.rego": "cfc5c703ce2545f8bef0f8cfa7240f47bd0608e19bc2351889b41bef14e71043",
		"rules/lib.rego":     "c92dafca3fd025a153daae9fe0a82f0f511dcf02efad4a3c9a2bdcd2ac038628",
		"rules/plan.rego":    "a725bb02fdd2abc4a18414f8a61ed0b6eb25e9b684dd9021ab9e3100b146a047",
		"rules/release.rego": "c85a4f70de6aa750f333b93f4c25b57698fc3094639688ad5c628bf9227080ba",
	},
}

// digests are the SHA-256 of the program's own rules in a format of motions.
func digests(format int) map[string]string {
	if old, ok := ownIn[format]; ok {
		return old
	}
	out := make(map[string]string)
	for name, source := range Own() {
		out[name] = digest(source)
	}
	return out
}

func digest(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])
}

// ruleText names a file by its SHA-256, and says whether it is the program's.
func (c *comparison) ruleText(name, source string, there bool) locales.Texts {
	if !there {
		return locales.Texts{}
	}
	named := "sha256:" + digest(source)
	if isLocal(name) {
		return text(named)
	}
	whose := texts("foreign")
	if digests(c.before.Format)[name] == digest(source) {
		whose = texts("ours")
	}
	for l := range whose {
		whose[l] = named + " (" + whose[l] + ")"
	}
	return whose
}

func isLocal(name string) bool { return strings.HasPrefix(name, "local/") }
