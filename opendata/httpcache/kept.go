package httpcache

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// minCompress is the length in bytes from which on compression is worth its time.
const minCompress = 1024

// kept is an answer ready to be sent, with its headers. It does not change but for again.
type kept struct {
	begun                time.Time   // its making
	until                time.Time   // it is good
	last                 time.Time   // who then begins to wait has it in the end; zero for nobody
	again                atomic.Bool // somebody makes it again
	body                 []byte
	mime, etag, etagGzip []string
	link, file, lang     []string // nil for none
	parts                Parts    // instead of body, which is empty then
	once                 sync.Once
	small                []byte // the body with gzip; owned by once
}

func newKept(r *Reply, begun time.Time) *kept {
	sum := sha256.Sum256(r.Body) // of parts nobody knows one, and none is sent
	tag := hex.EncodeToString(sum[:16])
	a := &kept{begun: begun, body: r.Body, mime: []string{r.Type}, etag: []string{`"` + tag + `"`},
		etagGzip: []string{`"` + tag + `-gzip"`}, parts: r.Parts}
	if r.Next != "" {
		a.link = []string{"<" + r.Next + `>; rel="next"`}
	}
	if r.File != "" {
		a.file = []string{`attachment; filename="` + r.File + `"`}
	}
	if r.Lang != "" {
		a.lang = []string{r.Lang}
	}
	return a
}

func (a *kept) compressed() []byte {
	a.once.Do(func() {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed+2)
		if err != nil {
			return // the level is a constant
		}
		_, _ = z.Write(a.body) // a buffer does not fail
		_ = z.Close()
		a.small = b.Bytes()
	})
	return a.small
}

// gzipped reports whether an Accept-Encoding takes gzip (RFC 9110, section 12.5.3).
func gzipped(accept string) bool {
	best := false
	for part := range strings.SplitSeq(accept, ",") {
		name, rest, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return !refused(rest)
		case "*":
			best = !refused(rest)
		}
	}
	return best
}

func refused(parameters string) bool {
	value, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(parameters, " ", "")), "q=")
	q, err := strconv.ParseFloat(value, 64)
	return ok && (err != nil || q == 0)
}
