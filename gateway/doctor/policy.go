package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/gateway/inbox"
	"sluice/policy/compile"
	"sluice/policy/council"
)

func (d *doctor) policy(ctx context.Context) {
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
		d.say("policy", Warn, fmt.Sprintf("all zones of the decisions (%s) are other gateways', so nothing flows here", strings.Join(elsewhere, ", ")),
			"that may be right; else give zones to "+d.cfg.Gateway+" (gateway in zones.geojson), or mend gateway in gateway.yaml")
	case inForce == 0:
		d.say("policy", Fail, "no decision is in force today, so nothing flows", "see from and until of the decisions")
	case until.Before(now.AddDate(0, 0, 30)):
		d.say("policy", Warn, fmt.Sprintf("%d decisions in force; the nearest sunset is %s", inForce, until.Format(time.DateOnly)), "the council decides anew, or the stream ends")
	default:
		d.say("policy", Fine, fmt.Sprintf("%d decisions in force; the nearest sunset is %s", inForce, until.Format(time.DateOnly)), "")
	}
}

// inbox looks where motions arrive, and returns where the policy in force is laid
// out; empty for none.
func (d *doctor) inbox(ctx context.Context) string {
	files := 0
	err := inbox.New(d.cfg.Policy.Inbox, council.MaxFile).Each(ctx, func() string { return "" }, func(inbox.File) inbox.Verdict { files++; return inbox.Settled })
	if err != nil {
		d.say("inbox", Warn, err.Error(), "the policy in force goes on; a new one cannot arrive")
	} else {
		d.say("inbox", Fine, fmt.Sprintf("%d motion files", files), "")
	}
	base := filepath.Join(d.cfg.Dir, "policy")
	current, err := os.ReadFile(filepath.Join(base, "current"))
	if err != nil {
		d.say("policy", Warn, "no motion has been enacted here yet, so nothing flows", "sluice motion enact writes what this gateway takes from its inbox")
		return ""
	}
	return filepath.Join(base, strings.TrimSpace(string(current)))
}
