package listener

import (
	"bytes"
	"hash/maphash"
	"strconv"

	"github.com/mochi-mqtt/server/v2/packets"
)

// introduce makes the CONNECT that the library gets, which keeps it as long as the
// connection stays: without password, user name, last will and what else a client may
// write there, and with a keyed hash for its client id, which tells those apart that have
// another. What the client wrote is overwritten.
func (c *conn) introduce(pk *packets.Packet) *refusal {
	said := &pk.Connect
	said.UsernameFlag, said.PasswordFlag, said.Username, said.Password = false, false, nil, nil
	said.WillFlag, said.WillRetain, said.WillQos, said.WillTopic, said.WillPayload = false, false, 0, "", nil
	pk.Properties.User, pk.Properties.AuthenticationMethod, pk.Properties.AuthenticationData = nil, "", nil
	if said.ClientIdentifier != "" { // else the library gives it one
		said.ClientIdentifier = strconv.FormatUint(maphash.String(c.l.seed, said.ClientIdentifier), 36)
	}
	var b bytes.Buffer
	if err := pk.ConnectEncode(&b); err != nil {
		return &refusal{why: noConnect}
	}
	c.hello = b.Bytes()
	clear(c.said)
	c.said = nil
	return nil
}
