package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/decision"
)

// suspendedName is the file with what is suspended.
const suspendedName = "suspended.yaml"

// Stop is what a council stops in a hurry.
type Stop struct {
	Decision string
	Reason   decision.Words
	Now      time.Time
}

// Suspend puts the policy in force to the vote again with one more suspension, and writes
// that into the draft as well, so that the next motion does not lift it unseen. Other edits
// of the draft stay. A motion that waits for signatures is left alone: whoever has its text
// may be signing it.
func (d Dir) Suspend(o Stop) (m council.Motion, p *bundle.Policy, drafted string, err error) {
	chain, err := d.Chain()
	if err != nil {
		return m, nil, "", err
	}
	in := Last(InForce(chain, o.Now))
	if in == nil {
		return m, nil, "", d.unvoted(o)
	}
	stopped := o.suspension(in.Policy)
	if p, err = stop(in.Policy, stopped); err != nil {
		return m, nil, "", err
	}
	drafted = filepath.Join(string(d), suspendedName)
	draft, err := draftOf(drafted, stopped)
	if err != nil {
		return m, nil, "", err
	}
	id := fmt.Sprintf("suspend-%s-v%d", o.Decision, in.Version+1)
	if _, err := os.Stat(filepath.Join(d.Motion(id), council.TextName)); err == nil {
		return m, nil, "", fmt.Errorf("motion %s is put to the vote already; to make it anew, take %s away first", id,
			d.Motion(id))
	}
	m, err = d.Create(Order{ID: id, Gateways: in.Gateways, Now: o.Now, Policy: p, AtOnce: true})
	if err != nil {
		return m, nil, "", err
	}
	return m, p, drafted, d.Put(suspendedName, draft)
}

// suspension is what is to be stopped, from today on by the city's time.
func (o Stop) suspension(p *bundle.Policy) decision.Suspension {
	y, month, day := o.Now.In(p.Location).Date()
	return decision.Suspension{Decision: o.Decision, Since: civil.Date{Year: y, Month: int(month), Day: day},
		Reason: o.Reason}
}

// unvoted says what stops a decision where no motion is in force: where the directory runs
// unsigned, the line that motion suspend would put to the vote.
func (d Dir) unvoted(o Stop) error {
	p, err := d.Draft()
	if err != nil {
		return err
	}
	line := decision.Suspension{Decision: o.Decision, Reason: o.Reason} // a clock of its own is the town's
	if p.Suspension(o.Decision) == nil {
		if _, err := stop(p, line); err != nil {
			return err
		}
	}
	draft, err := draftOf(filepath.Join(string(d), suspendedName), line)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(draft)), "\n")
	return fmt.Errorf("no motion is in force, so there is nothing to suspend by a vote: enact a first one, or, where "+
		"the directory runs unsigned as in the demo, write into %s: suspended: [%s]",
		filepath.Join(string(d), suspendedName), strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "- "))
}

// stop is a policy with one more suspension.
func stop(in *bundle.Policy, s decision.Suspension) (*bundle.Policy, error) {
	if in.Decision(s.Decision) == nil {
		var ids []string
		for _, d := range in.Decisions[:min(20, len(in.Decisions))] {
			ids = append(ids, d.Decision)
		}
		return nil, fmt.Errorf("decision %s is not in force; those that are: %s", s.Decision, strings.Join(ids, ", "))
	}
	if in.Suspension(s.Decision) != nil {
		return nil, fmt.Errorf("decision %s is suspended already", s.Decision)
	}
	for _, lang := range slices.Sorted(maps.Keys(s.Reason)) {
		if city := in.Charter.City.Languages; lang != decision.Unsaid && !slices.Contains(city, lang) {
			return nil, fmt.Errorf("a reason is in %s, which is no language of the city: it has %s", lang,
				strings.Join(city, ", "))
		}
		if decision.Fault(s.Reason[lang]) != "" {
			return nil, fmt.Errorf("a reason is one line of words for residents, of at most %d characters",
				decision.MaxWords)
		}
	}
	files := make(bundle.Files)
	maps.Copy(files, in.Files)
	files[suspendedName] = suspended(append(slices.Clone(in.Suspended), s))
	return bundle.Read(files)
}

// draftOf is the draft's list with one more suspension.
func draftOf(file string, s decision.Suspension) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return suspended([]decision.Suspension{s}), nil
	}
	if err != nil {
		return nil, err
	}
	list, err := decision.ParseSuspended(suspendedName, raw)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(other decision.Suspension) bool { return other.Decision == s.Decision })
	return suspended(append(list, s)), nil
}

func suspended(list []decision.Suspension) []byte {
	var b strings.Builder
	b.WriteString("# Decisions that the council has suspended; to lift one, take its line out and put that to the " +
		"vote.\nsuspended:\n")
	for _, s := range list {
		since := ""
		if s.Since != (civil.Date{}) {
			since = ", since: " + s.Since.String()
		}
		fmt.Fprintf(&b, "  - {decision: %q%s, reason: %s}\n", s.Decision, since, flow(s.Reason))
	}
	return []byte(b.String())
}

// flow writes words as YAML on one line, in the form that they have.
func flow(w decision.Words) string {
	if text, one := w[decision.Unsaid]; one && len(w) == 1 {
		return strconv.Quote(text)
	}
	var parts []string
	for _, lang := range slices.Sorted(maps.Keys(w)) {
		parts = append(parts, lang+": "+strconv.Quote(w[lang]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
