package rollback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"sluice/gateway/host"
	"sluice/gateway/ledger"
	"sluice/perm"
)

const headName = "head.json"

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

// headFile keeps the head beside the keys.
type headFile struct {
	keys    string // the directory of keys; empty for none, and then there is no head
	gateway string // whose it is
	books   heads
	log     *slog.Logger
	damaged sync.Once // it was said
}

// heads is how far the books have come.
type heads interface {
	Head(ctx context.Context) (ledger.Head, error)
}

func (f *headFile) path() string { return filepath.Join(f.keys, headName) }

// read is how far the books had come when this machine last released something.
// It lives with the keys, in memory, where no backup of a disk reaches. One that
// is damaged is none: the store and the copies of the books are asked instead.
func (f *headFile) read() (h ledger.Head, known bool, err error) {
	if f.keys == "" {
		return h, false, nil
	}
	raw, err := os.ReadFile(f.path())
	if errors.Is(err, fs.ErrNotExist) {
		return h, false, nil
	}
	if err == nil {
		h, err = readHead(raw)
	}
	if err != nil {
		f.damaged.Do(func() {
			f.log.Warn("the head of the books beside the keys cannot be believed; the store and the copies of the "+
				"books are asked instead, and it is written anew with the next release", "file", f.path(), "error", err)
		})
		return ledger.Head{}, false, nil
	}
	if h.Gateway != "" && h.Gateway != f.gateway {
		return h, false, fmt.Errorf("%s is of gateway %s, and this is %s; give each gateway a directory of its own "+
			"(dir, keys), or, if this one was renamed, remove that file", f.path(), h.Gateway, f.gateway)
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

// save leaves the head. Where it cannot be left, the last one still holds.
func (f *headFile) save(ctx context.Context) {
	if f.keys == "" {
		return
	}
	h, err := f.books.Head(ctx)
	s := sealedHead{Head: h}
	if err == nil {
		s.Sum, err = sumOf(h)
	}
	var raw []byte
	if err == nil {
		raw, err = json.Marshal(s)
	}
	if err == nil {
		err = perm.Replace(f.path(), raw, host.ModePrivate)
	}
	if err != nil && ctx.Err() == nil {
		f.log.Warn("the head of the books cannot be left beside the keys", "error", err)
	}
}
