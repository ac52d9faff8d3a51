package opendata

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sluice/door"
	"sluice/opendata/httpcache"
)

// burst is how many seconds' worth a client may ask for at once.
const burst = 5

// maxClients are tracked at most. A client is dropped as soon as its bucket is full again.
const maxClients = 50_000

// limiter allows each client a number of requests a second. Clients are told apart by a
// door.Hash of their address; no address is stored.
type limiter struct {
	perSecond float64
	hash      door.Hash

	mu      sync.Mutex
	clients map[uint64]*client // guarded by mu
	swept   time.Time          // guarded by mu
}

type client struct {
	bucket *rate.Limiter
	seen   time.Time
}

func newLimiter(perSecond float64) *limiter {
	return &limiter{perSecond: perSecond, hash: door.NewHash(), clients: make(map[uint64]*client)}
}

// wrap answers 429 to requests beyond the rate, and reports in every answer what is left:
// RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10).
func (l *limiter) wrap(next http.Handler) http.Handler {
	size := l.size()
	policy := []string{fmt.Sprintf(`"client";q=%d;w=%d`, size, int(math.Ceil(l.refill().Seconds())))}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		left, wait := l.take(r.RemoteAddr, time.Now())
		h := w.Header()
		h["Ratelimit-Policy"] = policy
		h["Ratelimit"] = []string{fmt.Sprintf(`"client";r=%d;t=%d`, left, wait)}
		if left < 0 {
			h["Ratelimit"] = []string{fmt.Sprintf(`"client";r=0;t=%d`, wait)}
			door.Drop(w, r)
			h.Set("Retry-After", strconv.Itoa(wait))
			httpcache.Problem(w, r, http.StatusTooManyRequests, "rate", "Too many requests",
				"wait as long as Retry-After says; a whole series is one file: ask for it without limit, see /data")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refill is how long an empty bucket takes to be full again.
func (l *limiter) refill() time.Duration {
	return time.Duration(float64(l.size()) / l.perSecond * float64(time.Second))
}

func (l *limiter) size() int { return max(1, int(math.Ceil(l.perSecond*burst))) }

// take returns how many requests are left after this one, negative if this one is too many,
// and the seconds until there are more.
func (l *limiter) take(address string, now time.Time) (left, wait int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	key := l.hash.Of(address)
	c := l.clients[key]
	if c == nil {
		c = &client{bucket: rate.NewLimiter(rate.Limit(l.perSecond), l.size())}
		l.clients[key] = c
	}
	c.seen = now
	wait = max(1, int(math.Ceil(1/l.perSecond)))
	if !c.bucket.AllowN(now, 1) {
		return -1, wait
	}
	return int(c.bucket.TokensAt(now)), wait
}

// sweep drops clients whose buckets are full again. If there are still too many, it drops
// all: the limit only has to keep one client from taking everything.
func (l *limiter) sweep(now time.Time) {
	if len(l.clients) >= maxClients {
		clear(l.clients)
	}
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	for key, c := range l.clients {
		if now.Sub(c.seen) > l.refill() {
			delete(l.clients, key)
		}
	}
}
