package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/internal/yamldoc"
	"sluice/register"
)

// fromEntry are the flags that a register's entry stands for.
var fromEntry = []string{"preset", "profile", "map", "kind", "zone", "owner"}

// entry takes the sensor that a register has, and the presets beside it.
func (f *sampleCheck) entry(cmd *cobra.Command, of *ingest.TrialOf) error {
	for _, name := range fromEntry {
		if cmd.Flags().Changed(name) {
			return &usageError{"--register has the sensor's " + name + "; take --" + name + " out"}
		}
	}
	reg, err := register.Load(f.register, os.ReadFile)
	if err != nil {
		return &config.Refusal{Err: fmt.Errorf("%w\nsee sluice register check %s", err, f.register)}
	}
	s, err := f.sensorOf(reg)
	if err != nil {
		return err
	}
	of.Sensor, of.Presets, of.Registered, f.kind = *s, reg.Presets, true, s.Kind
	return nil
}

// sensorOf finds the sensor by its id, or as the only one that sends on the topics.
func (f *sampleCheck) sensorOf(reg *register.Register) (*register.Sensor, error) {
	var fits []*register.Sensor
	var ids []string
	for n := range reg.Sensors {
		s := &reg.Sensors[n]
		if s.ID == f.sensor {
			return s, nil
		}
		ids = append(ids, s.ID)
		for _, topic := range f.topics {
			if reg.SendsOn(s, topic) {
				fits = append(fits, s)
				break
			}
		}
	}
	switch near := yamldoc.Nearest(f.sensor, ids); {
	case f.sensor != "" && near != "":
		return nil, &usageError{"--sensor: the register has no such sensor; did you mean " + near + "?"}
	case f.sensor != "":
		return nil, &usageError{"--sensor: the register has no such sensor"}
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) == 0:
		return nil, &usageError{"no sensor of the register sends on that topic; give --topic as the message came on, " +
			"or --sensor ID to see why it is none of that sensor's"}
	}
	ids = nil
	for _, s := range fits[:min(len(fits), maxShown)] {
		ids = append(ids, s.ID)
	}
	return nil, &usageError{"several sensors of the register send on that topic; give --sensor, such as " +
		strings.Join(ids, ", ")}
}
