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

	// An answer is sent in parts of so many bytes, and each must be taken in so long:
	// the slowest reader that is served gets 3 kB in a second.
	part     = 16 << 10
	partTime = 5 * time.Second
	// sendBuffer is what the system may hold of an answer that is not read, in bytes; it
	// doubles the number.
	sendBuffer = 64 << 10
)

// Server serves what comes through a door. Serve it with Serve(d).
func Server(d *Listener, handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headerBytes, ConnState: d.State,
		DisableGeneralOptionsHandler: true,                                                    // OPTIONS * is a method like others
		ErrorLog:                     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // it names addresses, and panics with their values
	}
}
