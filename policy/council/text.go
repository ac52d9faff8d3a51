package council

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/locales"
	"sluice/policy/bundle"
	"sluice/policy/diff"
	"sluice/policy/explain"

	"sluice/internal/pattern"
)

// Format is of the texts of motions. It grows whenever the text of the same bundle
// would become another, and whenever this program's own rules change: a text does
// not list them, so the number stands for them.
const Format = 7

// pagesSince is the first format that begins with a page for people, and has the head
// at its end.
const pagesSince = 5

const prefix = "Sluice motion, format "

// MaxWithin is the longest time after a motion may take effect in which gateways
// still take it.
const MaxWithin = 60 * 24 * time.Hour

// check refuses a head that gives the motion a longer life than it may have.
func (m *Motion) check() error {
	if m.Expires.After(m.NotBefore.Add(MaxWithin)) {
		return refuse(Expired,
			"the motion may be enacted until %s, which is more than %d days after it can take effect; create it anew",
			m.Expires.Format(time.RFC3339), int(MaxWithin/(24*time.Hour)))
	}
	return nil
}

var (
	idPattern  = pattern.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	hexPattern = pattern.New(`^[0-9a-f]{64}$`)
	// cityPattern is that of the charter's city.id.
	cityPattern = pattern.New(`^[a-z0-9][a-z0-9_-]{0,62}$`)
)

// maxGateways bounds the names of gateways in a motion.
const maxGateways = 100

// GoodGateways reports whether a motion may be for gateways of these names: each
// once.
func GoodGateways(names []string) bool {
	seen := make(map[string]bool)
	for _, name := range names {
		if !idPattern.MatchString(name) || seen[name] {
			return false
		}
		seen[name] = true
	}
	return len(names) <= maxGateways
}

// GoodID reports whether a motion may be called so.
func GoodID(id string) bool { return idPattern.MatchString(id) && !strings.HasSuffix(id, ".") }

