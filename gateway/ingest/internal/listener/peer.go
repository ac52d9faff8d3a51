package listener

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// peer is a TCP connection that knows how long its other side has kept it waiting,
// which is the one thing that tells a sensor that is being served from somebody who
// only takes up room. While it is a stranger it computes in turn, see turns.
type peer struct {
	net.Conn
	from  netip.Prefix // whom it is counted under
	door  string       // through which it came
	turns turns

	began   time.Time
	since   atomic.Int64 // nanoseconds after began since when it has been waited for, plus one; or 0
	waited  atomic.Int64 // nanoseconds in all before that
	heard   atomic.Bool  // it has said something
	settled bool         // nothing of this is needed any more; its reader's own
}

// turns lets a bounded number of strangers compute at a time: handshakes and
// passwords must leave a processor to those whom we know.
type turns chan struct{}

func newPeer(c net.Conn, t turns) *peer {
	return &peer{Conn: c, from: origin(c.RemoteAddr()), turns: t, began: time.Now()}
}

// origin is the address that a connection comes from, of IPv6 the 64 bits that one
// site has (RFC 6177).
func origin(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip, bits := tcp.AddrPort().Addr().Unmap(), 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.WithZone("").Prefix(bits) // both fit
	return p
}

// Read gives up its turn while the other side says nothing.
func (p *peer) Read(b []byte) (int, error) {
	if p.settled {
		return p.Conn.Read(b)
	}
	<-p.turns
	begun := time.Since(p.began)
	p.since.Store(int64(begun) + 1)
	n, err := p.Conn.Read(b)
	p.since.Store(0)
	p.waited.Add(int64(time.Since(p.began) - begun))
	if n > 0 {
		p.heard.Store(true)
	}
	p.turns <- struct{}{}
	return n, err
}

// overdue is for how long more than it may, while others need room, the other side has
// kept us waiting until now; negative when it has not.
func (p *peer) overdue() time.Duration {
	sum := p.waited.Load()
	if since := p.since.Load(); since > 0 {
		sum += int64(time.Since(p.began)) - since
	}
	if p.heard.Load() {
		return time.Duration(sum) - talkerPatience
	}
	return time.Duration(sum) - silentPatience
}
