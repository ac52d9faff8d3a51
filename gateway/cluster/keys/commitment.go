package keys

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/roster"
)

// Commitments is the log that Spec describes; an engine.Log is one.
type Commitments interface {
	// Append writes an entry if the last one of its subject is numbered expected.
	Append(ctx context.Context, subject string, expected uint64, id string, body []byte) (uint64, error)
	// Entries are a subject's, in order.
	Entries(ctx context.Context, subject string, from uint64) iter.Seq2[engine.Entry, error]
}

const commitmentSpace = "sluice-epoch"

// commitment says which keys an epoch has, and until when.
type commitment struct {
	Epoch      string    `json:"epoch"`
	Partitions int       `json:"partitions"`
	Until      time.Time `json:"until"` // from then on nothing is opened
	SHA256     string    `json:"sha256"`
}

var errCommitment = errors.New("this is no commitment of a front in the roster")

// digest stands for one key, and says nothing of it.
type digest [sha256.Size]byte

func digestOf(use string, k *key) digest {
	h := sha256.New()
	_, _ = io.WriteString(h, "sluice cluster digest 1 "+use+"\x00")
	h.Write(k[:])
	return digest(h.Sum(nil))
}

// digests are those of all keys of an epoch, in the order of uses.
type digests []digest

func digestsOf(b bunch, at span, partitions int) digests {
	var list digests
	for _, use := range at.uses(partitions) {
		list = append(list, digestOf(use, b[use]))
	}
	return list
}

// sum is what a commitment says of them.
func (d digests) sum() string {
	h := sha256.New()
	for _, one := range d {
		h.Write(one[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// line is a value as one line of JSON, as it is signed.
func line(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	return raw, err
}

// read reads a line strictly: it must be what line writes of the value.
func read(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if again, err := line(v); err != nil || !bytes.Equal(again, raw) {
		return errors.New("it is written in another way")
	}
	return nil
}

// mostUntil bounds for how long after an epoch a commitment has its keys live. Each member has a limit of its own, too:
// the earlier one counts.
const mostUntil = longest * time.Second

// readCommitment reads one that a front has signed, for an epoch that begins while it is one.
func readCommitment(r *roster.Roster, at span, signed []byte) (*commitment, error) {
	m, raw, err := r.Open(commitmentSpace, signed)
	var c commitment
	if err != nil || !m.FrontAt(time.Unix(at.start, 0)) || read(raw, &c) != nil || c.Epoch != at.String() ||
		c.Partitions < 1 || c.Partitions > MostPartitions || len(c.SHA256) != 2*sha256.Size ||
		c.Until.Before(at.end()) || c.Until.After(at.end().Add(mostUntil)) {
		return nil, errCommitment
	}
	return &c, nil
}

// Committed reports whether a front of the roster has committed to a day's keys.
func (r *Ring) Committed(ctx context.Context, day int64) (bool, error) {
	if day < 0 || day > farthest {
		return false, nil
	}
	is, _, _, err := r.first(ctx, dayOf(day))
	return is != nil, err
}

// first is the commitment that an epoch has, and as it was signed: the first entry that is one. What others have put
// before it, who have no right to, is passed over, and all who have the same roster pass over the same. Last is the
// number of the last entry that was read, behind which one can be written where there is none yet.
func (r *Ring) first(ctx context.Context, at span) (is *commitment, signed []byte, last uint64, err error) {
	members := r.c.Roster()
	for e, err := range r.c.Commitments.Entries(ctx, at.subject(), 1) {
		if err != nil {
			return nil, nil, 0, err
		}
		if is, err := readCommitment(members, at, e.Body); err == nil {
			return is, e.Body, e.Seq, nil
		}
		last = e.Seq
	}
	return nil, nil, last, nil
}
