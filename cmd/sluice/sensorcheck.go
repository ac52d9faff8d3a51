package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/configs/portalba"
	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/internal/civil"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/policy/workspace"
	"sluice/register"
	"sluice/register/preset"
)

// sampleCheck has the flags.
type sampleCheck struct {
	topics []string
	speech
	kind, policy, zone, owner string
	register, sensor          string
	mapped                    []string
	json                      bool
}

func sensorCheck() *cobra.Command {
	var f sampleCheck
	c := &cobra.Command{
		Use:   "check SAMPLE...",
		Short: "Try sample messages as a gateway would, offline",
		Args:  between(1, -1),
		Long: "Says of each reading of a sample message its time, its count, whose it is and whether it counts, of\n" +
			"each key what becomes of it and by which decision, and all mistakes with the fix. SAMPLE is a file,\n" +
			"or - for standard input: .jsonl has one message a line, .hex is hexadecimal digits (CBOR, Sparkplug),\n" +
			"all else is one message as it is. Values are shown of the time, the count and the identity only.\n" +
			"Nothing is sent. Exit codes: 0 a reading would count, 1 none would, 2 usage, 3 a file cannot be read.",
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	g := c.Flags()
	g.StringArrayVar(&f.topics, "topic", nil, "topic that the messages come on; may be repeated, once for each SAMPLE")
	g.StringVar(&f.register, "register", "", "register: its entry says kind, preset, profile, map, topic and device; "+
		"presets/ beside it has the city's own")
	g.StringVar(&f.sensor, "sensor", "", "the sensor's id in the register (default: the one that sends on the topic)")
	g.StringVar(&f.preset, "preset", "", "system that sends them, or a preset's FILE.yaml (default: the city's own "+
		"format)")
	g.StringVar(&f.profile, "profile", "", "model of the device, or a profile's FILE.yaml")
	g.StringArrayVar(&f.mapped, "map", nil, "where a field of the kind is found: FIELD=/json/pointer; may be repeated")
	g.StringVar(&f.kind, "kind", "", "kind of the sensor, of kinds.yaml (required)")
	g.StringVar(&f.policy, "policy", "", "policy directory: its kinds, and its decisions, which say what becomes of a "+
		"field (default: the example city's kinds, and no decision)")
	g.StringVar(&f.zone, "zone", "", "zone that the sensor stands in (default: any of the policy's)")
	g.StringVar(&f.owner, "owner", "owner", "whose the sensor is, where a decision looks at it")
	g.BoolVar(&f.json, "json", false, "print what is found as JSON")
	return c
}

// checked is the report. Readings and Counting are how many there are and how many would count.
type checked struct {
	Messages []checkedMessage `json:"messages"`
	Readings int              `json:"readings"`
	Counting int              `json:"counting"`
	Entry    []ingest.Finding `json:"entry"`
	// Reasons are why decisions have no plan for such a sensor; Perhaps is a preset that would
	// read the samples where this one does not.
	Reasons []string `json:"reasons"`
	Perhaps string   `json:"perhaps"`
	judged  bool
}

// checkedMessage is one message of a sample, from 1; Line is where a .jsonl file has it.
type checkedMessage struct {
	Sample string `json:"sample"`
	Line   int    `json:"line"`
	ingest.Tried
}

func (f *sampleCheck) run(cmd *cobra.Command, args []string) error {
	if n := len(f.topics); n > 1 && n != len(args) {
		return &usageError{"--topic is given once for all samples, or once for each"}
	}
	of, reasons, err := f.trial(cmd)
	if err != nil {
		return err
	}
	samples, err := readSamples(cmd.InOrStdin(), args)
	if err != nil {
		return &config.Refusal{Err: err}
	}
	now := time.Now()
	out := f.try(of, samples, now)
	out.judged, out.Reasons = of.Judged, reasons
	if out.Counting == 0 {
		out.Perhaps = f.perhaps(of, samples, now)
	}
	if f.json {
		err = printJSON(cmd.OutOrStdout(), out)
	} else {
		err = out.show(cmd.OutOrStdout())
	}
	if err == nil && out.Counting == 0 {
		return &exitError{exitFailed, "nothing would count"}
	}
	return err
}

// try tries all samples in their order.
func (f *sampleCheck) try(of ingest.TrialOf, samples []sample, now time.Time) *checked {
	t := ingest.NewTrial(of)
	out := &checked{Messages: []checkedMessage{}, Entry: append([]ingest.Finding{}, t.Entry()...),
		Reasons: []string{}}
	for _, s := range samples {
		one := checkedMessage{s.name, s.line, t.Try(f.topicOf(s.file), s.payload, now)}
		for i := range one.Findings {
			if one.Findings[i].Line > 0 && s.line > 0 {
				one.Findings[i].Line = s.line
			}
		}
		out.Messages = append(out.Messages, one)
		for _, r := range one.Readings {
			out.Readings++
			if r.Counts {
				out.Counting++
			}
		}
	}
	return out
}

func (f *sampleCheck) topicOf(file int) string {
	switch len(f.topics) {
	case 0:
		return ""
	case 1:
		return f.topics[0]
	}
	return f.topics[file]
}

// trial is the sensor that the flags describe, and why decisions have no plan for it.
func (f *sampleCheck) trial(cmd *cobra.Command) (of ingest.TrialOf, reasons []string, err error) {
	if f.register != "" {
		if err = f.entry(cmd, &of); err != nil {
			return of, nil, err
		}
		return f.judge(cmd.Context(), of)
	}
	if f.sensor != "" {
		return of, nil, &usageError{"--sensor is of a register; give --register FILE"}
	}
	of.Sensor = register.Sensor{ID: "sample", Owner: f.owner, Kind: f.kind, Zone: f.zone,
		Registered: civil.Date{Year: 2000, Month: 1, Day: 1}}
	if of.Sensor.Map, err = f.pointers(); err != nil {
		return of, nil, err
	}
	if err := f.library(&of); err != nil {
		return of, nil, err
	}
	return f.judge(cmd.Context(), of)
}

// judge gives the sensor its kind, and the plans that a policy has for it.
func (f *sampleCheck) judge(ctx context.Context, of ingest.TrialOf) (_ ingest.TrialOf, reasons []string, err error) {
	reasons = []string{}
	kinds, err := register.ParseKinds("kinds.yaml", portalba.Policy()["kinds.yaml"])
	if err != nil {
		return of, nil, err
	}
	if f.policy == "" {
		if f.zone != "" {
			return of, nil, &usageError{"--zone is of a policy's; give --policy DIR"}
		}
		of.Kind, err = f.kindOf(kinds)
		return of, reasons, err
	}
	p, err := workspace.Dir(f.policy).Draft()
	if err != nil {
		return of, nil, &config.Refusal{Err: fmt.Errorf("%w\nsee sluice policy check %s", err, f.policy)}
	}
	if of.Kind, err = f.kindOf(p.Kinds); err != nil {
		return of, nil, err
	}
	zones := p.Zones.IDs()
	if of.Registered {
		f.zone = of.Sensor.ZoneOf(p.Zones)
	}
	if f.zone != "" {
		if zones = []string{f.zone}; !p.Zones.Has(f.zone) {
			return of, nil, &usageError{"--zone: the policy has no such zone; it has " +
				strings.Join(p.Zones.IDs(), ", ")}
		}
	}
	of.Judged, of.Zones, of.City = true, p.Zones, p.Location
	err = withRules(func(rules *rego.Child) error {
		set, err := compile.Policy(ctx, rules, p)
		if err == nil {
			reasons, err = plansIn(ctx, set, &of, zones)
		}
		return err
	})
	return of, reasons, failed(err)
}

// plansIn gathers the plans of a sensor in zones, each decision once, and why others have none.
func plansIn(ctx context.Context, set *compile.Set, of *ingest.TrialOf, zones []string) ([]string, error) {
	reasons, has := map[string]bool{}, map[string]bool{}
	for _, zone := range zones {
		of.Sensor.Zone = zone
		plans, why, err := set.Plans(ctx, &of.Sensor)
		if err != nil {
			return nil, err
		}
		for _, p := range plans {
			if !has[p.Stream.Decision] {
				has[p.Stream.Decision] = true
				of.Plans = append(of.Plans, p)
			}
		}
		for _, r := range why {
			reasons[r.String()] = true
		}
	}
	if len(of.Plans) > 0 {
		return []string{}, nil
	}
	return append([]string{}, slices.Sorted(maps.Keys(reasons))...), nil
}

func (f *sampleCheck) kindOf(kinds map[string]register.Kind) (register.Kind, error) {
	k, listed := kinds[f.kind]
	if listed {
		return k, nil
	}
	if f.register != "" {
		return k, &usageError{"the sensor's kind is none of " + strings.Join(sortedKeys(kinds), ", ") +
			"; give --policy DIR, which has it"}
	}
	others := "; --policy DIR has others"
	if f.policy != "" {
		others = ", or have the policy's kinds.yaml define it"
	}
	return k, &usageError{"which kind is it? give --kind, one of " + strings.Join(sortedKeys(kinds), ", ") + others}
}

func (f *sampleCheck) pointers() (map[string]string, error) {
	if len(f.mapped) == 0 {
		return nil, nil
	}
	out := make(map[string]string)
	for _, m := range f.mapped {
		field, pointer, ok := strings.Cut(m, "=")
		if !ok || field == "" {
			return nil, &usageError{"--map is FIELD=/json/pointer, as in --map laeq=/object/LAeq"}
		}
		if _, err := preset.Path(pointer); err != nil {
			return nil, &usageError{"--map " + field + ": it " + err.Error()}
		}
		out[field] = pointer
	}
	return out, nil
}

// perhaps is the preset of the program that reads the samples where the one that is named reads
// nothing: the one that finds most in them; empty for none.
func (f *sampleCheck) perhaps(of ingest.TrialOf, samples []sample, now time.Time) string {
	best, most := "", 0
	samples = samples[:min(len(samples), 20)] // a few tell as much
	for _, id := range sortedKeys(of.Presets.Presets) {
		if id == of.Sensor.Preset {
			continue
		}
		other := of
		other.Sensor.Preset, other.Judged, other.Plans, other.Registered = id, false, nil, false
		if n := f.try(other, samples, now).points(); n > most {
			best, most = id, n
		}
	}
	return best
}

// points is how much of the readings that could count a preset finds in the messages.
func (c *checked) points() (n int) {
	for _, m := range c.Messages {
		for _, r := range m.Readings {
			if !r.Counts || r.TimeFrom == "receipt" && r.Device.From != "message" {
				continue
			}
			for _, found := range []bool{true, r.TimeFrom != "receipt", r.Seq != nil, r.Boot, r.Device.From != ""} {
				if found {
					n++
				}
			}
		}
	}
	return n
}
