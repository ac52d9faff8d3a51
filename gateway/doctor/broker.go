package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/register"
	"sluice/register/access"
)

// sources examines where readings come from: the listener and the broker.
type sources struct {
	*findings
	cfg *config.Config
	reg *register.Register // nil where it cannot be read
}

// What a broker must have room for.
const (
	enoughPacket = 1_180_000 // bytes: the longest message that a gateway takes, and its topic
	enoughQueue  = 10_000    // messages, while a gateway restarts
)

// certificateSoon is how long before its end a certificate is worth a word.
const certificateSoon = 14 * 24 * time.Hour

func leafEnd(leaf *x509.Certificate) time.Time {
	if leaf == nil {
		return time.Time{}
	}
	return leaf.NotAfter
}

func (d *sources) ways(ctx context.Context, mosquittoConf string) {
	if l := d.cfg.Listen; l.MQTT != "" {
		switch own, err := d.cfg.Listener(); {
		case err != nil:
			d.fail("listener", err, "mend listen: in the file")
		case !l.Known():
			d.say("listener", Warn, "anyone who reaches "+l.MQTT+" can publish as any sensor",
				"give it passwords, or TLS with client_ca")
		default:
			d.say("listener", Fine, "sensors have identities", "")
			d.locked(own.Passwords, own.TLS)
			d.turnedOut()
		}
	}
	if d.cfg.MQTT == nil {
		return
	}
	b, err := d.cfg.Broker()
	if err != nil {
		d.fail("broker", err, "mend mqtt: in the file")
		return
	}
	p := ingest.LookAt(ctx, *b)
	if p.Problem != "" {
		d.say("broker", Away, p.Problem, "see the broker's own log")
		d.persistence(mosquittoConf)
		return
	}
	d.say("broker", Fine, "it lets the gateway read and write", "")
	switch {
	case p.StrangerReads:
		d.say("stranger", Fail, "whoever connects without credentials can read what sensors publish",
			"set allow_anonymous false and acl_file; sluice sensor acl writes the files")
	case p.StrangerWrites:
		d.say("stranger", Fail, "whoever connects without credentials can publish as any sensor",
			"set allow_anonymous false and acl_file; sluice sensor acl writes the files")
	default:
		d.say("stranger", Fine, "a stranger is refused", "")
	}
	d.persistence(mosquittoConf)
}

// persistence looks into the broker's configuration: what it keeps on disk is
// in clear.
func (d *sources) persistence(conf string) {
	u, err := url.Parse(d.cfg.MQTT.Broker)
	here := err == nil && config.Loopback(net.JoinHostPort(u.Hostname(), "1"))
	if conf == "" && here {
		conf = "/etc/mosquitto/mosquitto.conf"
	}
	if conf == "" {
		d.say("broker persistence", Warn, "the broker is on another machine, and its configuration is not known",
			"run sluice doctor --mosquitto FILE with a copy of its mosquitto.conf")
		return
	}
	m, err := readMosquitto(conf)
	if err == nil {
		defer d.bounds(m)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.say("broker persistence", Warn, "there is no "+conf, "give the broker's configuration with --mosquitto FILE")
	case err != nil:
		d.say("broker persistence", Fail, err.Error(), "give the broker's configuration with --mosquitto FILE")
	case m.persistence:
		d.say("broker persistence", Fail, "persistence true: the broker writes raw readings to its disk in clear",
			"set persistence false, as configs/mosquitto.conf does")
	case m.loud:
		d.say("broker persistence", Fail, "log_type all or debug: the broker writes topics to its log, and topics "+
			"can name people", "leave log_type out, as configs/mosquitto.conf does")
	case m.inflight < 100 && m.inflight != 0:
		d.say("broker persistence", Warn, fmt.Sprintf("max_inflight_messages is %d, which slows the gateway down",
			m.inflight), "set max_inflight_messages 1000, as configs/mosquitto.conf does")
	default:
		d.say("broker persistence", Fine, "the broker keeps readings in memory only", "")
	}
}

