// Package workspace is the clerk's working directory: a policy that people edit, and
// beside it the motions that were put to the vote.
//
//	DIR/council.yaml charter.yaml ...   the draft
//	DIR/motions/ID/motion.txt           what members sign
//	DIR/motions/ID/bundle.tar.gz allowed_signers ballots/*.sig
//	DIR/motions/ID/ID.sluice            once it is enacted: what gateways take
//
// What is in force is the enacted motion with the greatest version; each follows
// the one before.
package workspace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/policy/ballot"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/decision"
	"sluice/policy/rego"
)

// Dir is a directory.
type Dir string

// Motions is where motions are.
func (d Dir) Motions() string { return filepath.Join(string(d), "motions") }

// Motion is the directory of one motion.
func (d Dir) Motion(id string) string { return filepath.Join(d.Motions(), id) }

// Draft reads what people edit, with the rules of this program where the
// directory has none of its own.
func (d Dir) Draft() (*bundle.Policy, error) {
	files, err := compile.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	if files, err = rego.WithRules(files); err != nil {
		return nil, err
	}
	return bundle.Read(files)
}

// Within is how long after it may take effect gateways still take a motion.
const Within = council.MaxWithin

// Order is what a new motion is to be.
type Order struct {
	ID       string
	Gateways []string
	Now      time.Time
	Policy   *bundle.Policy
	// AtOnce has it follow the motion that is in force, and not one that was voted and
	// waits for its time: that one is void when this is enacted.
	AtOnce bool
}

// Create writes a motion's directory. One that is there already and has ballots is left
// alone: what people have signed does not change. One that has none is replaced.
func (d Dir) Create(o Order) (council.Motion, error) {
	chain, err := d.Chain()
	if err != nil {
		return council.Motion{}, err
	}
	if o.AtOnce {
		chain = InForce(chain, o.Now)
	}
	if last := Last(chain); last != nil && o.Gateways == nil {
		o.Gateways = last.Gateways
	}
	if slices.Equal(o.Gateways, []string{"all"}) {
		o.Gateways = nil
	}
	to := d.Motion(o.ID)
	if !council.GoodID(o.ID) {
		return council.Motion{}, errors.New("a motion's name is letters, digits and . _ -, e.g. 2026-footfall")
	}
	signed, err := filepath.Glob(filepath.Join(to, council.BallotsName, "*"))
	if err != nil {
		return council.Motion{}, err
	}
	_, enacted := os.Stat(filepath.Join(to, o.ID+".sluice"))
	if len(signed) > 0 || enacted == nil {
		return council.Motion{}, fmt.Errorf("%s has ballots already; give the motion another name", to)
	}
	m, parts, err := council.Draft{Previous: Last(chain), Policy: o.Policy, ID: o.ID, Gateways: o.Gateways,
		Created: o.Now, Within: Within}.Create()
	if err != nil {
		return m, err
	}
	if err := d.within(func(root *os.Root) error {
		return root.MkdirAll(filepath.Join("motions", o.ID, council.BallotsName), 0o755)
	}); err != nil {
		return m, err
	}
	// The text comes last: a motion that has one is whole.
	for _, name := range []string{council.BundleName, council.SignersName, council.TextName} {
		if err := d.Put(path.Join("motions", o.ID, name), parts[name]); err != nil {
			return m, err
		}
	}
	return m, nil
}

// Flag is what a command needs, after a space, to find the directory; empty for the
// current one.
func (d Dir) Flag() string {
	if d == "." {
		return ""
	}
	return " --dir " + string(d)
}

// Load reads a motion's directory, with the ballots of members under their names,
// and what is wrong with other files among the ballots.
func (d Dir) Load(id string) (council.Parts, []error, error) {
	from := d.Motion(id)
	parts := council.Parts{}
	for _, name := range []string{council.TextName, council.BundleName, council.SignersName} {
		raw, err := readFile(filepath.Join(from, name), council.MaxFile)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("%s is not there; make the motion with: sluice motion create %s",
				filepath.Join(from, name), id+d.Flag())
		}
		if err != nil {
			return nil, nil, err
		}
		parts[name] = raw
	}
	voters, err := d.Voters(parts)
	if err != nil {
		return nil, nil, err
	}
	ballots, err := d.ballots(id)
	if err != nil {
		return nil, nil, err
	}
	return parts, parts.Collect(voters, ballots), nil
}

