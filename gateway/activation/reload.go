package activation

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/plan"
	"sluice/policy/rego"
	"sluice/register"

	"sluice/internal/pattern"
)

// Files that change while they are read, and a policy that does: both are read again.
var (
	errUnquiet = errors.New("the files change while they are read")
	errPolicy  = errors.New("another policy is in force; try again")
)

// whole finds fault with a register, and a number of users at the listener, that look cut short; nil
// where they may take the place of those in force.
type whole func(now *register.Register, users int) error

// reloader reads register, passwords and the listener's certificates anew, and puts them in force
// between two messages. What is broken changes nothing. gateway.yaml itself, and what it says of
// the broker, is read at a start only.
type reloader struct {
	p     *Policies
	saved saved
	// problem is what was said last of files that cannot be used; empty for nothing.
	problem string
}

// Reloads reads the files anew when they have been saved, and each time that it is asked for,
// until ctx ends. Began is how they were before they were read at the start.
func (p *Policies) Reloads(ctx context.Context, asked <-chan os.Signal, began config.Stamp) {
	if listen, err := p.cfg.Listener(); err == nil {
		p.users = listen.Passwords.Number()
	}
	r := reloader{p: p, saved: saved{used: began, taken: began, last: began}}
	look := time.NewTimer(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			r.asked(ctx)
		case <-look.C:
			now := time.Now()
			is := p.cfg.Stamp()
			took := time.Since(now)
			if r.saved.look(is, now) {
				r.changed(ctx, is)
			}
			look.Reset(pause(took))
		}
	}
}

// asked reads all files, as they are.
func (r *reloader) asked(ctx context.Context) {
	is := r.p.cfg.Stamp()
	r.problem = "" // who asks is answered
	r.said(ctx, is, r.p.reload(ctx, func(*register.Register, int) error { return nil }))
}

// changed reads those that have been saved, as long as they stay as they are.
func (r *reloader) changed(ctx context.Context, is config.Stamp) {
	if is != r.saved.taken {
		r.problem = ""
	}
	looksWhole := func(now *register.Register, users int) error {
		if r.p.cfg.Stamp() != is {
			return errUnquiet
		}
		before := r.p.View().Register
		if before != nil {
			if err := halved("register", "sensors", len(before.Sensors), len(now.Sensors)); err != nil {
				return err
			}
		}
		return halved("file of passwords", "users", r.p.users, users)
	}
	if is.Register == r.saved.used.Register {
		r.said(ctx, is, r.p.readmit(looksWhole))
		return
	}
	r.said(ctx, is, r.p.reload(ctx, looksWhole))
}

// many is from how many entries on a file that has lost most of them was hardly meant to.
const many = 100

// halved refuses a file that was saved with fewer than half of its entries: what was cut short, as
// by a full disk, can be sound as it is.
func halved(file, entries string, before, now int) error {
	if before < many || 2*now >= before {
		return nil
	}
	return config.Refuse("the %s has %d %s left of %d, as if it were cut short; where that is meant, "+
		"reload the gateway (SIGHUP)", file, now, entries, before)
}

// said notes and says how a reading went. What is wrong is said once, until the files change.
func (r *reloader) said(ctx context.Context, is config.Stamp, err error) {
	if ctx.Err() != nil || errors.Is(err, errUnquiet) {
		return
	}
	broken := r.p.View().Unread != nil
	r.saved.take(is, err == nil)
	r.p.update(func(v *View) { v.Unread = err })
	switch code := rego.CodeOf(err); {
	case err == nil && broken:
		r.p.log.Info("the files that could not be used are mended")
	case errors.Is(err, errPolicy):
		r.saved.retry = time.Now()
	case code == rego.Timeout || code == rego.Died:
		r.saved.retry = time.Now().Add(retryAfter)
	}
	if err != nil && err.Error() != r.problem {
		r.problem = err.Error()
		r.p.log.Error("nothing is changed: what was to be read anew cannot be used", located(err)...)
	}
}

// reload reads all files and puts them in force, unless fault finds one with them.
func (p *Policies) reload(ctx context.Context, fault whole) error {
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
	if err := fault(reg, listen.Passwords.Number()); err != nil {
		return err
	}
	ok, err := p.ingest.Renew(ctx, ingest.Renewal{Register: reg, Digest: digest, Plans: plans, Listen: listen})
	if err != nil {
		return err
	}
	if !ok {
		return errPolicy
	}
	before := p.View().Register
	p.users = listen.Passwords.Number()
	p.update(func(v *View) { v.Register = reg })
	p.sayRead(before, reg)
	p.changed()
	return nil
}

// sayRead says how many sensors have come and gone. That most are gone is hardly ever meant, and
// here somebody has asked for it, or they were few.
func (p *Policies) sayRead(before, now *register.Register) {
	known := make(map[string]bool)
	if before != nil {
		for i := range before.Sensors {
			known[before.Sensors[i].ID] = true
		}
	}
	had, added := len(known), 0
	for i := range now.Sensors {
		if id := now.Sensors[i].ID; known[id] {
			delete(known, id)
		} else {
			added++
		}
	}
	const hint = "where that is not meant, put the entries back"
	switch {
	case had > 0 && len(now.Sensors) == 0:
		p.log.Warn("the register has become empty: every sensor is unknown from now on, and what it sends is refused",
			"sensors_before", had, "hint", hint)
	case 2*len(known) > had:
		p.log.Warn("most sensors have left the register: they are unknown from now on, and what they send is refused",
			"sensors_before", had, "gone", len(known), "hint", hint)
	}
	p.log.Info("register, passwords and certificates are read anew", "sensors", len(now.Sensors), "new", added,
		"gone", len(known))
}

// readmit reads the listener's passwords and certificates, where the register is as it was: who
// may come in no more must not wait for a hundred thousand entries.
func (p *Policies) readmit(fault whole) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	listen, err := p.cfg.Listener()
	if err != nil {
		return err
	}
	reg := p.View().Register
	users := listen.Passwords.Number()
	if err := fault(reg, users); err != nil {
		return err
	}
	p.ingest.Admit(reg, listen)
	p.log.Info("passwords and certificates are read anew", "users", users, "users_before", p.users)
	p.users = users
	return nil
}

// inFile is an error about a place in a file, as the readers of YAML write it; the lines
// behind it show that place.
var inFile = pattern.New(`^(.+): \[(\d+):(\d+)\] (.+)`)

// located is an error as a line of the log: where it is in which file, what is wrong and how
// to mend it, without the lines of the file.
func located(err error) []any {
	var f register.Fault
	if errors.As(err, &f) && f.Unwrap() == nil {
		return []any{"file", f.File, "line", f.Line, "error", f.What()}
	}
	m := inFile.FindStringSubmatch(err.Error())
	if m == nil {
		return []any{"error", err}
	}
	line, _ := strconv.Atoi(m[2])
	column, _ := strconv.Atoi(m[3])
	return []any{"file", m[1], "line", line, "column", column, "error", m[4]}
}
