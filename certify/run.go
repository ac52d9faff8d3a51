package certify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/certify/report"
	"sluice/certify/tap"
)

// finish notes how a check went, and shows it. The first word on a check stands.
func (r *run) finish(name string, result report.Result, found string) {
	if _, done := r.done[name]; done {
		return
	}
	codes := r.codes(name)
	if len(codes) > 0 && result == report.Pass {
		result = report.Fail
	}
	c := report.Check{Check: name, Result: result, Found: found, Codes: codes}
	r.done[name] = c
	r.o.Show(c)
}

func (r *run) pass(name, found string, args ...any) {
	r.finish(name, report.Pass, fmt.Sprintf(found, args...))
}

func (r *run) fail(name, found string, args ...any) {
	r.finish(name, report.Fail, fmt.Sprintf(found, args...))
}

func (r *run) untried(name, found string, args ...any) {
	r.finish(name, report.Untried, fmt.Sprintf(found, args...))
}

// says is a sentence for a device that speaks docs/wire.md's own format, or one for a device of a preset.
func (r *run) says(own, wrapped string) string {
	if r.bench.Preset != nil {
		return wrapped
	}
	return own
}

// await waits until something is so, and no longer than a limit. It reports whether it is so; r.err is set
// where the run cannot go on.
func (r *run) await(ctx context.Context, what string, limit time.Duration, so func() bool) bool {
	end := time.Now().Add(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for r.err == nil && !so() {
		select {
		case e := <-r.tap.Events():
			fresh := r.rec.see(e)
			if r.watch != nil {
				r.watch(e, fresh)
			}
		case now := <-tick.C:
			if now.After(end) {
				return false
			}
			if limit > time.Second {
				r.o.Progress(fmt.Sprintf("%s (%s)", what, end.Sub(now).Round(time.Second)))
			} else {
				r.o.Progress(what)
			}
		case <-r.bench.Ended():
			r.err = errors.New("the bench's own gateway has stopped")
		case <-ctx.Done():
			r.err = context.Cause(ctx)
		}
	}
	return r.err == nil
}

// pause takes what comes for some time.
func (r *run) pause(ctx context.Context, what string, limit time.Duration) {
	r.await(ctx, what, limit, func() bool { return false })
}

// watching has a function told of what passes while another runs.
func (r *run) watching(watch func(e tap.Event, fresh []stamp), during func()) {
	r.watch = watch
	during()
	r.watch = nil
}
