package gateway

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"sluice/door"
	"sluice/gateway/config"
)

// front answers at the admin address from the beginning of a start on: a start that
// takes long is said, and not taken for one that hangs.
type front struct {
	server *http.Server
	face   atomic.Pointer[http.Handler] // what is shown now
	ended  chan error                   // why it has ended by itself, once
}

// show has requests answered by a handler from now on.
func (f *front) show(h http.Handler) { f.face.Store(&h) }

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*f.face.Load()).ServeHTTP(w, r) }

// openAdmin listens at the admin address. Elsewhere than on loopback it can be
// right, behind a firewall; then somebody must know.
func (g *Gateway) openAdmin() error {
	l, err := net.Listen("tcp", g.cfg.Admin)
	if err != nil {
		return config.Refuse("admin address: %w; choose another (--admin, or admin in the file)", err)
	}
	g.admin = door.ListenAdmin(l)
	if !door.Loopback(l.Addr()) {
		g.log.Warn("the admin address is not on loopback; "+adminOpen, "fix", adminFix)
	}
	f := &front{ended: make(chan error, 1)}
	f.show(starting(time.Now()))
	f.server = door.Server(g.admin, door.Admin(g.admin.Addr(), g.cfg.Admin, g.careful(f)))
	g.front = f
	go func() {
		if err := f.server.Serve(g.admin); !errors.Is(err, http.ErrServerClosed) {
			f.ended <- err
		}
	}()
	return nil
}

// starting is what a gateway says of itself while it starts.
func starting(since time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"now": nil, "released_through": nil})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"ready": false, "checks": map[string]check{
			"intake": {Since: since.UTC().Truncate(time.Second), Hint: "the gateway starts: it reads what was open before; nothing is taken yet"},
		}})
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the gateway starts; there is nothing to count yet", http.StatusServiceUnavailable)
	})
	return mux
}
