package listener

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// welcomed connects with MQTT 5 and returns what the CONNACK says.
func welcomed(t *testing.T, s *stand, user, password string) (*sensor, packets.Properties) {
	t.Helper()
	c := s.dial()
	c.version = 5
	c.send(hello(5, 2, "x", user, password))
	body := c.want(0x20)
	if body[1] != 0 {
		t.Fatalf("it is refused with %#x", body[1])
	}
	var p packets.Properties
	if _, err := p.Decode(packets.Connack, bytes.NewBuffer(body[2:])); err != nil {
		t.Fatal(err)
	}
	return c, p
}

// TestWhatIsRefusedIsAnnounced: a CONNACK of MQTT 5 says what would be refused, and what
// it says is so.
func TestWhatIsRefusedIsAnnounced(t *testing.T) {
	for name, secured := range map[string]bool{"open to anyone": false, "with identities": true} {
		t.Run(name, func(t *testing.T) {
			cfg, user, password := Config{}, "", ""
			if secured {
				user, password = "gate-1", "right"
				cfg = Config{Passwords: secrets{user: password},
					Feedback: map[string]string{user: "city/v1/a/gate-1/feedback"}}
			}
			s := open(t, cfg)
			c, p := welcomed(t, s, user, password)
			if p.MaximumPacketSize != 2<<20+5 || !p.RetainAvailableFlag || p.RetainAvailable != 0 ||
				!p.SharedSubAvailableFlag || p.SharedSubAvailable != 0 || p.TopicAliasMaximum != 0 ||
				p.ReceiveMaximum != 1024 || p.ServerKeepAliveFlag {
				t.Errorf("the CONNACK says %+v", p)
			}
			if none := p.WildcardSubAvailableFlag && p.WildcardSubAvailable == 0; none != secured {
				t.Errorf("that there are no wildcards is said: %v", none)
			}
			c.send(packet(0x82, []byte{0, 1, 0}, text("city/v1/a/+/feedback"), []byte{1}))
			if body := c.want(0x90); (body[3] < 0x80) == secured {
				t.Errorf("a wildcard is answered with %#x", body[3])
			}
		})
	}
}

// TestWhyItIsCutOff: MQTT 5 is told why, and 3.1.1, which has no words for it, is not.
func TestWhyItIsCutOff(t *testing.T) {
	s := open(t, Config{})
	large := append(binary.AppendUvarint([]byte{0x32}, maxPacket+1), text("city/v1/a/b/up")...)
	aliased := packet(0x32, text("city/v1/a/b/up"), []byte{0, 7, 3, packets.PropTopicAlias, 0, 1}, []byte("{}"))
	for name, x := range map[string]struct {
		sent []byte
		code byte
	}{"too large": {large, 0x95}, "a topic alias": {aliased, 0x94}} {
		t.Run(name, func(t *testing.T) {
			c, _ := welcomed(t, s, "", "")
			c.send(x.sent)
			if body := c.want(0xe0); body[0] != x.code {
				t.Errorf("it is told %#x; want %#x", body[0], x.code)
			}
			c.gone(20 * time.Second)
		})
	}
	c := s.connect(4, "old", "", "")
	c.send(large)
	if kind, _, err := c.read(20 * time.Second); err == nil {
		t.Errorf("MQTT 3.1.1 is sent a packet %#x", kind)
	}
}

// TestNoOtherAuthentication: who wants to be known by a method that is not here is told
// so (MQTT 5 section 4.12), and not let in by what else it says.
func TestNoOtherAuthentication(t *testing.T) {
	s := open(t, Config{})
	c := s.dial()
	c.version = 5
	method := append([]byte{packets.PropAuthenticationMethod}, text("SCRAM-SHA-1")...)
	c.send(packet(0x10, text("MQTT"), []byte{5, 2, 0, 60, byte(len(method))}, method, text("x")))
	if body := c.want(0x20); body[1] != 0x8c {
		t.Errorf("it is answered %#x; want 0x8c", body[1])
	}
	c.gone(20 * time.Second)
}