// ballots are the files in a motion's directory that may be ballots, or texts of them, by their names
// there.
func (d Dir) ballots(id string) (map[string][]byte, error) {
	from, ballots := d.Motion(id), make(map[string][]byte)
	for _, pattern := range []string{filepath.Join(from, council.BallotsName, "*"), filepath.Join(from, "*.sig"),
		filepath.Join(from, "*.txt")} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() ||
				strings.HasPrefix(filepath.Base(name), ".") || filepath.Base(name) == council.TextName {
				continue
			}
			raw, err := readFile(name, ballot.MaxFile) // a longer file is reported as no ballot
			if err != nil {
				return nil, err
			}
			rel, _ := filepath.Rel(from, name)
			ballots[filepath.ToSlash(rel)] = raw
		}
	}
	return ballots, nil
}

// readFile reads a file that others may have sent: at most one byte beyond the limit, so
// that the caller sees that it is too long.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// Voters is the roster that votes on the motion.
func (d Dir) Voters(parts council.Parts) (*decision.Council, error) {
	v, err := d.Verifier(parts)
	if err != nil {
		return nil, err
	}
	if v.Previous != nil {
		return v.Previous.Policy.Council, nil
	}
	p, err := bundle.ReadOPA(parts[council.BundleName])
	if err != nil {
		return nil, err
	}
	return p.Council, nil
}

// Verifier is what a gateway that has taken everything enacted so far would
// know. A first motion is measured by its own roster.
func (d Dir) Verifier(parts council.Parts) (council.Verifier, error) {
	chain, err := d.Chain()
	if err != nil {
		return council.Verifier{}, err
	}
	m, err := council.ParseMotion(parts[council.TextName])
	if err != nil {
		return council.Verifier{}, err
	}
	// it was enacted: look at it as it was then
	if m.Version <= len(chain) && chain[m.Version-1].Hash == council.Sum(parts[council.TextName]) {
		return council.Verifier{Previous: Last(chain[:m.Version-1]), Pin: m.Roster}, nil
	}
	// It may take the place of what was voted and waits, but not of what is in force.
	for n := len(InForce(chain, time.Now())); n < len(chain); n++ {
		if n > 0 && chain[n-1].Hash == m.Previous {
			chain = chain[:n]
		}
	}
	return council.Verifier{Previous: Last(chain), Pin: m.Roster}, nil
}

// Enact writes the one file that gateways take, and a copy into each of the
// inboxes. Ballots that they would refuse are left out of it, and said in problems.
func (d Dir) Enact(id string, now time.Time, inboxes []string) (
	e *council.Enacted, written []string, problems []error, err error,
) {
	parts, problems, err := d.Load(id)
	if err != nil {
		return nil, nil, nil, err
	}
	v, err := d.Verifier(parts)
	if err != nil {
		return nil, nil, nil, err
	}
	s, uncounted := v.Count(parts) // without the time: what was refused then is so by the vote
	if uncounted == nil {
		problems = append(parts.Sift(s), problems...)
	}
	v.Now = now
	file, err := parts.File()
	if err != nil {
		return nil, nil, problems, err
	}
	e, err = v.Verify(file)
	if council.CodeOf(err) == council.TooFew && uncounted == nil { // a gateway looks at the least quorum first
		err = council.Few(s.Signed, s.Needed)
	}
	if err != nil && council.CodeOf(err) != council.NotYet {
		return nil, nil, problems, err
	}
	written, err = d.put(id, file, inboxes)
	return e, written, problems, err
}

// put writes a motion file into its directory and into the inboxes.
func (d Dir) put(id string, file []byte, inboxes []string) ([]string, error) {
	name := id + ".sluice"
	if err := d.Put(path.Join("motions", id, name), file); err != nil {
		return nil, err
	}
	written := []string{filepath.Join(d.Motion(id), name)}
	for _, inbox := range inboxes {
		if err := os.MkdirAll(inbox, 0o755); err != nil {
			return nil, err
		}
		if err := Dir(inbox).Put(name, file); err != nil {
			return nil, err
		}
		written = append(written, filepath.Join(inbox, name))
	}
	return written, nil
}

// Peek reads the policy in a motion file without asking who signed it.
func Peek(raw []byte) (*bundle.Policy, error) {
	parts, err := council.ReadFile(raw)
	if err != nil {
		return nil, err
	}
	return bundle.ReopenOPA(parts[council.BundleName])
}
