package listener

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"sluice/internal/retry"
)

// Revocations say which certificates hold no more.
type Revocations interface {
	Has(c *x509.Certificate) bool
	// Renew looks for a newer list, and reports whether there is one. An error says why there is
	// none, and what to do.
	Renew() (bool, error)
}

// lookEvery is how often a newer list is looked for: a sensor that is turned out must be gone
// within five seconds.
const lookEvery = time.Second

// shutOut reports whether a connection's certificate holds no more. It is asked when the connection is
// among the admitted: whoever comes in while the list is exchanged is seen here, or by enforce.
func (c *conn) shutOut() bool {
	list := c.l.cfg.Revoked
	return list != nil && slices.ContainsFunc(c.certificates(), list.Has)
}

// certificates are those that a connection has shown and that were verified, its own first; none
// where it has shown none.
func (c *conn) certificates() []*x509.Certificate {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		if chains := secure.ConnectionState().VerifiedChains; len(chains) > 0 {
			return chains[0]
		}
	}
	return nil
}

// follow looks for newer lists until the listener ends.
func (l *Listener) follow() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var said retry.Once
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		renewed, err := l.cfg.Revoked.Renew()
		switch {
		case err != nil && said.News(err.Error()):
			l.cfg.Log.Warn("no newer list of revoked certificates is taken", "err", err)
		case err == nil:
			said.News("")
		}
		if renewed {
			l.enforce()
			l.cfg.Log.Info("there is a newer list of revoked certificates")
		}
	}
}

// enforce cuts off whoever is in with a certificate that holds no more.
func (l *Listener) enforce() { l.admitted.cut((*conn).shutOut, turnedOut) }
