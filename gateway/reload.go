package gateway

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strconv"

	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/policy/plan"
	"sluice/policy/rego"
)

// Reload reads register, passwords and the listener's certificates anew, and puts
// them in force between two messages. What is broken changes nothing. gateway.yaml
// itself, and what it says of the broker, is read at a start only.
func (g *Gateway) Reload(ctx context.Context) error {
	g.turn.Lock()
	defer g.turn.Unlock()
	reg, err := g.cfg.ReadRegister()
	if err != nil {
		return config.Refuse("%w", err)
	}
	listen, err := g.cfg.Listener()
	if err != nil {
		return err
	}
	current, _ := g.inForce()
	digest, plans := none, map[string][]plan.Plan{}
	if current != nil {
		digest = current.Digest
		if plans, _, err = g.plans(ctx, current, reg); err != nil {
			return err
		}
		v := ingest.Version{Kinds: current.Kinds, Zones: current.Zones, Plans: plans}
		if err := v.Check(reg); err != nil {
			return &rego.Problem{Code: rego.Unfit, Err: err}
		}
		if n := len(homes.Strangers(reg, current)); n > 0 {
			g.log.Warn("sensors of the register are of a kind that the policy does not know; they are a number and not listed", "sensors", n, "hint", "sluice doctor names them; mend kind in the register, or add it to kinds.yaml")
		}
	}
	ok, err := g.ingest.Renew(ctx, ingest.Renewal{Register: reg, Digest: digest, Plans: plans, Listen: listen})
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("another policy is in force; try again")
	}
	g.mu.Lock()
	before := g.register
	g.register = reg
	g.mu.Unlock()
	if before != nil {
		g.emptied(len(before.Sensors), len(reg.Sensors))
	}
	g.log.Info("register, passwords and certificates are read anew", "sensors", len(reg.Sensors))
	g.poke()
	return nil
}

// emptied says that no sensor is left where there were some: every reading is refused from
// now on, which is hardly ever meant.
func (g *Gateway) emptied(before, now int) {
	if before > 0 && now == 0 {
		g.log.Warn("the register has become empty: every sensor is unknown from now on, and what it sends is refused", "sensors_before", before, "hint", "where that is not meant, put the entries back and send SIGHUP again")
	}
}

// Reloads is Reload each time that it is asked for, until ctx ends.
func (g *Gateway) Reloads(ctx context.Context, asked <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		if err := g.Reload(ctx); err != nil && ctx.Err() == nil {
			g.log.Error("nothing is changed: what was to be read anew cannot be used", located(err)...)
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
