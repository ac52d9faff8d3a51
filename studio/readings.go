package studio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"sluice/brief"
	"sluice/policy/bundle"
	"sluice/simulate"
)

// maxRecordings bounds the files of readings that are kept; each is at most as long as a form.
const maxRecordings = 4

// recordings are files of readings that somebody has chosen in the browser. They may be about people,
// so they are kept in memory only, and nothing writes them anywhere. It is safe for concurrent use.
type recordings struct {
	mu   sync.Mutex
	list []*recorded // guarded by mu; the newest last
}

// recorded is one of them.
type recorded struct {
	id, name string
	r        *simulate.Recording
}

func (l *recordings) put(one *recorded) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(slices.DeleteFunc(l.list, func(x *recorded) bool { return x.id == one.id }), one)
	l.list = l.list[max(0, len(l.list)-maxRecordings):]
}

// all are those that are there.
func (l *recordings) all() []*recorded {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// get is nil where there is none of this id.
func (l *recordings) get(id string) *recorded {
	for _, x := range l.all() {
		if x.id == id {
			return x
		}
	}
	return nil
}

// columns is a first guess of where things stand in a file of readings.
func columns(d *bundle.Decision) string {
	out := "ts=time,sensor=zone"
	for _, field := range d.Keep {
		out += ",field." + field + "=" + field
	}
	return out
}

// seeReadings takes a file of readings, to be tried instead of a street.
func (s *Server) seeReadings(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseMultipartForm(maxBody); err != nil { // no more than that is read, so none is put on a disk
		return err
	}
	d, err := s.drafted(r)
	if err != nil {
		return err
	}
	file, head, err := r.FormFile("file")
	if err != nil {
		return &fault{http.StatusBadRequest, "see.no-file"}
	}
	defer file.Close()
	raw, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	name, mapping := path.Base(head.Filename), strings.TrimSpace(r.PostForm.Get("columns"))
	recording, err := simulate.ReadRecording(bytes.NewReader(raw), name, mapping, "auto", d.policy.Location.String())
	if err == nil {
		_, err = recording.InZones(d.policy, d.decision)
	}
	if err != nil {
		page, failed := s.seen(r, true)
		if failed != nil {
			return failed
		}
		page.Unread, page.Columns = brief.Report(s.retell(r, err.Error())), mapping
		return s.showWith(w, r, http.StatusUnprocessableEntity, "see", page)
	}
	sum := sha256.Sum256(fmt.Append(raw, mapping))
	one := &recorded{hex.EncodeToString(sum[:8]), brief.Report(name), recording}
	s.recordings.put(one)
	return s.goTo(w, r, "/see/"+url.PathEscape(r.PathValue("id"))+"?street="+one.id)
}

// retell is an error of simulate in the page's language, where there are words for it.
func (s *Server) retell(r *http.Request, english string) string {
	if sp, ok := s.speech(langOf(r)).(interface{ Retell(string) string }); ok {
		return sp.Retell(english)
	}
	return english
}