// Sum is the SHA-256 in hex.
func Sum(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func (m *Motion) head(v vote) string {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%s: %s\n", key, explain.Plain(value)) }
	previous, gateways := "none", "all"
	if m.Previous != "" {
		previous = "sha256:" + m.Previous
	}
	if len(m.Gateways) > 0 {
		gateways = strings.Join(m.Gateways, ", ")
	}
	line("City", m.City)
	line("Motion", m.ID)
	line("Version", strconv.Itoa(m.Version))
	line("Previous motion", previous)
	line("Bundle", "sha256:"+m.Bundle)
	line("Voting roster", "sha256:"+m.Roster)
	line("Gateways", gateways)
	line("Created", m.Created.UTC().Format(time.RFC3339))
	line("In force from", m.NotBefore.UTC().Format(time.RFC3339))
	line("To be enacted by", m.Expires.UTC().Format(time.RFC3339))
	line("Quorum", fmt.Sprintf("%d of %d members (%s)", v.needed, v.members, v.quorums()))
	return b.String()
}

func (v vote) quorums() string {
	names := make([]string, len(v.needs))
	for i, q := range v.needs {
		names[i] = string(q)
	}
	return strings.Join(names, ", ")
}

// ParseMotion reads the head of a motion.txt. It does not say whether the rest is
// right; Text rebuilds it.
func ParseMotion(text []byte) (Motion, error) {
	var m Motion
	line, rest, found := bytes.Cut(text, []byte("\n\n"))
	if bytes.HasPrefix(text, []byte(prefix)) && bytes.Contains(text, []byte("\r\n")) {
		return m,
			errors.New(
				"motion.txt has the line ends of another system (CR LF); take the text as sluice motion create " +
					"wrote it")
	}
	if m.Format = known(string(line)); !found || m.Format == 0 {
		return m, fmt.Errorf("motion.txt does not begin with %q", prefix+strconv.Itoa(Format))
	}
	block, _, _ := bytes.Cut(rest, []byte("\n\n"))
	if m.Format >= pagesSince {
		block = bytes.TrimSuffix(text[bytes.LastIndex(text, []byte("\n\n"))+2:], []byte("\n"))
	}
	lines := strings.Split(string(block), "\n")
	keys := []string{"City", "Motion", "Version", "Previous motion", "Bundle", "Voting roster", "Gateways", "Created",
		"In force from", "To be enacted by", "Quorum"}
	if len(lines) != len(keys) {
		return m, fmt.Errorf("motion.txt: the head needs the lines %s", strings.Join(keys, ", "))
	}
	for i, key := range keys {
		value, ok := strings.CutPrefix(lines[i], key+": ")
		if !ok || !m.set(key, value) {
			return m, fmt.Errorf("motion.txt: the line %q of the head cannot be read", key)
		}
	}
	return m, nil
}

// known is the format that a first line names: this one or an earlier one; 0 for any
// other line. Motions of earlier formats are in force.
func known(line string) int {
	n, ok := strings.CutPrefix(line, prefix)
	format, err := strconv.Atoi(n)
	if !ok || err != nil || format < 1 || format > Format || strconv.Itoa(format) != n {
		return 0
	}
	return format
}

func (m *Motion) set(key, value string) (ok bool) {
	switch key {
	case "City":
		m.City = value
		return cityPattern.MatchString(value)
	case "Motion":
		m.ID = value
		return GoodID(value)
	case "Version":
		var err error
		m.Version, err = strconv.Atoi(value)
		return err == nil && m.Version > 0 && strconv.Itoa(m.Version) == value
	case "Previous motion":
		return value == "none" || digest(value, &m.Previous)
	case "Bundle":
		return digest(value, &m.Bundle)
	case "Voting roster":
		return digest(value, &m.Roster)
	case "Gateways":
		if value != "all" {
			m.Gateways = strings.Split(value, ", ")
		}
		return GoodGateways(m.Gateways)
	case "Created":
		return instant(value, &m.Created)
	case "In force from":
		return instant(value, &m.NotBefore)
	case "To be enacted by":
		return instant(value, &m.Expires)
	}
	return true // the quorum is computed
}

func digest(value string, into *string) bool {
	sum, ok := strings.CutPrefix(value, "sha256:")
	*into = sum
	return ok && hexPattern.MatchString(sum)
}

func instant(value string, into *time.Time) bool {
	t, err := time.Parse(time.RFC3339, value)
	*into = t.UTC()
	return err == nil && into.Format(time.RFC3339) == value
}

// say is a sentence of council.yaml, with its parts in place.
func say(l explain.Lang, key string, parts ...any) string {
	return locales.In(int(l)).Say("council."+key, parts...)
}

// Changes are what the motion changes for residents: from the policy that the
// motion before it left, and for which gateways. There is none before the first.
func (m *Motion) Changes(prev *Enacted, next *bundle.Policy) []diff.Change {
	before := prev.after()
	before.Format = m.Format
	changes := diff.Compare(before, next)
	if prev != nil {
		changes = diff.Sorted(append(changes, diff.Gateways(prev.Gateways, m.Gateways)...))
	}
	return changes
}

// after is what the motion after e is compared with.
func (e *Enacted) after() diff.Before {
	if e == nil {
		return diff.Before{}
	}
	before := e.After
	before.Policy = e.Policy
	return before
}

// notBefore is the later of an instant and of when e takes effect.
func (e *Enacted) notBefore(t time.Time) time.Time {
	if e != nil && e.From.After(t) {
		return e.From
	}
	return t
}

// compare fills what follows from the motion before.
func (e *Enacted) compare(prev *Enacted) {
	e.Changes = e.Motion.Changes(prev, e.Policy)
	e.After = prev.after().Then(e.Policy, e.Changes)
	e.From = prev.notBefore(e.NotBefore)
}

// Text is motion.txt: the same head, bundle and predecessors give the same bytes, in
// the motion's format. The previous motion is nil for the first.
func (m *Motion) Text(prev *Enacted, next *bundle.Policy) ([]byte, error) {
	v := m.vote(prev, next)
	if m.format() < pagesSince {
		return m.text4(v)
	}
	return m.paged(v)
}

// Page is the page for people in a language, as the text has it since format 5: sections, each
// title underlined with hyphens. It says the same of a motion of before.
func (m *Motion) Page(l explain.Lang, prev *Enacted, next *bundle.Policy) string {
	var b strings.Builder
	m.page(&b, l, m.vote(prev, next))
	return b.String()
}

// Summary is Page without how to sign.
func (m *Motion) Summary(l explain.Lang, prev *Enacted, next *bundle.Policy) string {
	var b strings.Builder
	m.summary(&b, l, m.vote(prev, next))
	return b.String()
}

// vote is what follows from the motions before, and from the bundle.
func (m *Motion) vote(prev *Enacted, next *bundle.Policy) vote {
	changes := m.Changes(prev, next)
	before := prev.after().Policy
	needed, needs := Quorum(before, next, changes)
	roster := next.Council
	if before != nil {
		roster = before.Council
	}
	return vote{before, next, changes, needed, len(roster.Members), needs, prev.notBefore(m.NotBefore)}
}

// vote is what a motion's text says, beside its head.
type vote struct {
	before, next    *bundle.Policy // before is nil for the first
	changes         []diff.Change
	needed, members int
	needs           []diff.Quorum
	from            time.Time // when it takes effect if it is enacted by then
}

func (m *Motion) format() int {
	if m.Format == 0 {
		return Format
	}
	return m.Format
}

func underlined(title, with string) string {
	return title + "\n" + strings.Repeat(with, len([]rune(title))) + "\n"
}

// languages are those of the city that there are texts in; English if none is.
func languages(p *bundle.Policy) []explain.Lang {
	var out []explain.Lang
	for _, lang := range p.Charter.City.Languages {
		if i := slices.Index(explain.Languages, lang); i >= 0 && !slices.Contains(out, explain.Lang(i)) {
			out = append(out, explain.Lang(i))
		}
	}
	if len(out) == 0 {
		return []explain.Lang{0}
	}
	return out
}
