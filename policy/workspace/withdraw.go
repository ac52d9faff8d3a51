package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"sluice/policy/council"
)

// withdrawnName is the directory, beside the ballots, of those that were taken out.
const withdrawnName = "withdrawn"

// ErrNoBallot says that a member has signed nothing that is there.
var ErrNoBallot = errors.New("nothing among the ballots is signed by this member")

// Withdraw takes whatever a member has signed out of a motion that is not enacted, so that they can
// vote anew: only the clerk can tell by whom that was asked. The files are not lost, and are not found
// among the ballots any more; their names, below the motion's directory, are returned.
func (d Dir) Withdraw(id, member string) (moved []string, err error) {
	if _, err := os.Stat(filepath.Join(d.Motion(id), id+".sluice")); err == nil {
		return nil, fmt.Errorf("motion %s is enacted; what was voted stays", id)
	}
	parts, _, err := d.Load(id)
	if err != nil {
		return nil, err
	}
	voters, err := d.Voters(parts)
	if err != nil {
		return nil, err
	}
	ballots, err := d.ballots(id)
	if err != nil {
		return nil, err
	}
	names := council.Parts{council.TextName: parts[council.TextName]}.SignedBy(voters, ballots, member)
	if len(names) == 0 {
		return nil, ErrNoBallot
	}
	err = d.within(func(root *os.Root) error {
		of := path.Join("motions", id)
		if err := root.MkdirAll(filepath.FromSlash(path.Join(of, withdrawnName)), 0o755); err != nil {
			return err
		}
		for _, name := range names {
			to, err := free(root, path.Join(of, withdrawnName, path.Base(name)))
			if err != nil {
				return err
			}
			if err := root.Rename(filepath.FromSlash(path.Join(of, name)), filepath.FromSlash(to)); err != nil {
				return err
			}
			moved = append(moved, to)
		}
		return nil
	})
	return moved, err
}

// free is the name, or the first after it with a number, that no file has.
func free(root *os.Root, name string) (string, error) {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try += "." + strconv.Itoa(n)
		}
		switch _, err := root.Lstat(filepath.FromSlash(try)); {
		case errors.Is(err, fs.ErrNotExist):
			return try, nil
		case err != nil:
			return "", err
		}
	}
}
