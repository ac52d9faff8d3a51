package ingest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/plan"
)

// Units of an epoch that goes on in a cluster must keep their tags, and so must messages of a window: else a phone
// would count twice. So fronts use the keys of the gateway that ran alone there. They travel sealed with keys for tags
// of the cluster, of the same epoch, which fronts have and no disk has, and die with those:
//
//	label[16] nonce[12] sealed(key[32])[48]
//
// The label is derived as the key is, so that an item names no stream, and nobody finds it who has not the key.
const (
	movedLabel = 16
	// MovedItem is the length of one.
	MovedItem = movedLabel + 12 + 32 + 16
)

// Moved are sealed keys of a gateway that ran alone, by their labels.
type Moved map[[movedLabel]byte][]byte

// ReadMoved adds the items that a text has; what is cut off is left out.
func (m Moved) ReadMoved(text []byte) {
	for item := range slices.Chunk(text, MovedItem) {
		if len(item) == MovedItem {
			m[[movedLabel]byte(item)] = slices.Clone(item[movedLabel:])
		}
	}
}

// Keys are the keys of all windows and epochs that are open, as items. Those of which the cluster has no key for tags
// any more are left out: nothing can come for them.
func (m *Move) Keys(ctx context.Context, keys Keys) (items []byte, err error) {
	add := func(name string, spec *plan.Stream, start time.Time) error {
		own, has := m.inner.journal.keys.Get(name)
		if !has {
			return nil
		}
		key, err := awaitKey(ctx, keys, dayOf(spec, start), tagUse(spec, start))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer clear(key)
		items, err = appendMoved(items, key, name, own)
		return err
	}
	for id, s := range m.inner.windows.streams {
		for _, w := range s.windows {
			if w.Lost {
				continue
			}
			if err := add(w.name, w.Stream, w.Start); err != nil {
				return nil, err
			}
		}
		for _, e := range s.epochs {
			if _, spec := m.inner.routing.specAt(id, e.start); spec != nil && !e.lost {
				if err := add(e.name, spec, e.start); err != nil {
					return nil, err
				}
			}
		}
	}
	return items, nil
}

// Forget shreds the keys of all windows and epochs: what was moved is not read again.
func (m *Move) Forget() error {
	var errs []error
	for _, name := range m.inner.journal.keys.Names() {
		errs = append(errs, m.inner.journal.keys.Shred(name))
	}
	return errors.Join(errs...)
}

// tagUse is the use of the key by which a stream's units have tags in the epoch of a window; about nobody, its messages
// in the day.
func tagUse(spec *plan.Stream, start time.Time) string {
	from, until := tagSpan(spec, start)
	return fmt.Sprintf("tag-%d-%d-%s", from.Unix(), until.Unix()-from.Unix(), spec.ID)
}

func tagSpan(spec *plan.Stream, start time.Time) (from, until time.Time) {
	if !spec.Unit.None() {
		return spec.Epoch(start)
	}
	from = time.Unix(keyEpoch(start)*daySeconds, 0)
	return from, from.Add(daySeconds * time.Second)
}

// derived is a key of another, for one use.
func derived(key []byte, use string, length int) []byte {
	out, _ := hkdf.Key(sha256.New, key, nil, "sluice "+use, length) // it is short enough
	return out
}

func sealOf(key []byte, name string) (cipher.AEAD, error) {
	own := derived(key, "moved key "+name, 32)
	defer clear(own)
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func appendMoved(items, key []byte, name string, own []byte) ([]byte, error) {
	seal, err := sealOf(key, name)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, seal.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	items = append(items, derived(key, "moved label "+name, movedLabel)...)
	return seal.Seal(append(items, nonce...), nonce, own, nil), nil
}

// of is the key of that name, of a gateway that ran alone; nil for none.
func (m Moved) of(key []byte, name string) []byte {
	if len(m) == 0 {
		return nil
	}
	item := m[[movedLabel]byte(derived(key, "moved label "+name, movedLabel))]
	seal, err := sealOf(key, name)
	if item == nil || err != nil {
		return nil
	}
	own, err := seal.Open(nil, item[:seal.NonceSize()], item[seal.NonceSize():], nil)
	if err != nil {
		return nil // who has put it there did not have the key
	}
	return own
}

// messageKeys are those of a window's tags of messages without seq, which live and die with it; unitKey is that of an
// epoch's tags of units. Both are of a gateway that runs alone.
func messageKeys(key []byte) (k0, k1 uint64) {
	sum := sumOf("sluice message tags", key)
	return binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])
}

func unitKey(key []byte) []byte {
	sum := sumOf("sluice unit tags", key)
	return sum[:pseudonym.KeySize]
}

func sumOf(use string, key []byte) [sha256.Size]byte {
	text := append([]byte(use), key...)
	defer clear(text)
	return sha256.Sum256(text)
}
