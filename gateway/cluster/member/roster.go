package member

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/roster"
)

// rosterSubject is where rosters are in the log of epochs, each as roster.Signature in JSON.
const rosterSubject = "epochs.roster"

// signed reads the roster in the file.
func (c *Config) signed(ctx context.Context) (s roster.Signature, r *roster.Roster, by string, err error) {
	return roster.Settled(ctx, c.Roster, c.file("signers"))
}

// latest is the roster that the city has come to, by the log, and the number of the last entry. What is there and no
// roster that this machine's signers have signed is passed over; of two of one version the first holds.
func (m *Member) latest(ctx context.Context) (is *roster.Roster, last uint64, err error) {
	for e, err := range m.epochs.Entries(ctx, rosterSubject, 1) {
		if err != nil {
			return nil, 0, err
		}
		last = e.Seq
		var s roster.Signature
		if json.Unmarshal(e.Body, &s) != nil {
			continue
		}
		r, _, err := s.Verify(m.c.Roster, m.c.file("signers"))
		if err == nil && (is == nil || r.Version > is.Version) {
			is = r
		}
	}
	return is, last, nil
}

// errBehind says that the city has another roster than this machine.
var errBehind = errors.New("the city has come to a later roster than this machine has")

// Committed reports whether a front has committed to a day's keys; who has no commitment has sealed nothing with them.
// A roster that is not the city's latest may lack the front: then nobody can say, which is an error.
func (m *Member) Committed(ctx context.Context, day int64) (bool, error) {
	mine := m.roster.Load().Version
	is, err := m.Ring.Committed(ctx, day)
	if is || err != nil {
		return is, err
	}
	latest, _, err := m.latest(ctx)
	if err == nil && latest != nil && latest.Version > mine {
		err = errBehind
	}
	return false, err
}

// agree holds a roster against the one that the city has come to, and has the city come to it if it is the next.
func (m *Member) agree(ctx context.Context, s roster.Signature, r *roster.Roster) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	for {
		is, last, err := m.latest(ctx)
		if err != nil {
			return err
		}
		if is != nil {
			if err := r.Follows(is, m.place.Now()); err != nil || r.Version == is.Version {
				return err
			}
		}
		if _, err = m.epochs.Append(ctx, rosterSubject, last, rand.Text(), body); !errors.Is(err, engine.ErrFenced) {
			return err
		}
	}
}

// reread takes the roster that is there, if it is a later one of ours. An error says that this member has no place in
// it any more: its work is over.
func (m *Member) reread(ctx context.Context) error {
	s, r, by, err := m.c.signed(ctx)
	if err == nil {
		if err = m.agree(ctx, s, r); err != nil {
			err = fmt.Errorf("%s: %w", m.c.Roster, err)
		}
	}
	before := m.roster.Load()
	if errors.Is(err, engine.ErrAway) && r.Version == before.Version || ctx.Err() != nil {
		return nil // nobody says that there is another one
	}
	if err != nil {
		if m.read.News(err.Error()) {
			m.place.Log.Error("the roster is not taken; the one before holds", "error", err)
		}
		return nil
	}
	m.read.News("")
	if err := m.c.in(r); err != nil {
		return fmt.Errorf("roster %d has no place for this machine any more, which ends: %w", r.Version, err)
	}
	if r.Version > before.Version {
		m.place.Log.Info("another roster holds", "version", r.Version, "signed_by", by)
		m.roster.Store(r)
	}
	return nil
}
