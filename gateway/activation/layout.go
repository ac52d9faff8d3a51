package activation

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"sluice/policy/council"
)

// layOut puts the motion in force under policy/VERSION/ of the state directory dir,
// for people to read; what runs is what the ledger has.
func layOut(dir string, e *council.Enacted, log *slog.Logger) {
	base := filepath.Join(dir, "policy")
	to := filepath.Join(base, strconv.Itoa(e.Version))
	write := func(name string, raw []byte) error {
		path := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, raw, 0o644)
	}
	errs := []error{e.Policy.Files.Write(to), write(council.TextName, e.Text), write(council.BundleName, e.Packed),
		write(council.SignersName, e.Signers)}
	for _, b := range e.Ballots {
		errs = append(errs, write(council.BallotsName+b.Member+".sig", b.Raw))
	}
	for _, s := range e.Statements {
		for name, raw := range s.Files() {
			errs = append(errs, write(council.BallotsName+name, raw))
		}
	}
	part := filepath.Join(base, "current.part")
	errs = append(errs, os.WriteFile(part, []byte(strconv.Itoa(e.Version)+"\n"), 0o644),
		os.Rename(part, filepath.Join(base, "current")))
	if err := errors.Join(errs...); err != nil {
		log.Warn("the policy in force cannot be laid out for reading", "error", err)
	}
}
