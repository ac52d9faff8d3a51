package listener

import (
	"bytes"
	"hash/maphash"
	"strconv"

	"github.com/mochi-mqtt/server/v2/packets"
)

// sanitize makes the CONNECT that the library gets, which keeps it as long as the
// connection stays: without password, user name, last will and what else a client may
// write there, and with a keyed hash for its client id, which tells those apart that have
// another. What the client wrote is overwritten.
func (c *conn) sanitize(pk *packets.Packet) *refusal {
	packet := &pk.Connect
	packet.UsernameFlag, packet.PasswordFlag, packet.Username, packet.Password = false, false, nil, nil
	packet.WillFlag, packet.WillRetain, packet.WillQos, packet.WillTopic, packet.WillPayload = false, false, 0, "", nil
	pk.Properties.User, pk.Properties.AuthenticationMethod, pk.Properties.AuthenticationData = nil, "", nil
	if packet.ClientIdentifier != "" { // else the library gives it one
		packet.ClientIdentifier = strconv.FormatUint(maphash.String(c.l.seed, packet.ClientIdentifier), 36)
	}
	var b bytes.Buffer
	if err := pk.ConnectEncode(&b); err != nil {
		return &refusal{why: noConnect}
	}
	c.sanitized = b.Bytes()
	clear(c.rawConnect)
	c.rawConnect = nil
	return nil
}
