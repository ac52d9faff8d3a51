package activation

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strconv"

	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/plan"
	"sluice/policy/rego"
)

// Reload reads register, passwords and the listener's certificates anew, and puts
// them in force between two messages. What is broken changes nothing. gateway.yaml
// itself, and what it says of the broker, is read at a start only.
func (p *Policies) Reload(ctx context.Context) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	reg, err := p.cfg.ReadRegister()
	if err != nil {
		return config.Refuse("%w", err)
	}
	listen, err := p.cfg.Listener()
	if err != nil {
		return err
	}
	current := p.View().Current
	digest, plans := none, map[string][]plan.Plan{}
	if current != nil {
		digest = current.Digest
		if plans, _, err = p.planner.plans(ctx, current, reg); err != nil {
			return err
		}
		v := ingest.Version{Kinds: current.Kinds, Zones: current.Zones, Plans: plans}
		if err := v.Check(reg); err != nil {
			return &rego.Problem{Code: rego.Unfit, Err: err}
		}
		p.planner.sayStrangers(reg, current)
	}
	ok, err := p.ingest.Renew(ctx, ingest.Renewal{Register: reg, Digest: digest, Plans: plans, Listen: listen})
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("another policy is in force; try again")
	}
	before := p.View().Register
	p.update(func(v *View) { v.Register = reg })
	if before != nil {
		sayEmptied(len(before.Sensors), len(reg.Sensors), p.log)
	}
	p.log.Info("register, passwords and certificates are read anew", "sensors", len(reg.Sensors))
	p.changed()
	return nil
}

// sayEmptied says that no sensor is left where there were some: every reading is refused from
// now on, which is hardly ever meant.
func sayEmptied(before, now int, log *slog.Logger) {
	if before > 0 && now == 0 {
		log.Warn("the register has become empty: every sensor is unknown from now on, and what it sends is refused",
			"sensors_before", before, "hint", "where that is not meant, put the entries back and send SIGHUP again")
	}
}

// Reloads is Reload each time that it is asked for, until ctx ends.
func (p *Policies) Reloads(ctx context.Context, asked <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		if err := p.Reload(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("nothing is changed: what was to be read anew cannot be used", located(err)...)
		}
	}
}

// inFile is an error about a place in a file, as the readers of YAML write it; the lines
// behind it show that place.
var inFile = regexp.MustCompile(`^(.+): \[(\d+):(\d+)\] (.+)`)

// located is an error as a line of the log: where it is in which file, what is wrong and how
// to mend it, without the lines of the file.
func located(err error) []any {
	m := inFile.FindStringSubmatch(err.Error())
	if m == nil {
		return []any{"error", err}
	}
	line, _ := strconv.Atoi(m[2])
	column, _ := strconv.Atoi(m[3])
	return []any{"file", m[1], "line", line, "column", column, "error", m[4]}
}
