package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/gateway/config"
	"sluice/gateway/inbox"
	"sluice/perm"
)

// What is in the state directory, by the most that its mode may be. What is not
// here is public on purpose: the books, the policy laid out for people, and the
// store, which the open data's own user reads (docs/operations.md).
const (
	ModePrivate = 0o600
	ModeOwnDir  = 0o700
	modeOpenDir = 0o755
	modePublic  = 0o644
)

// HomesFile is the file of the state directory that remembers which sensors have
// stood for homes. It names them, so it is private.
const HomesFile = "homes.json"

// StateFiles are the files and directories of the state directory that are
// believed, by the most that their mode may be.
func StateFiles(dir string) map[string]fs.FileMode {
	list := map[string]fs.FileMode{
		"lock": ModePrivate, HomesFile: ModePrivate, "checkpoint": ModeOwnDir, "public": modeOpenDir,
		"policy": modeOpenDir,
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		list["ledger.db"+suffix], list["store.db"+suffix] = ModePrivate, modePublic
	}
	for _, segment := range names(filepath.Join(dir, "checkpoint")) {
		list[filepath.Join("checkpoint", segment)] = ModePrivate
	}
	out := make(map[string]fs.FileMode, len(list))
	for name, maxMode := range list {
		out[filepath.Join(dir, name)] = maxMode
	}
	return out
}

// stateProblems are the reasons why a state directory must not be believed: somebody
// else could have written what is in it.
func stateProblems(dir string) []error {
	if err := perm.Check(dir, perm.Ours); err != nil {
		return []error{err}
	}
	var list []error
	for path := range StateFiles(dir) {
		check := perm.CheckHere
		if open := filepath.Base(path); open == "public" || open == "policy" || strings.HasPrefix(open, "store.db") {
			check = perm.Check // may well be on another disk
		}
		if err := check(path, perm.Ours); err != nil {
			list = append(list, err)
		}
	}
	return list
}

// tighten takes away what others can read in a state directory that an earlier
// version, or a wider umask, has left, and returns what it was.
func tighten(dir string) ([]string, error) {
	var done []string
	for path, maxMode := range StateFiles(dir) {
		if maxMode == modePublic || maxMode == modeOpenDir {
			continue
		}
		changed, err := perm.Tighten(path, maxMode)
		if err != nil {
			return done, err
		}
		if changed {
			done = append(done, strings.TrimPrefix(path, dir+string(filepath.Separator)))
		}
	}
	return done, nil
}

// policyProblems are the files of an editable policy, and the directory of an inbox,
// that others can write.
func policyProblems(c *config.Config) []error {
	if c.Policy.Signed() {
		if inbox.IsURL(c.Policy.Inbox) {
			return nil
		}
		return some(perm.Check(c.Policy.Inbox, perm.Trusted))
	}
	return editable(c.Policy.Dir, 2)
}

// editable are a directory, its files and those of directories within, down to a
// depth, that others can write.
func editable(path string, depth int) []error {
	if err := perm.Check(path, perm.Trusted); err != nil {
		return some(err)
	}
	var list []error
	for _, name := range names(path) {
		if depth > 0 {
			list = append(list, editable(filepath.Join(path, name), depth-1)...)
		}
	}
	return list
}

// names are those in a directory; none where it is not one, which who opens it says.
func names(dir string) []string {
	entries, _ := os.ReadDir(dir)
	list := make([]string, 0, len(entries))
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// keyProblems say why keys must not be kept in a directory that was named. Those of a cluster are
// a whole city's, so that they may be on no disk.
func keyProblems(c *config.Config) []error {
	if c.Keys == "auto" || c.Keys == "memory" {
		return nil
	}
	if _, err := os.Stat(c.Keys); err == nil && c.Cluster != nil && !OnMemory(c.Keys) {
		return some(config.Refuse("keys: %s is not in memory; choose a directory on tmpfs, e.g. under /run", c.Keys))
	}
	return some(perm.Check(c.Keys, perm.Private))
}

func some(err error) []error {
	if err == nil {
		return nil
	}
	return []error{err}
}

// Problems are the reasons why a gateway would not start: what others could have
// written is not believed, nor are keys kept where others can read them.
func Problems(c *config.Config) []error {
	return slices.Concat(stateProblems(c.Dir), policyProblems(c), keyProblems(c))
}

// Guard refuses what others could have written, and keys where others could read
// them.
func Guard(c *config.Config) error {
	list := Problems(c)
	if len(list) == 0 {
		return nil
	}
	return config.Refuse("%w", list[0])
}
