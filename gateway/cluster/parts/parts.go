// Package parts is how the sums of a closed window come from the owners of a city's partitions to the one who releases
// them: each partition's are written once, sealed, into a log of the engine, and who releases adds up those of all.
//
//	PART   part.EPOCH.P.NAME   what a partition has of a window, as release.Partial.Seal writes it
//
// EPOCH is that of the keys, P the partition; NAME is a keyed hash of stream, window and piece (what is too long for
// one entry is in several), so that no two of them have one subject: the second entry of a subject is refused. Whoever
// owns a partition comes to the same sums from the same log, so it does not matter whose are written.
//
// A window is whole when all partitions have said theirs. One that cannot in time makes it a gap, and is not waited for
// again: what is less than all is no number. What is released is taken out of the log by who has released it. A part of
// such a window that somebody writes once more counts nowhere, and goes with the next.
package parts

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/release"
)

// Spec is the log that parts are in.
func Spec(replicas int) engine.Spec {
	return engine.Spec{Name: "PART", Subjects: []string{all}, Replicas: replicas}
}

// all are the subjects of all parts.
const all = "part.*.*.*"

// Keys are the cluster's: 32 bytes for use part-P, of an epoch. The error is fs.ErrNotExist where they are gone for
// ever; after another one they may be asked for again. What is returned is a copy, and overwritten after use.
type Keys interface {
	Key(epoch int64, use string) ([]byte, error)
}

// Writer writes what owners of partitions have summed up.
type Writer struct {
	Log  *engine.Log
	Keys Keys
}

// Put writes a partition's part of a window, unless it is there, and tries for as long as nobody answers.
func (w *Writer) Put(ctx context.Context, epoch int64, partition int, p release.Partial) error {
	key, err := await(ctx, w.Keys, epoch, partition)
	if err != nil {
		return err
	}
	defer clear(key)
	for n, piece := range p.Pieces() {
		seal, subject, err := placed(key, epoch, partition, p.Key(), n)
		if err != nil {
			return err
		}
		if err := w.put(ctx, seal, subject, piece); err != nil {
			return err
		}
	}
	return nil
}

// put writes one entry.
func (w *Writer) put(ctx context.Context, seal cipher.AEAD, subject string, p release.Partial) error {
	body, err := p.Seal(seal, subject)
	if err != nil {
		return err
	}
	id := rand.Text()
	for {
		_, err := w.Log.Append(ctx, subject, 0, id, body)
		switch {
		case errors.Is(err, engine.ErrFenced):
			return nil // it is there
		case !errors.Is(err, engine.ErrAway) || ctx.Err() != nil:
			return err
		}
	}
}

// await asks for a key while it is on its way.
func await(ctx context.Context, keys Keys, epoch int64, partition int) ([]byte, error) {
	for {
		key, err := keys.Key(epoch, fmt.Sprint("part-", partition))
		if err == nil || gone(err) {
			return key, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// placed is where a piece of a part is, and what seals it: both are derived from the partition's key.
func placed(key []byte, epoch int64, partition int, of release.Key, piece int) (cipher.AEAD, string, error) {
	name, err := hkdf.Key(sha256.New, key, nil, "sluice part's name", 32)
	if err != nil {
		return nil, "", err
	}
	mac := hmac.New(sha256.New, name)
	fmt.Fprintf(mac, "%d %s", of.Start.Unix(), of.Stream)
	if piece > 0 {
		fmt.Fprintf(mac, " %d", piece)
	}
	subject := fmt.Sprintf("part.%d.%d.%s", epoch, partition, hex.EncodeToString(mac.Sum(nil)[:16]))
	seal, err := sealOf(key)
	return seal, subject, err
}

func sealOf(key []byte) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "sluice part 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
