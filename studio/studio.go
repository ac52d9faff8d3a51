// Package studio is a local page in which a council's decisions are drafted, looked at and put to
// the vote, for people who use no editor and no shell. It is another way to the files that git and
// the verbs of sluice policy see, and calls the same code; it keeps nothing anywhere else.
//
// It listens on this machine only. Its address has a secret that is drawn at each start:
//
//	http://127.0.0.1:PORT/SECRET/LANGUAGE/PAGE
//
// so that no other page, and no other program that does not read the terminal, can ask it for
// anything (guard.go). Every page works without its script by plain forms; scripts only improve.
package studio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"sluice/door"
	"sluice/policy/explain"
	"sluice/policy/rego"
	"sluice/simulate"
)

// Options are what a studio needs from its surroundings.
type Options struct {
	// Dir is the policy directory.
	Dir string
	// Addr is HOST:PORT of this machine; port 0 for any that is free.
	Addr string
	// Lang is the language of the address that is printed.
	Lang explain.Lang
	// Rules are asked what charter and plans say.
	Rules rego.Evaluator
	// Speech is what simulate says its sentences in; nil for English.
	Speech func(explain.Lang) simulate.Speech
	// Now is the time.
	Now func() time.Time
	// Kinds is kinds.yaml of a town that is founded.
	Kinds []byte
	// Inboxes are directories that get a copy of what is enacted: the one place outside Dir that
	// is written, and only whoever starts the studio names it.
	Inboxes []string
}

// Server is one studio, over one directory.
type Server struct {
	o          Options
	desk       *desk
	listener   net.Listener
	secret     string
	mux        *http.ServeMux
	pages      pages
	drafts     *drafts
	streets    streets
	recordings recordings
	press      chan struct{} // who prints holds its one place
}

// maxConnections bounds open connections: a browser opens six.
const maxConnections = 64

// Open reads the directory and begins to listen. The error names the address or the directory.
func Open(o Options) (*Server, error) {
	if err := loopback(o.Addr); err != nil {
		return nil, err
	}
	desk, err := openDesk(o.Dir)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w; choose another address by --http", err), desk.Close())
	}
	s := &Server{o: o, desk: desk, listener: l, secret: rand.Text(), mux: http.NewServeMux(),
		press: make(chan struct{}, 1)}
	s.pages, s.drafts = readPages(), &drafts{desk: desk, of: make(map[string]*history)}
	s.register()
	return s, nil
}

// loopback refuses an address that others than this machine could reach.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%w; --http is HOST:PORT, e.g. 127.0.0.1:8090", err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return errors.New("the studio listens on this machine only: --http is 127.0.0.1:PORT, or [::1]:PORT")
}

// Address is what a browser opens, with the secret.
func (s *Server) Address() string {
	return "http://" + s.listener.Addr().String() + s.base(s.o.Lang) + "/"
}

// base is what every path of a language begins with.
func (s *Server) base(l explain.Lang) string { return "/" + s.secret + "/" + l.String() }

// Close ends a studio that has not run.
func (s *Server) Close() error { return errors.Join(s.listener.Close(), s.desk.Close()) }

// stopTime is how long requests may take to their end once the studio stops.
const stopTime = 3 * time.Second

// Run serves until ctx ends, and closes what Open opened.
func (s *Server) Run(ctx context.Context) error {
	d := door.Listen(s.listener, door.Limits{Total: maxConnections})
	server := door.Server(d, s)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(d) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		// What is under way may end: a file is saved whole or not at all in either case.
		rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if server.Shutdown(rest) != nil {
			err = server.Close()
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, s.desk.Close())
}

// Founding reports whether the directory has no policy yet, and Made whether it was not there either
// and has been made. One that is still empty at the end is removed again.
func (s *Server) Founding() bool { return s.desk.founding() }

// Made is explained with Founding.
func (s *Server) Made() bool { return len(s.desk.made) > 0 }

// foundPath is the page on which a town is founded; until then every other page leads there.
const foundPath = "/found"

// page registers one page: a pattern of net/http, behind secret and language. What h returns is
// shown as a page that says what is wrong.
func (s *Server) page(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	if !strings.Contains(pattern, " /") {
		panic("studio: a pattern is METHOD /PATH")
	}
	always := strings.HasSuffix(pattern, " "+foundPath) || strings.Contains(pattern, " /static/")
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if !always && s.desk.founding() {
			http.Redirect(w, r, s.base(langOf(r))+foundPath, http.StatusSeeOther)
			return
		}
		if err := h(w, r); err != nil {
			s.problem(w, r, err)
		}
	})
}
