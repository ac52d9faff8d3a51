package websocket

import (
	"bufio"
	"bytes"
	"crypto/sha1" //nolint:gosec // what RFC 6455 has it for is no secret
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guid is of every server (section 1.3).
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// Refusal is why a handshake does not make a WebSocket, in constants only.
type Refusal struct {
	Status int // of HTTP; with 426 go the headers that Ask sets
	Why    string
}

// Accept returns what answers an opening handshake (section 4.2), after which the connection is a
// WebSocket, or why there is none. It does not ask which page the handshake is from: where that
// matters, see Upgrade.
func Accept(r *http.Request) (answer []byte, refused *Refusal) {
	h := r.Header
	key, err := base64.StdEncoding.DecodeString(h.Get("Sec-WebSocket-Key"))
	switch {
	case !has(h, "Upgrade", "websocket") || !has(h, "Connection", "upgrade"):
		return nil, &Refusal{http.StatusUpgradeRequired, "this address is for MQTT over WebSocket"}
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || r.Host == "" || r.ContentLength != 0:
		return nil, &Refusal{http.StatusBadRequest, "a WebSocket begins with GET, HTTP/1.1, Host and no body"}
	case h.Get("Sec-WebSocket-Version") != "13":
		return nil, &Refusal{http.StatusUpgradeRequired, "the version of WebSocket is 13"}
	case err != nil || len(key) != 16:
		return nil, &Refusal{http.StatusBadRequest, "Sec-WebSocket-Key is 16 bytes in base64"}
	case !has(h, "Sec-WebSocket-Protocol", "mqtt"):
		return nil, &Refusal{http.StatusBadRequest, "offer the subprotocol mqtt"}
	}
	sum := sha1.Sum([]byte(h.Get("Sec-WebSocket-Key") + guid)) //nolint:gosec // see above
	return fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:])), nil
}

// Ask sets what a client is to send instead, where the status is 426 (section 4.4).
func (r *Refusal) Ask(h http.Header) {
	if r.Status == http.StatusUpgradeRequired {
		h.Set("Upgrade", "websocket")
		h["Sec-WebSocket-Version"] = []string{"13"}
	}
}

// Upgrade answers an opening handshake that is the whole head of a request, and reports whether
// the connection is a WebSocket from then on.
//
// A browser sends for whatever page is open in it, with the certificate and from the network of
// whoever sits there: it names the page's origin, which must be the host that it asks. Where
// local is true the host must be this machine besides, so that no other name that was made to
// lead here is that origin.
func Upgrade(head []byte, local bool) (answer []byte, ok bool) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return refusal(http.StatusBadRequest, "this is no request of HTTP/1.1"), false
	}
	answer, refused := Accept(r)
	switch {
	case refused != nil:
		return refusal(refused.Status, refused.Why), false
	case !ownOrigin(r.Header["Origin"], r.Host):
		return refusal(http.StatusForbidden, "a page of another site may not speak for a sensor"), false
	case local && !loopback(r.Host):
		return refusal(http.StatusForbidden, "ask for localhost or 127.0.0.1: there are no passwords here"), false
	}
	return answer, true
}

// refusal is an answer of HTTP, of constants only.
func refusal(status int, why string) []byte {
	version := ""
	if status == http.StatusUpgradeRequired {
		version = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n%sContent-Type: text/plain\r\nContent-Length: %d\r\n"+
		"Connection: close\r\n\r\n%s\n", status, http.StatusText(status), version, len(why)+1, why)
}

// has reports whether a header has a word in its list.
func has(h http.Header, name, word string) bool {
	for _, line := range h.Values(name) {
		for one := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(one), word) {
				return true
			}
		}
	}
	return false
}

// ownOrigin reports whether each origin is the host itself. Devices name none, or that one.
func ownOrigin(origins []string, host string) bool {
	for _, one := range origins {
		if u, err := url.Parse(one); err != nil || !strings.EqualFold(u.Host, host) {
			return false
		}
	}
	return true
}

// loopback reports whether a host is this machine, by a name that no other can have.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}
