package main

import (
	"maps"
	"os"
	"path/filepath"

	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/register/preset"
)

// speech is what a device speaks, as it is said on the command line.
type speech struct{ preset, profile string }

// library finds the preset and the profile, by name or in files.
func (f *speech) library(of *ingest.TrialOf) error {
	own := preset.Builtin()
	lib := &preset.Library{Presets: maps.Clone(own.Presets), Profiles: maps.Clone(own.Profiles)}
	of.Presets = lib
	if f.profile != "" && f.preset == "" {
		return &usageError{"--profile says what a device calls its values, --preset what is around them; give both"}
	}
	id, err := oneOf(f.preset, lib.Presets, lib.Preset, preset.ParsePreset,
		func(p *preset.Preset) string { return p.ID })
	if err != nil {
		return err
	}
	of.Sensor.Preset = id
	of.Sensor.Profile, err = oneOf(f.profile, lib.Profiles, lib.Profile, preset.ParseProfile,
		func(p *preset.Profile) string { return p.ID })
	return err
}

// oneOf finds a preset or a profile by its name, or adds what a file has.
func oneOf[T any](name string, all preset.Shelf[T], find func(string) (*T, error),
	parse func(string, []byte) (*T, error), id func(*T) string) (string, error) {
	if name == "" {
		return "", nil
	}
	if filepath.Ext(name) != ".yaml" {
		if _, err := find(name); err != nil {
			return "", &usageError{err.Error() + " (one of the city's own is given as its file, presets/NAME.yaml)"}
		}
		return name, nil
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return "", &config.Refusal{Err: err}
	}
	one, err := parse(name, raw)
	if err != nil {
		return "", &config.Refusal{Err: err}
	}
	all.Put(id(one), one)
	return id(one), nil
}
