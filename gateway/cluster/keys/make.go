package keys

import (
	"context"
	"errors"

	"sluice/gateway/cluster/engine"
)

// draft are an epoch's keys that are not known to be those of its commitment: of a front that makes some.
type draft struct {
	signed []byte // the commitment
	is     *commitment
	all    digests
	keys   bunch
}

// make makes an epoch's keys, and commits to them behind the last entry of its subject, of which none is a commitment.
// Whether it is these that the epoch has, or another front's, the log says afterwards.
func (r *Ring) make(ctx context.Context, at span, last uint64) error {
	d, err := r.draft(at)
	if err != nil || !r.c.Now().Before(d.is.Until) {
		return err
	}
	_, err = r.c.Commitments.Append(ctx, at.subject(), last, d.is.SHA256, d.signed)
	if errors.Is(err, engine.ErrFenced) {
		return nil // another front was first: its keys are asked for
	}
	return err
}

// draft is what this front has drawn for an epoch, now or in an attempt before of which nobody knows the end.
func (r *Ring) draft(at span) (*draft, error) {
	r.have.mu.Lock()
	d := r.have.epochs[at].draft
	r.have.mu.Unlock()
	if d != nil {
		return d, nil
	}
	if d = r.shelf.draft(r.c.Roster(), at); d == nil {
		if err := r.shelf.shred(at); err != nil {
			return nil, err
		}
		var err error
		if d, err = r.drawn(at); err != nil {
			return nil, err
		}
		if err := r.shelf.put(at, d.signed, d.all, d.keys); err != nil {
			d.keys.wipe(nil)
			return nil, err
		}
	}
	r.have.mu.Lock()
	defer r.have.mu.Unlock()
	r.have.epochs[at].draft = d
	return d, nil
}

// drawn draws an epoch's keys, and signs the commitment to them.
func (r *Ring) drawn(at span) (*draft, error) {
	b, err := draw(at, r.c.Partitions)
	if err != nil {
		return nil, err
	}
	all := digestsOf(b, at, r.c.Partitions)
	is := &commitment{Epoch: at.String(), Partitions: r.c.Partitions, Until: r.have.until(at).UTC(), SHA256: all.sum()}
	raw, err := line(is)
	if err != nil {
		return nil, err
	}
	signed, err := r.c.Me.Sign(commitmentSpace, raw)
	if err != nil {
		return nil, err
	}
	return &draft{signed, is, all, b}, nil
}
