package doctor

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"sluice/register/access"
)

// What a broker must have room for.
const (
	enoughPacket = 1_180_000 // bytes: the longest message that a gateway takes, and its topic
	enoughQueue  = 10_000    // messages, while a gateway restarts
)

// bounds says what a broker's configuration loses or lets in, beside what it keeps on
// disk.
func (d *doctor) bounds(m mosquitto) {
	if m.packet > 0 && m.packet < enoughPacket {
		d.say("broker bounds", Warn, fmt.Sprintf("max_packet_size is %d: whoever sends a longer message is disconnected", m.packet), fmt.Sprintf("set max_packet_size %d, as configs/mosquitto.conf does", enoughPacket))
	}
	if m.queued > 0 && m.queued < enoughQueue {
		d.say("broker bounds", Warn, fmt.Sprintf("max_queued_messages is %d: what comes in while the gateway is away is lost beyond that", m.queued), "set max_queued_messages 1000000, as configs/mosquitto.conf does")
	}
	if m.connections {
		d.say("broker log", Warn, "connection_messages true: the broker writes client ids to its log, and those can name people", "set connection_messages false, as configs/mosquitto.conf does")
	}
	for _, l := range m.entrances {
		switch {
		case l.anonymous && !l.access:
			d.say("broker doors", Fail, l.name+" lets anyone read and write: allow_anonymous true, and no acl_file", "set allow_anonymous false and acl_file, as configs/mosquitto.conf does, and restart the broker")
		case l.anonymous:
			d.say("broker doors", Warn, l.name+" lets anyone connect: allow_anonymous true", "set allow_anonymous false, as configs/mosquitto.conf does, and restart the broker")
		}
	}
	d.accessFiles(m)
}

// accessFiles holds the broker's files against the register that they were made from. A
// list that somebody wrote by hand is left alone, and so is what doctor may not read.
func (d *doctor) accessFiles(m mosquitto) {
	if d.reg == nil {
		return
	}
	if have, err := os.ReadFile(m.acl); err == nil && bytes.HasPrefix(have, []byte(access.Made)) {
		if !bytes.Equal(have, access.ACL(d.reg, d.cfg.MQTT.Username)) {
			d.say("broker access", Fail, m.acl+" was made from another register: the broker drops what new sensors send", "run sluice sensor acl again, and reload the broker (SIGHUP)")
		}
	}
	if have, err := os.ReadFile(m.passwords); err == nil {
		p, err := access.ParsePasswords(m.passwords, have)
		if err != nil {
			return // of another form, which the broker may well read
		}
		if ids := d.without(p); len(ids) > 0 {
			d.say("passwords", Warn, counted(len(ids), "1 sensor has no password at the broker, so it cannot connect: ", "sensors have no password at the broker, so they cannot connect: ")+firstOf(ids), "sluice sensor acl makes the passwords that are missing; reload the broker (SIGHUP)")
		}
	}
}

// entrance is one section of mosquitto.conf that says who may come in.
type entrance struct {
	name      string
	anonymous bool
	access    bool // it has an acl_file
}

// at is the entrance that a line is about: the listener's own where the file asks for
// settings of each, else the one for all.
func (m *mosquitto) at() *entrance {
	if len(m.entrances) == 0 {
		m.entrances = append(m.entrances, entrance{name: "the broker"})
	}
	if !m.each {
		return &m.entrances[0]
	}
	return &m.entrances[len(m.entrances)-1]
}

// opens begins a listener's section.
func (m *mosquitto) opens(value string) {
	if m.at(); m.each {
		m.entrances = append(m.entrances, entrance{name: "listener " + strings.Join(strings.Fields(value), " ")})
	}
}