// bounds says what a broker's configuration loses or lets in, beside what it keeps on
// disk.
func (d *sources) bounds(m mosquitto) {
	if m.packet > 0 && m.packet < enoughPacket {
		d.say("broker bounds", Warn, fmt.Sprintf("max_packet_size is %d: whoever sends a longer message is "+
			"disconnected", m.packet), fmt.Sprintf("set max_packet_size %d, as configs/mosquitto.conf does",
			enoughPacket))
	}
	if m.queued > 0 && m.queued < enoughQueue {
		d.say("broker bounds", Warn, fmt.Sprintf("max_queued_messages is %d: what comes in while the gateway is away "+
			"is lost beyond that", m.queued), "set max_queued_messages 1000000, as configs/mosquitto.conf does")
	}
	if m.connections {
		d.say("broker log", Warn, "connection_messages true: the broker writes client ids to its log, and those "+
			"can name people", "set connection_messages false, as configs/mosquitto.conf does")
	}
	for _, l := range m.entrances {
		switch {
		case l.anonymous && !l.access:
			d.say("broker doors", Fail, l.name+" lets anyone read and write: allow_anonymous true, and no acl_file",
				"set allow_anonymous false and acl_file, as configs/mosquitto.conf does, and restart the broker")
		case l.anonymous:
			d.say("broker doors", Warn, l.name+" lets anyone connect: allow_anonymous true",
				"set allow_anonymous false, as configs/mosquitto.conf does, and restart the broker")
		}
	}
	d.accessFiles(m)
}

// accessFiles holds the broker's files against the register that they were made from. A
// list that somebody wrote by hand is left alone, and so is what doctor may not read.
func (d *sources) accessFiles(m mosquitto) {
	if d.reg == nil {
		return
	}
	if have, err := os.ReadFile(m.acl); err == nil && bytes.HasPrefix(have, []byte(access.Made)) {
		if !bytes.Equal(have, access.ACL(d.reg, d.cfg.MQTT.Username)) {
			d.say("broker access", Fail, m.acl+" was made from another register: the broker drops what new "+
				"sensors send", "run sluice sensor acl again, and reload the broker (SIGHUP)")
		}
	}
	if have, err := os.ReadFile(m.passwords); err == nil {
		p, err := access.ParsePasswords(m.passwords, have)
		if err != nil {
			return // of another form, which the broker may well read
		}
		if ids := d.without(p); len(ids) > 0 {
			d.say("passwords", Warn, counted(len(ids), "sensor has no password at the broker, so it cannot connect: ",
				"sensors have no password at the broker, so they cannot connect: ")+firstOf(ids),
				"sluice sensor acl makes the passwords that are missing; reload the broker (SIGHUP)")
		}
	}
}

// locked says who of the register has no password where one is needed, and when the
// listener's certificate ends.
func (d *sources) locked(passwords *access.Passwords, t *tls.Config) {
	if passwords != nil && d.reg != nil && (t == nil || t.ClientCAs == nil) {
		if ids := d.without(passwords); len(ids) > 0 {
			d.say("passwords", Warn, counted(len(ids), "sensor has no password, so it cannot connect: ",
				"sensors have no password, so they cannot connect: ")+firstOf(ids),
				"sluice sensor acl makes the passwords that are missing")
		}
	}
	if t == nil {
		return
	}
	leaf, err := x509.ParseCertificate(t.Certificates[0].Certificate[0])
	switch left := time.Until(leafEnd(leaf)); {
	case err != nil:
		d.say("certificate", Fail, "the listener's certificate cannot be read", "make another: listen: tls: cert")
	case left <= 0:
		d.say("certificate", Fail, "the listener's certificate has ended on "+leaf.NotAfter.Format(time.DateOnly),
			"put the new one in its place and reload the gateway (SIGHUP)")
	case left < certificateSoon:
		d.say("certificate", Warn, "the listener's certificate ends on "+leaf.NotAfter.Format(time.DateOnly),
			"put a new one in its place and reload the gateway (SIGHUP)")
	}
}

// turnedOut looks at the list of certificates that hold no more.
func (d *sources) turnedOut() {
	list, err := d.cfg.Revoked()
	if err != nil {
		d.fail("certificate", err, "mend it, or put the list in its place that the authority has written")
	} else if list != nil && list.Overdue() != nil {
		d.say("certificate", Warn, list.Overdue().Error(), "newer revocations may be missing")
	}
}

// without are those who may publish and have no password.
func (d *sources) without(passwords *access.Passwords) (ids []string) {
	for _, id := range d.reg.Users() {
		if !passwords.Has(id) {
			ids = append(ids, id)
		}
	}
	return ids
}
