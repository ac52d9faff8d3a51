package town

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/configs/portalba"
	"sluice/gateway/config"
	"sluice/policy/council"
	"sluice/policy/workspace"
)

// founder is the only member of a town for which no keys were given.
const founder = "founder"

// Parts of a town's directory.
func (o *Options) workspace() workspace.Dir { return workspace.Dir(filepath.Join(o.Dir, "council")) }
func (o *Options) inbox() string            { return filepath.Join(o.Dir, "inbox") }
func (o *Options) keys() string             { return filepath.Join(o.Dir, "keys") }

// writeOwn sets up a real town in an empty directory: a roster, a policy without decisions, an
// inbox and an empty register.
func (o *Options) writeOwn() error {
	for _, dir := range []string{o.Dir, o.inbox()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	reg := filepath.Join(o.Dir, "register.yaml")
	if _, err := os.Stat(reg); errors.Is(err, fs.ErrNotExist) {
		text := "# The town's sensors: where, whose, since when. One line each, e.g.\n" +
			"#   - {id: square-1, owner: acme, kind: wifi-counter, zone: square, registered: 2026-01-01, contact: " +
			"street@town.example, purpose: {en: \"Footfall\"}}\nsensors: []\n"
		if err := os.WriteFile(reg, []byte(text), 0o644); err != nil {
			return err
		}
	}
	d := o.workspace()
	if _, err := os.Stat(filepath.Join(string(d), "charter.yaml")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	members := o.Members
	if len(members) == 0 {
		key, err := workspace.MakeKey(filepath.Join(o.keys(), founder), founder)
		if err != nil {
			return err
		}
		members = []workspace.Member{{ID: founder, Key: key}}
	}
	if err := d.Found(members, portalba.Policy()["kinds.yaml"]); err != nil {
		return err
	}
	if len(o.Members) > 0 {
		return nil // they sign for themselves
	}
	return d.FoundAlone(founder, filepath.Join(o.keys(), founder), o.inbox(), time.Now())
}

// configure is the gateway of a real town: it runs only what the council signed, in wall time.
func (o *Options) configure() (config.Config, error) {
	pin, err := o.workspace().Pin()
	if err != nil {
		return config.Config{}, err
	}
	c := config.Config{
		Gateway: "town", Keys: "auto", Dir: o.Dir, AllowSwap: o.AllowSwap,
		Register: filepath.Join(o.Dir, "register.yaml"),
		Listen:   o.listen(), Admin: o.Admin, Policy: config.Policy{Inbox: o.inbox(), Roster: pin},
	}
	c.Policy.Every.Clock = 2 * time.Second
	return c, nil
}

// bannerOwn prints what runs and what to do next.
func (t *Town) bannerOwn() {
	d := string(t.o.workspace())
	chain, _ := t.o.workspace().Chain() // what is wrong with it is said by those who need it
	fmt.Fprintf(t.o.Out, `
  Sluice: your town.

  Real: everything, and the clock. Nothing is measured until a quorum of the roster has signed a decision.

  Open data   http://%s
  Sensors     tcp://%s
  Health      http://%s/readyz
  Policy      %s
  Register    %s (read anew when it is saved)

`, t.open.Addr(), t.gateway.MQTT(), t.gateway.Admin(), d, filepath.Join(t.o.Dir, "register.yaml"))
	key := "~/.ssh/id_ed25519"
	_, err := os.Stat(filepath.Join(t.o.keys(), founder))
	alone := err == nil
	if alone {
		key = filepath.Join(t.o.keys(), founder)
		fmt.Fprintf(t.o.Out, "  The roster has one member, made on the spot: %s. Whoever holds %s decides alone.\n  "+
			"Put the council's own keys into %s, and vote that.\n\n",
			founder, key, filepath.Join(d, "council.yaml"))
	}
	fmt.Fprintf(t.o.Out, "  Next steps:\n\n    %s\n\n  Ctrl-C stops; the town is kept.\n\n",
		strings.Join(t.o.steps(chain, key, alone), "\n    "))
}

// steps are what to do until a first decision is in force here.
func (o *Options) steps(chain []*council.Enacted, key string, alone bool) (steps []string) {
	d := string(o.workspace())
	for _, e := range chain {
		if _, err := os.Stat(filepath.Join(o.inbox(), e.ID+".sluice")); err != nil {
			steps = append(steps, fmt.Sprintf("cp %s %s", filepath.Join(d, "motions", e.ID, e.ID+".sluice"), o.inbox()))
		}
	}
	if last := workspace.Last(chain); last != nil && len(last.Policy.Decisions) > 0 {
		return append(steps, "sluice motion status "+last.ID+" --dir "+d)
	}
	if alone && len(chain) == 1 {
		steps = append(steps, fmt.Sprintf("(fill in %s: the town's name)", filepath.Join(d, "charter.yaml")))
	}
	sign := fmt.Sprintf("ssh-keygen -Y sign -f %s -n sluice-vote@town %s", key,
		filepath.Join(d, "motions", "first", "motion.txt"))
	if last := workspace.Last(chain); last != nil {
		sign = strings.Replace(sign, "@town", "@"+last.City, 1)
	} else {
		sign = "(members sign: the command is printed)" // with the id that is not written yet
		steps = append(steps, fmt.Sprintf("(fill in %s: the town's name and id)", filepath.Join(d, "charter.yaml")),
			"sluice motion create founding --dir "+d, "(members sign: the command is printed)",
			fmt.Sprintf("sluice motion enact founding --dir %s --inbox %s", d, o.inbox()))
	}
	return append(steps,
		"sluice policy new 2026-01 --dir "+d,
		fmt.Sprintf(
			"(fill in %s: whatever stands in < >, its title and its legal basis, and who is measured and until when)",
			filepath.Join(d, "decisions", "2026-01.yaml")),
		fmt.Sprintf("sluice policy check %s", d),
		"sluice motion create first --dir "+d,
		sign,
		fmt.Sprintf("sluice motion enact first --dir %s --inbox %s", d, o.inbox()))
}

// stay waits until the town is stopped.
func (t *Town) stay(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
