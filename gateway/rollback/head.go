package rollback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sluice/gateway/host"
	"sluice/gateway/ledger"
	"sluice/perm"
)

const headFile = "head.json"

// sealedHead is head.json: the head and a checksum over it, since one that is
// damaged must not be taken for one that has come further.
type sealedHead struct {
	ledger.Head
	Sum string `json:"sum,omitempty"` // SHA-256 of the head's JSON; not in those of earlier versions
}

func sumOf(h ledger.Head) (string, error) {
	raw, err := json.Marshal(h)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), err
}

func (g *Guard) headPath() string { return filepath.Join(g.keys, headFile) }

// head is how far the books had come when this machine last released something.
// It lives with the keys, in memory, where no backup of a disk reaches. One that
// is damaged is none: the store and the copies of the books are asked instead.
func (g *Guard) head() (h ledger.Head, known bool, err error) {
	if g.keys == "" {
		return h, false, nil
	}
	raw, err := os.ReadFile(g.headPath())
	if errors.Is(err, fs.ErrNotExist) {
		return h, false, nil
	}
	if err == nil {
		h, err = readHead(raw)
	}
	if err != nil {
		g.damagedHead.Do(func() {
			g.log.Warn("the head of the books beside the keys cannot be believed; the store and the copies of the books are asked instead, and it is written anew with the next release", "file", g.headPath(), "error", err)
		})
		return ledger.Head{}, false, nil
	}
	if h.Gateway != "" && h.Gateway != g.cfg.Gateway {
		return h, false, fmt.Errorf("%s is of gateway %s, and this is %s; give each gateway a directory of its own (dir, keys), or, if this one was renamed, remove that file", g.headPath(), h.Gateway, g.cfg.Gateway)
	}
	return h, true, nil
}

func readHead(raw []byte) (ledger.Head, error) {
	var s sealedHead
	if err := json.Unmarshal(raw, &s); err != nil {
		return s.Head, errors.New("it is no JSON object")
	}
	if s.Sum == "" {
		if s.Streams == nil {
			return s.Head, errors.New("it names no stream")
		}
		return s.Head, nil // an earlier version's
	}
	sum, err := sumOf(s.Head)
	if err == nil && sum != s.Sum {
		err = errors.New("its checksum is wrong")
	}
	return s.Head, err
}

// SaveHead leaves the head. Where it cannot be left, the last one still holds.
func (g *Guard) SaveHead(ctx context.Context) {
	if g.keys == "" {
		return
	}
	h, err := g.ledger.Head(ctx)
	s := sealedHead{Head: h}
	if err == nil {
		s.Sum, err = sumOf(h)
	}
	var raw []byte
	if err == nil {
		raw, err = json.Marshal(s)
	}
	if err == nil {
		err = perm.Replace(g.headPath(), raw, host.ModePrivate)
	}
	if err != nil && ctx.Err() == nil {
		g.log.Warn("the head of the books cannot be left beside the keys", "error", err)
	}
}
