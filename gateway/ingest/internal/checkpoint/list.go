package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const listFile = "segments"

// maxList bounds what is read of the list, in bytes.
const maxList = 256 << 20

// listed is what the list says of one segment.
type listed struct {
	Number uint64 `json:"number"`
	// Blocks and Size are how much there is of a segment that nothing is appended
	// to any more; of the one being written the mark says it.
	Blocks uint64 `json:"blocks,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Open   bool   `json:"open,omitempty"`
	// Names are the windows and epochs that something in it may belong to: they are
	// what is lost with it.
	Names []string `json:"names"`
}

// list is which segments there are. It lies beside the keys, like the mark: a
// segment that is missing, or more than there should be, is known by it. Names
// of windows are no secret there, they are the key files' names.
type list struct {
	Segments []listed `json:"segments"`
}

var errList = errors.New("it is damaged")

// readList returns the list; fs.ErrNotExist where there is none.
func (k *Keys) readList() (list, error) {
	if k.dir == "" {
		return list{}, fs.ErrNotExist
	}
	f, err := os.Open(filepath.Join(k.dir, listFile))
	if err != nil {
		return list{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxList))
	if err = errors.Join(err, f.Close()); err != nil {
		return list{}, err
	}
	body, sum, _ := bytes.Cut(raw, []byte("\n"))
	var l list
	if string(sum) != checked(body) || json.Unmarshal(body, &l) != nil {
		return list{}, errList
	}
	return l, nil
}

// writeList replaces the list, whole or not at all.
func (k *Keys) writeList(l list) error {
	body, err := json.Marshal(&l)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return k.put(listFile, append(append(body, '\n'), checked(body)...))
}

// Tend sees to it that list and mark are what memory has, and reports whether they
// were lost or wrong and are written again.
func (l *Log) Tend() (mended bool, err error) {
	if l.keys.dir == "" || l.newest == nil {
		return false, nil
	}
	if m, err := l.keys.readMark(); err != nil || m != l.mark.last {
		mended = true
		_ = l.mark.close() // its file may be another one now
		if err := l.mark.set(l.keys, l.mark.last); err != nil {
			return mended, err
		}
	}
	want, err := json.Marshal(listOf(l.closed, l.holds))
	if err != nil {
		return mended, fmt.Errorf("checkpoint: %w", err)
	}
	got, err := l.keys.readList()
	if err == nil {
		if body, err := json.Marshal(got); err == nil && bytes.Equal(body, want) {
			return mended, nil
		}
	}
	return true, l.keys.writeList(listOf(l.closed, l.holds))
}

func checked(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]) + "\n"
}
