package activation

import (
	"context"
	"errors"
	"strings"
	"time"

	"sluice/brief"
	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
)

// watchEvery is how often an editable policy directory is looked at. A directory
// that is gone in goneLooks looks is gone, and not only being replaced.
const (
	watchEvery = 500 * time.Millisecond
	goneLooks  = 3
)

// directory is an editable policy, which only a simulation may run.
type directory struct {
	p       *Policies
	lookout lookout
}

// first takes the directory as it is. One that cannot be used lets nothing flow.
func (d *directory) first(ctx context.Context) (ingest.Version, error) {
	d.sayPassedOver()
	if files, err := compile.ReadDir(d.p.cfg.Policy.Dir); err == nil {
		d.lookout.look(files.Digest(), time.Now()) // watch need not compile it again
	}
	set, c, v, err := d.prepare(ctx)
	d.rest(err)
	if err != nil {
		d.setProblem(err)
		return ingest.Version{}, err
	}
	kept, err := c.record(set)
	if err == nil {
		err = d.p.enter(ctx, kept)
	}
	if err != nil {
		return v, config.Refuse("policy: %w", err)
	}
	d.p.setCurrent(set, nil)
	return v, nil
}

// prepare compiles the directory and makes its plans, before ingest is there.
func (d *directory) prepare(ctx context.Context) (set *compile.Set, c candidate, v ingest.Version, err error) {
	if c.files, err = compile.ReadDir(d.p.cfg.Policy.Dir); err != nil {
		return nil, c, v, err
	}
	if set, err = d.p.planner.compile(ctx, c); err != nil {
		return nil, c, v, err
	}
	v, err = d.p.plan(ctx, set)
	return set, c, v, err
}

// look reloads the directory when it has been saved; what cannot be used changes nothing and
// is said. A directory that is gone lets nothing flow.
func (d *directory) look(ctx context.Context) time.Duration {
	d.sayPassedOver()
	digest := ""
	if files, err := compile.ReadDir(d.p.cfg.Policy.Dir); err == nil && len(files) > 0 {
		digest = files.Digest()
	}
	if d.lookout.look(digest, time.Now()) {
		err := d.reload(ctx)
		d.setProblem(err)
		d.rest(err)
	}
	return watchEvery
}

// reload puts the directory in force, unless it is already.
func (d *directory) reload(ctx context.Context) error {
	files, err := compile.ReadDir(d.p.cfg.Policy.Dir)
	if current := d.p.View().Current; err == nil && (current == nil || current.Digest != files.Digest()) {
		err = d.p.activate(ctx, candidate{files: files})
	}
	if rego.CodeOf(err) == rego.NoPolicy {
		err = errors.Join(err, d.p.stopAll(ctx))
	}
	return err
}

// rest lets a policy wait that missed a deadline, or that something other than its
// files may have stopped.
func (d *directory) rest(err error) {
	code, pause := rego.CodeOf(err), time.Duration(0)
	switch {
	case err == nil:
		d.lookout.patience = patience{}
		return
	case code == rego.Timeout || code == rego.Died:
		pause = d.lookout.miss(time.Now())
	case code == rego.Other:
		pause = d.lookout.hold(time.Now())
	default:
		d.lookout.patience = patience{}
		return
	}
	if pause > 0 {
		d.p.log.Warn("the same policy is tried again after a pause", "code", code, "pause", pause)
	} else {
		d.p.log.Warn("the same policy is not tried again until it changes", "code", code)
	}
}

// setProblem notes what is wrong with the directory, nil for nothing, and says it once.
func (d *directory) setProblem(err error) {
	v := d.p.View()
	if err != nil && (v.Problem == nil || err.Error() != v.Problem.Error()) {
		code := rego.CodeOf(err)
		d.p.count(code)
		first, _, _ := strings.Cut(err.Error(), "\n")
		switch {
		case v.Latest == nil && code == rego.NoPolicy: // none ever was
			d.p.log.Warn("there is no policy yet, so nothing flows", "code", code, "dir", d.p.cfg.Policy.Dir)
		case v.Running():
			d.p.log.Error("the policy directory cannot be used; the policy in force goes on", "code", code,
				"error", first)
		default:
			d.p.log.Error("there is no policy in force, so nothing flows", "code", code, "error", first)
		}
	}
	d.p.update(func(v *View) { v.Problem = err })
}

// sayPassedOver says which files of the editable directory are no part of the policy by
// their names only.
func (d *directory) sayPassedOver() {
	var names []string
	for _, p := range bundle.PassedOver(d.p.cfg.Policy.Dir) {
		names = append(names, brief.Text(p.File))
	}
	if list := strings.Join(names, ", "); d.lookout.passes(list) {
		d.p.log.Warn("files of the policy directory are passed over, since their names are not written as a "+
			"policy's; the policy runs without them", "files", list,
			"hint", "sluice policy check names each, and how to rename it")
	}
}
