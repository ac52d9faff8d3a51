package opendata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"sluice/books/union"
)

func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{\"ok\":true}\n")) // the client may be gone
}

// lookEvery is the interval at which all gateways' books are checked.
const lookEvery = 10 * time.Second

// watchBooks logs when some gateways' books become unusable, and when they are usable
// again.
func (c *city) watchBooks(ctx context.Context) {
	wait := lookEvery // a gateway that starts beside it has begun by then
	_, several := c.books.(doubtful)
	if several {
		wait = 0
	}
	var charters confirmed
	for was := ""; ; wait = lookEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		now := strings.Join(c.problems(), "; ")
		switch {
		case now == was:
		case !several && now != "":
			c.log.Warn("there are no public books yet, so nothing is shown", "problem", now)
		case !several:
			c.log.Info("the public books are there")
		case now == "":
			c.log.Info("all books can be used again")
		default:
			c.log.Warn("not all books can be used; what the others have is shown",
				"problem", now)
		}
		was = now
		if c.all == nil {
			continue
		}
		switch now, news := charters.look(c.all.Differing()); {
		case news && now == "":
			c.log.Info("the gateways have one charter again")
		case news:
			c.log.Warn("the gateways' charters differ: one has not taken the last motion, or it was not for all",
				"difference", now)
		}
	}
}

// confirmed is a state that two looks in a row have seen: a single look may fall between
// the moments at which two gateways take a motion.
type confirmed struct{ last, logged string }

// look returns what has been seen twice, and whether that is new.
func (t *confirmed) look(now string) (logged string, news bool) {
	if again := now == t.last; !again || now == t.logged {
		t.last = now
		return t.logged, false
	}
	t.logged = now
	return now, true
}

// doubtful are books of several places, some of which may be unusable.
type doubtful interface{ Problems() []string }

// problems describes which gateways' books are unusable, and why; for a single gateway,
// only that there are no books.
func (c *city) problems() []string {
	if several, ok := c.books.(doubtful); ok {
		return several.Problems()
	}
	if _, err := c.books.Get("city.json"); errors.Is(err, fs.ErrNotExist) {
		return []string{fmt.Sprintf("the books %s cannot be read: %v", c.where, union.ErrNone)}
	}
	return nil
}

// readiness is what /readyz says of a city.
type readiness struct {
	Checks  map[string]check `json:"checks"`
	Ready   bool             `json:"ready"`
	LeftOut int64            `json:"rows_left_out"`
}

type check struct {
	Hint  string     `json:"hint"`
	OK    bool       `json:"ok"`
	Since *time.Time `json:"since,omitempty"`
}

// readiness checks the books and the store. Since is when the store's answer last changed.
func (c *city) readiness(ctx context.Context) readiness {
	_, err := c.source.Latest(ctx)
	c.mu.Lock()
	if c.since.IsZero() || c.ready != (err == nil) { // of the store
		c.ready, c.since = err == nil, time.Now().UTC().Truncate(time.Second)
	}
	since := c.since
	c.mu.Unlock()
	hint := c.shown.Hint() // it serves all the same
	if err != nil {
		hint = "the store or the books cannot be read; the log says which, and what to do"
	}
	r := readiness{map[string]check{"store": {hint, err == nil, &since}}, err == nil, c.shown.LeftOut()}
	// where some are away, the others are served all the same
	_, several := c.books.(doubtful)
	if problems := c.problems(); several || len(problems) > 0 {
		r.Checks["books"] = check{strings.Join(problems, "; "), len(problems) == 0, nil}
	}
	return r
}

func (c *city) readyz(w http.ResponseWriter, r *http.Request) {
	now := c.readiness(r.Context())
	w.Header().Set("Content-Type", "application/json")
	if !now.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(now) // the client may be gone
}
