package door

import (
	"log/slog"
	"net/http"
	"time"
)

// Bounds of a connection.
const (
	headerTime  = 5 * time.Second  // from the first byte that may come to the end of a header
	requestTime = 10 * time.Second // for all of a request
	answerTime  = 30 * time.Second // for all of an answer, made and read
	idleTime    = 10 * time.Second // between two requests
	headerBytes = 16 << 10

	// An answer is sent in parts of this size, each of which the client must read within
	// partTime: the slowest reader that is served gets 3 kB a second.
	part     = 16 << 10
	partTime = 5 * time.Second
	// sendBuffer is what the system may hold of an answer that is not read, in bytes; it
	// doubles the number.
	sendBuffer = 64 << 10
)

// Server returns the server of a Listener; run it with Serve(d).
func Server(d *Listener, handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: answerTime,
		IdleTimeout:    idleTime,
		MaxHeaderBytes: headerBytes, ConnState: d.State, ConnContext: withConn,
		// OPTIONS * goes to the handler like other methods
		DisableGeneralOptionsHandler: true,
		// net/http logs addresses, and values of panics
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

// Abort ends a request's connection in the middle of its answer, so that nobody takes what
// came for the whole: not even a client or a proxy of HTTP/1.0, to whom the end of the
// connection is the end of the answer (RFC 9112, section 8), unless it is a reset.
func Abort(w http.ResponseWriter) {
	raw, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http ends it its way
	}
	if c, ok := raw.(*conn); ok {
		c.door.leave(c)
		c.abort()
		return
	}
	_ = raw.Close()
}

// Aside takes a request's connection out of its listener's limits. Whoever calls it bounds
// such connections itself, and answers so that they end with the answer.
func Aside(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*conn); ok {
		c.door.leave(c)
	}
}
