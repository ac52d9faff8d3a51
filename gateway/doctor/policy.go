package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/inbox"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/rego"
	"sluice/register"
)

// policies examines what the council has decided, and the register under it.
type policies struct {
	*findings
	cfg   *config.Config
	reg   *register.Register // nil where it cannot be read
	rules rego.Evaluator
}

func (d *policies) policy(ctx context.Context) {
	dir := d.cfg.Policy.Dir
	if d.cfg.Policy.Signed() {
		if dir = d.inbox(ctx); dir == "" {
			return
		}
	}
	files, err := compile.ReadDir(dir)
	var set *compile.Set
	if err == nil {
		set, err = compile.Files(ctx, d.rules, files)
	}
	if err != nil {
		d.say("policy", Fail, err.Error(), "nothing flows until it is mended")
		return
	}
	d.strangers(set)
	d.entries(set)
	d.sensors(set)
	now, until := time.Now(), time.Time{}
	inForce := 0
	for _, s := range set.Streams {
		if s.InForce(now) {
			inForce++
			if until.IsZero() || s.Until.Before(until) {
				until = s.Until
			}
		}
	}
	elsewhere := set.Elsewhere(d.cfg.Gateway)
	for _, dec := range set.Decisions {
		for _, why := range set.Broken[dec.Decision] {
			d.say("policy", Fail, why.Rule+": decision "+why.Decision+" is not run", why.Message)
		}
	}
	switch {
	case len(elsewhere) > 0 && len(elsewhere) == len(set.Decisions):
		d.say("policy", Warn, fmt.Sprintf("all zones of the decisions (%s) are other gateways', so nothing flows here",
			strings.Join(elsewhere, ", ")),
			"that may be right; else give zones to "+d.cfg.Gateway+" (gateway in zones.geojson), or mend gateway in "+
				"gateway.yaml")
	case inForce == 0:
		d.say("policy", Fail, "no decision is in force today, so nothing flows", "see from and until of the decisions")
	default:
		what := counted(inForce, "decision", "decisions") + " in force; the nearest sunset is " +
			until.Format(time.DateOnly)
		if until.Before(now.AddDate(0, 0, 30)) {
			d.say("policy", Warn, what, "the council decides anew, or the stream ends")
			return
		}
		d.say("policy", Fine, what, "")
	}
}

// inbox looks where motions arrive, and returns where the policy in force is laid
// out; empty for none.
func (d *policies) inbox(ctx context.Context) string {
	files := 0
	err := inbox.New(d.cfg.Policy.Inbox, council.MaxFile).Each(ctx, func() string { return "" },
		func(inbox.File) inbox.Verdict { files++; return inbox.Settled })
	if err != nil {
		d.say("inbox", Warn, err.Error(), "the policy in force goes on; a new one cannot arrive")
	} else {
		d.say("inbox", Fine, counted(files, "motion file", "motion files"), "")
	}
	base := filepath.Join(d.cfg.Dir, "policy")
	current, err := os.ReadFile(filepath.Join(base, "current"))
	if err != nil {
		d.say("policy", Warn, "no motion has been enacted here yet, so nothing flows",
			"sluice motion enact writes what this gateway takes from its inbox")
		return ""
	}
	return filepath.Join(base, strings.TrimSpace(string(current)))
}

// strangers names the sensors whose kind the policy does not know: here only, since
// one of them may be somebody's home.
func (d *policies) strangers(set *compile.Set) {
	if d.reg == nil {
		return
	}
	if ids := homes.Strangers(d.reg, set); len(ids) > 0 {
		d.say("kinds", Warn, counted(len(ids), "sensor is", "sensors are")+" of a kind that the policy does not know: "+
			firstOf(ids), "mend kind in the register, or add the kind to kinds.yaml; until then they are counted, "+
			"not listed, and nothing of them is kept")
	}
	h, err := homes.Read(d.cfg.Dir)
	if err != nil {
		d.say("homes", Fail, err.Error(), "see docs/operations.md")
		return
	}
	if ids := h.Moved(d.reg); len(ids) > 0 {
		d.say("homes", Warn, counted(len(ids), "sensor stood for a home and has", "sensors stood for homes and have")+
			" another kind now: "+
			firstOf(ids), "mend kind in the register; or, if the device is put to another use, give it a new id. "+
			"Until then they are counted, not listed")
	}
}

// entries says which entries a gateway can do nothing with, a few of them.
func (d *policies) entries(set *compile.Set) {
	if d.reg == nil {
		return
	}
	found := d.reg.Check(set.Kinds, set.Zones)
	if len(found) == 0 {
		return
	}
	var some []string
	for _, f := range found[:min(len(found), 3)] {
		some = append(some, f.Error())
	}
	d.say("register", Warn, counted(len(found), "mistake", "mistakes")+": "+strings.Join(some, "\n"),
		"sluice register check "+d.cfg.Register+" --policy DIR says all of them")
}

// sensors says when nothing can come of any sensor, though each entry may be right.
func (d *policies) sensors(set *compile.Set) {
	if d.reg == nil || len(d.reg.Sensors) == 0 {
		return
	}
	now, usable, here := time.Now(), 0, 0
	for n := range d.reg.Sensors {
		s := &d.reg.Sensors[n]
		if s.Usable(now, set.Location) {
			usable++
		}
		if of := set.Zones.Gateway(s.ZoneOf(set.Zones)); of == "" || of == d.cfg.Gateway {
			here++
		}
	}
	if usable == 0 {
		d.say("sensors", Fail, "no sensor of the register is registered today, so what they send is refused",
			"see registered and until of the entries")
	}
	if here == 0 {
		d.say("sensors", Fail, "all sensors stand in zones of other gateways, so nothing of them is kept here",
			"mend gateway: in the file, or gateway of the zones in zones.geojson")
	}
}
