package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/policy/workspace"
	"sluice/register"
	"sluice/register/fleet"
)

// usageOf says what the keys of an entry are, as flags of sensor new.
var usageOf = map[string]string{
	"id":         "name of the sensor, which nobody else has: letters, digits and _ . : -",
	"owner":      "whose it is, as in its topic",
	"kind":       "kind of the policy, which says what it may send",
	"preset":     "system that writes its messages, such as ttn-v3",
	"profile":    "model of device, which says what it calls its fields",
	"device":     "what the system calls the sensor; not public",
	"quota":      "how many of its readings count in a minute",
	"topic":      "topic that it publishes to, if it is not city/v1/OWNER/ID/up",
	"zone":       "zone that it stands in; or --lat and --lon",
	"lat":        "degrees north, such as 41.3874",
	"lon":        "degrees east, such as 2.1686",
	"map":        "where a field of the kind is found: FIELD=/json/pointer; may be repeated",
	"registered": "day from which it counts, such as 2026-12-01",
	"until":      "last day on which it counts",
	"replaces":   "sensor that stood there before",
	"contact":    "whom residents may ask; public",
	"purpose":    "what it is for, public: LANGUAGE=TEXT; may be repeated",
}

func sensorNew() *cobra.Command {
	var n newcomer
	values, below := make(map[string]*string), make(map[string]*[]string)
	c := &cobra.Command{
		Use:   "new --id ID --owner OWNER --kind KIND --zone ZONE --registered DAY",
		Short: "Add one sensor to the register",
		Args:  between(0, 0),
		Long: "Adds one entry at the end of a register's file, once it is known to be right; what is there stays as\n" +
			"it is, with its comments. A file that is not there is made. Exit codes: 0 it was added, 1 the entry\n" +
			"is wrong, 2 usage, 3 the register or the policy cannot be read.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, key := range sortedKeys(values) {
				if err := n.set(key, *values[key]); err != nil {
					return err
				}
			}
			for _, key := range sortedKeys(below) {
				for _, v := range *below[key] {
					name, text, ok := strings.Cut(v, "=")
					if !ok || name == "" {
						return &usageError{fmt.Sprintf("--%s is NAME=TEXT, as in --%[1]s en=TEXT", key)}
					}
					if err := n.set(key+"."+name, text); err != nil {
						return err
					}
				}
			}
			if err := n.add(); err != nil {
				return err
			}
			if n.policy == "" {
				fmt.Fprintln(cmd.ErrOrStderr(),
					"no policy was asked whether it has this kind and zone; give --policy DIR")
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s:\n%s", n.file(), fleet.AppendEntry(nil, &n.sensor))
			return err
		},
	}
	for _, key := range fleet.Keys() {
		name, parent := strings.CutSuffix(key, ".")
		if parent {
			below[name] = c.Flags().StringArray(name, nil, usageOf[name])
		} else {
			values[name] = c.Flags().String(name, "", usageOf[name])
		}
	}
	c.Flags().StringVar(&n.register, "register", "register.yaml", "register, a file or a directory of *.yaml files")
	c.Flags().StringVar(&n.into, "file", "", "file of a register's directory to add to; sensors.yaml by default")
	c.Flags().StringVar(&n.policy, "policy", "", "policy directory that has the zones, kinds and fields")
	return c
}

// newcomer is a sensor that is to be added.
type newcomer struct {
	register, into, policy string
	sensor                 register.Sensor
}

func (n *newcomer) set(key, text string) error {
	if text == "" {
		return nil
	}
	if err := fleet.Set(&n.sensor, key, text); err != nil {
		return &exitError{exitFailed, key + ": " + err.Error()}
	}
	return nil
}

// file is the file that the entry is added to.
func (n *newcomer) file() string {
	switch {
	case !isDir(n.register):
		return n.register
	case n.into != "":
		return filepath.Join(n.register, n.into)
	}
	return filepath.Join(n.register, "sensors.yaml")
}

// add checks the entry and adds it.
func (n *newcomer) add() error {
	switch {
	case n.into != "" && !isDir(n.register):
		return &usageError{"--file is of a register that is a directory, and " + n.register + " is none"}
	case n.into != "" && (filepath.Base(n.into) != n.into || filepath.Ext(n.into) != ".yaml"):
		return &usageError{"--file is a name that ends in .yaml"}
	}
	return alone(filepath.Dir(n.file()), func() error {
		path := n.register
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			path = ""
		}
		if err := n.check(path); err != nil {
			return err
		}
		sensors := []register.Sensor{n.sensor}
		if _, err := os.Stat(n.file()); err == nil {
			return refused(appendTo(n.file(), sensors))
		}
		raw, err := fleet.Append(n.file(), nil, sensors, os.ReadFile)
		if err == nil {
			err = create(n.file(), raw, registerMode)
		}
		return refused(err)
	})
}

// check holds the entry against the register and the policy.
func (n *newcomer) check(path string) error {
	var kinds map[string]register.Kind
	var zones *register.Zones
	if n.policy != "" {
		p, err := workspace.Dir(n.policy).Draft()
		if err != nil {
			return &config.Refusal{Err: fmt.Errorf("%w\nsee sluice policy check %s", err, n.policy)}
		}
		kinds, zones = p.Kinds, p.Zones
	}
	f := fleet.Fleet{Entries: []fleet.Entry{{Row: 2, Sensor: n.sensor}}}
	found, err := f.Examine("the new entry", path, os.ReadFile, kinds, zones)
	switch {
	case err != nil:
		return &config.Refusal{Err: err}
	case len(found) > 0:
		return &config.Refusal{Err: broken(path, found)}
	case len(f.Faults) > 0:
		return &exitError{exitFailed, f.Faults[0].Text}
	}
	return nil
}
