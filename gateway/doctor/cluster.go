package doctor

import (
	"context"
	"fmt"
	"strings"

	"sluice/gateway/cluster/books"
	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/logs"
	"sluice/gateway/cluster/member"
	"sluice/gateway/cluster/parts"
	"sluice/gateway/cluster/roster"
)

// cluster examines this machine's place among several, and the servers that they share.
func (d *machine) cluster(ctx context.Context) {
	c := d.cfg.Cluster
	if c == nil {
		return
	}
	for _, doubt := range c.Doubts() {
		d.say("cluster", Warn, doubt, "mend cluster: nats in the file")
	}
	r, _, err := c.Identity(ctx)
	if err != nil {
		d.fail("cluster", err, "mend cluster: in the file")
		return
	}
	d.roster(r)
	single := d.cfg.Simulation && len(c.NATS) == 1
	d.servers(member.Look(ctx, *c, single, shared(single)), len(c.NATS))
	d.sharedBooks(ctx)
}

// sharedBooks says whether the books that machines share wait to be recovered.
func (d *machine) sharedBooks(ctx context.Context) {
	conn, err := d.cfg.Cluster.Dial(ctx)
	if err != nil {
		return // which is said of the servers
	}
	defer conn.Close()
	if why, err := books.Halted(ctx, conn); err == nil && why != "" {
		d.say("cluster", Fail, why, "docs/operations.md says how to see which releaser that is; where all have "+
			"come as far, any will do")
	}
}

// shared are the logs that machines share.
func shared(single bool) []engine.Spec {
	replicas := 3
	if single {
		replicas = 1
	}
	return []engine.Spec{books.Spec(replicas), keys.Spec(replicas), logs.InSpec(replicas), logs.StateSpec(replicas),
		parts.Spec(replicas)}
}

// roster says who this machine is, and what is unwise in who may do what.
func (d *machine) roster(r *roster.Roster) {
	c := d.cfg.Cluster
	var words []string
	for _, role := range c.Roles {
		words = append(words, string(role))
	}
	d.say("cluster", Fine, fmt.Sprintf("this machine is %s: %s; the roster is of version %d", c.Name,
		strings.Join(words, ", "), r.Version), "")
	for _, role := range r.Lacks() {
		d.say("cluster", Warn, "nobody in the roster is a "+string(role)+": nothing is published",
			"give the role to a member, and sign the roster again")
	}
	if names := r.See(); len(names) > 0 {
		d.say("cluster", Warn, "who publishes sees readings as well: "+firstOf(names),
			"give releaser to a machine that has no other role, if the city has one")
	}
}

// servers says how the servers are.
func (d *machine) servers(l member.Looked, named int) {
	for _, away := range l.Away {
		d.say("servers", Away, away+" does not answer",
			"see that server's own log; with two of three away nothing is acknowledged")
	}
	wrong := false
	for _, f := range l.Findings {
		verdict := Warn
		if f.Lost {
			verdict, wrong = Fail, true
		}
		d.say("servers", verdict, f.Of+": "+f.What, f.Fix)
	}
	for _, f := range l.Soon {
		d.say("servers", Warn, f.Of+": "+f.What, f.Fix)
	}
	switch {
	case l.Up == 0:
		return
	case 2*l.Up <= named:
		d.say("servers", Fail, fmt.Sprintf("%d of %d answer, which is no majority: nothing is acknowledged, and "+
			"nothing released", l.Up, named), "start those that do not answer")
	case l.Up < named:
		d.say("servers", Warn, fmt.Sprintf("%d of %d answer: nothing stops, but with one more it does", l.Up, named),
			"start those that do not answer")
	default:
		d.say("servers", Fine, fmt.Sprintf("%d of %d answer", l.Up, named), "")
	}
	if !wrong {
		d.say("servers", Fine, "nothing is seen by which they would lose what they acknowledge", "")
	}
}
