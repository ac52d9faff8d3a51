package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/gateway/config"
	"sluice/perm"
	"sluice/policy/workspace"
	"sluice/register"
	"sluice/register/fleet"
)

func sensorImport() *cobra.Command {
	var in importing
	var columns, set []string
	c := &cobra.Command{
		Use:   "import FLEET.csv --map KEY=COLUMN,...",
		Short: "Turn a vendor's spreadsheet into entries of the register",
		Args:  between(1, 1),
		Long: "Reads a CSV file as spreadsheets export it (UTF-8; commas, semicolons or tabs; names of the columns\n" +
			"in the first row) and says of each row what is wrong with it, by row and column, and how the entries\n" +
			"will look. Nothing is written without --write, nor while a row is wrong. A row that says what the\n" +
			"register has already is passed over, one about a sensor that it has otherwise is wrong without\n" +
			"--update. Keys of an entry are:\n" +
			strings.Join(fleet.Keys(), " ") + "\n(purpose.en, map.level and so on). Exit codes: 0 all rows are " +
			"right, 1 some are not, 2 usage,\n3 the file, register or policy cannot be read.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if in.columns.Map, err = pairs("map", columns); err != nil {
				return err
			}
			if in.columns.Set, err = pairs("set", set); err != nil {
				return err
			}
			if err := in.check(); err != nil {
				return err
			}
			in.file, in.errors = args[0], cmd.ErrOrStderr()
			return in.run(cmd.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringArrayVar(&columns, "map", nil, "keys and the columns that hold them: KEY=COLUMN,...; may be repeated")
	f.StringArrayVar(&set, "set", nil, "keys and their values where a cell is empty or there is no column: "+
		"KEY=VALUE,...; may be repeated")
	f.StringVar(&in.register, "register", "", "register that the sensors are to join, a file or a directory: ids and "+
		"topics that it has are refused")
	f.StringVar(&in.policy, "policy", "", "policy directory that has the zones, kinds and fields")
	f.StringVar(&in.out, "out", "", "file to write to; the register's own file is added to; by default FLEET.yaml in "+
		"the register's directory")
	f.BoolVar(&in.columns.Update, "update", false,
		"write rows about sensors that the register has over their entries; "+
			"keys without a column stay")
	f.BoolVar(&in.remove, "remove", false, "with --replace, let more than half of the file's sensors go")
	f.BoolVar(&in.write, "write", false, "write the entries, if no row is wrong")
	f.BoolVar(&in.replace, "replace", false, "write over the file of --out, if it is there: its entries make way")
	return c
}

// importing is one import.
type importing struct {
	file, register, policy, out string
	columns                     fleet.Columns
	write, replace, remove      bool
	errors                      io.Writer
}

// check refuses what cannot be meant, before anything is read.
func (in *importing) check() error {
	for _, keys := range []map[string]string{in.columns.Map, in.columns.Set} {
		for _, key := range sortedKeys(keys) {
			if err := fleet.CheckKey(key); err != nil {
				return &usageError{err.Error()}
			}
		}
	}
	for _, key := range []string{"id", "owner", "kind", "registered"} {
		if in.columns.Map[key] == "" && in.columns.Set[key] == "" {
			return &usageError{fmt.Sprintf("nothing says what %s is: --map %[1]s=COLUMN or --set %[1]s=VALUE", key)}
		}
	}
	if in.columns.Map["id"] == "" {
		return &usageError{"each sensor has an id of its own: --map id=COLUMN"}
	}
	if in.out == "" && isDir(in.register) {
		return nil
	}
	if in.out == "" && in.write {
		return &usageError{"--write needs the file to write to: --out FILE; the register's own file is added to"}
	}
	return nil
}

// run reads, examines, shows, and perhaps writes.
func (in *importing) run(w io.Writer) error {
	if in.out == "" && isDir(in.register) {
		base := filepath.Base(in.file)
		in.out = filepath.Join(in.register, strings.TrimSuffix(base, filepath.Ext(base))+".yaml")
	}
	if !in.write {
		return in.show(w)
	}
	// From here on nobody else adds an id that is looked for now.
	return alone(filepath.Dir(in.out), func() error { return in.show(w) })
}

// added reports whether the entries are added to the register's own file.
func (in *importing) added() bool {
	return in.out != "" && in.register != "" && sameFile(in.out, in.register)
}

func (in *importing) show(w io.Writer) error {
	f, err := in.read()
	if err != nil {
		return &config.Refusal{Err: err}
	}
	wrong := len(f.WrongRows())
	fmt.Fprintf(w, "%s: %s, %d right, %d wrong\n", in.file, counted(f.Rows, "row", "rows"), f.Rows-wrong, wrong)
	if f.There > 0 {
		fmt.Fprintf(w, "%d of them are in the register already, as they are\n", f.There)
	}
	if n := len(f.Changed); n > 0 {
		fmt.Fprintf(w, "%d of them change what the register has\n", n)
	}
	faults(w, f.Faults)
	if err := in.leaving(w, f); err != nil {
		return err
	}
	if !in.write || wrong > 0 {
		in.preview(w, f)
	}
	switch {
	case wrong > 0:
		return &exitError{exitFailed, counted(wrong, "row is wrong", "rows are wrong") + ", so nothing is written; " +
			"mend the spreadsheet"}
	case f.Rows == 0:
		return &exitError{exitFailed, "there is no row to import"}
	case len(f.Entries)+len(f.Changed) == 0:
		fmt.Fprintln(w, "There is nothing to write.")
		return nil
	case !in.write:
		fmt.Fprintln(w, "Nothing is written yet; add --write.")
		return nil
	}
	if err := in.save(f); err != nil {
		return &config.Refusal{Err: err}
	}
	for _, file := range slices.Sorted(maps.Keys(f.Files)) {
		fmt.Fprintf(w, "%s: rewritten\n", file)
	}
	if len(f.Entries) > 0 {
		fmt.Fprintf(w, "%s: %s written\n", in.out, counted(len(f.Entries), "sensor", "sensors"))
	}
	return nil
}

// faults prints what is wrong with rows, and of what is wrong with many in the same way how many.
func faults(w io.Writer, list []fleet.Fault) {
	rows := make(map[string]int)
	alike := func(x fleet.Fault) string { return strings.Join(x.Columns, "\x00") + "\x00" + x.Text }
	for _, x := range list {
		rows[alike(x)]++
	}
	shown, left := 0, 0
	for _, x := range list {
		n := rows[alike(x)]
		delete(rows, alike(x))
		switch {
		case n == 0: // told with the first
		case shown == maxFaults:
			left += n
		case n > 1:
			shown++
			fmt.Fprintf(w, "%s (and %s)\n", brief.Text(x.String()), counted(n-1, "other row", "other rows"))
		default:
			shown++
			fmt.Fprintln(w, brief.Text(x.String()))
		}
	}
	if left > 0 {
		fmt.Fprintf(w, "and %d more; fix these first\n", left)
	}
}

// leaving says whose entries are in the file that is written over and not in the spreadsheet: they
// leave the register.
func (in *importing) leaving(w io.Writer, f *fleet.Fleet) error {
	if !in.replace || in.added() || in.out == "" {
		return nil
	}
	raw, err := os.ReadFile(in.out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &config.Refusal{Err: err}
	}
	old, err := register.ParseBeside(in.out, raw, os.ReadFile)
	if err != nil {
		return &config.Refusal{Err: err}
	}
	now := make(map[string]bool)
	for n := range f.Entries {
		now[f.Entries[n].Sensor.ID] = true
	}
	var gone []string
	for n := range old.Sensors {
		if id := old.Sensors[n].ID; !now[id] {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	fmt.Fprintf(w, "%d of the %d sensors in %s leave the register: %s\n", len(gone), len(old.Sensors), in.out,
		first(gone))
	if len(gone) >= fewGone && 2*len(gone) > len(old.Sensors) && !in.remove {
		return &exitError{exitFailed,
			"more than half of the file's sensors would leave, so nothing is written; if that " +
				"is meant, add --remove"}
	}
	return nil
}

// shown is how many entries a preview has.
const shown = 3

func (in *importing) preview(w io.Writer, f *fleet.Fleet) {
	if len(f.Entries) == 0 {
		return
	}
	where := ""
	if in.out != "" {
		where = " to " + in.out
	}
	fmt.Fprintf(w, "As it will be written%s:\n", where)
	for n := range f.Entries[:min(len(f.Entries), shown)] {
		fmt.Fprintf(w, "%s", fleet.AppendEntry(nil, &f.Entries[n].Sensor))
	}
	if n := len(f.Entries) - shown; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// read reads the spreadsheet, and holds it against register and policy.
func (in *importing) read() (*fleet.Fleet, error) {
	raw, err := readUpTo(in.file, fleet.MaxSize)
	if err != nil {
		return nil, err
	}
	var kinds map[string]register.Kind
	var zones *register.Zones
	if in.policy != "" {
		p, err := workspace.Dir(in.policy).Draft()
		if err != nil {
			return nil, fmt.Errorf("%w\nsee sluice policy check %s", err, in.policy)
		}
		kinds, zones = p.Kinds, p.Zones
	}
	bar := progress(in.errors, len(raw), "reading")
	f, err := fleet.Read(in.file, raw, in.columns, func(at int) { _ = bar.Set(at) })
	_ = bar.Finish()
	if err != nil {
		return nil, err
	}
	replaced := ""
	if in.replace && !in.added() {
		replaced = in.out
	}
	found, err := f.Examine(filepath.Base(in.file), in.register, without(replaced), kinds, zones)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, broken(in.register, found)
	}
	return f, nil
}

// save writes the entries.
func (in *importing) save(f *fleet.Fleet) error {
	for _, file := range slices.Sorted(maps.Keys(f.Files)) {
		if err := perm.Replace(file, f.Files[file], sharedMode); err != nil {
			return err
		}
	}
	if len(f.Entries) == 0 {
		return nil
	}
	sensors := make([]register.Sensor, len(f.Entries))
	for n := range f.Entries {
		sensors[n] = f.Entries[n].Sensor
	}
	if in.added() {
		return appendTo(in.out, sensors)
	}
	if filepath.Ext(in.out) != ".yaml" {
		return fmt.Errorf("%s: a file of the register ends in .yaml; name it so", in.out)
	}
	from := []byte("# Imported from " + brief.Text(filepath.Base(in.file)) + "\n")
	raw, err := fleet.Append(in.out, from, sensors, os.ReadFile)
	if err != nil {
		return err
	}
	if in.replace {
		return perm.Replace(in.out, raw, registerMode)
	}
	err = create(in.out, raw, registerMode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; name another file with --out, or write over it with --replace", in.out)
	}
	return err
}

// readUpTo reads a file of a bounded size.
func readUpTo(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most+1))
}
