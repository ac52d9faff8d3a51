package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"sluice/gateway/homes"
	"sluice/policy/compile"
	"sluice/register/access"
)

// certificateSoon is how long before its end a certificate is worth a word.
const certificateSoon = 14 * 24 * time.Hour

// sensors says when nothing can come of any sensor, though each entry may be right.
func (d *doctor) sensors(set *compile.Set) {
	if d.reg == nil || len(d.reg.Sensors) == 0 {
		return
	}
	now, usable, here := time.Now(), 0, 0
	for n := range d.reg.Sensors {
		s := &d.reg.Sensors[n]
		if s.Usable(now, set.Location) {
			usable++
		}
		if of := set.Zones.Gateway(s.ZoneOf(set.Zones)); of == "" || of == d.cfg.Gateway {
			here++
		}
	}
	if usable == 0 {
		d.say("sensors", Fail, "no sensor of the register is registered today, so what they send is refused", "see registered and until of the entries")
	}
	if here == 0 {
		d.say("sensors", Fail, "all sensors stand in zones of other gateways, so nothing of them is kept here", "mend gateway: in the file, or gateway of the zones in zones.geojson")
	}
}

// locked says who of the register has no password where one is needed, and when the
// listener's certificate ends.
func (d *doctor) locked(passwords *access.Passwords, t *tls.Config) {
	if passwords != nil && d.reg != nil && (t == nil || t.ClientCAs == nil) {
		if ids := d.without(passwords); len(ids) > 0 {
			d.say("passwords", Warn, counted(len(ids), "1 sensor has no password, so it cannot connect: ", "sensors have no password, so they cannot connect: ")+firstOf(ids), "sluice sensor acl makes the passwords that are missing")
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
		d.say("certificate", Fail, "the listener's certificate has ended on "+leaf.NotAfter.Format(time.DateOnly), "put the new one in its place and reload the gateway (SIGHUP)")
	case left < certificateSoon:
		d.say("certificate", Warn, "the listener's certificate ends on "+leaf.NotAfter.Format(time.DateOnly), "put a new one in its place and reload the gateway (SIGHUP)")
	}
}

func leafEnd(leaf *x509.Certificate) time.Time {
	if leaf == nil {
		return time.Time{}
	}
	return leaf.NotAfter
}

// without are the sensors that have no password.
func (d *doctor) without(passwords *access.Passwords) (ids []string) {
	for n := range d.reg.Sensors {
		if id := d.reg.Sensors[n].ID; !passwords.Has(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// strangers names the sensors whose kind the policy does not know: here only, since
// one of them may be somebody's home.
func (d *doctor) strangers(set *compile.Set) {
	if d.reg == nil {
		return
	}
	if ids := homes.Strangers(d.reg, set); len(ids) > 0 {
		d.say("kinds", Warn, fmt.Sprintf("%d sensors are of a kind that the policy does not know: %s", len(ids), firstOf(ids)), "mend kind in the register, or add the kind to kinds.yaml; until then they are counted, not listed, and nothing of them is kept")
	}
	h, err := homes.Read(d.cfg.Dir)
	if err != nil {
		d.say("homes", Fail, err.Error(), "see docs/operations.md")
		return
	}
	if ids := h.Moved(d.reg); len(ids) > 0 {
		d.say("homes", Warn, fmt.Sprintf("%d sensors stood for homes and have another kind now: %s", len(ids), firstOf(ids)), "mend kind in the register; or, if the device is put to another use, give it a new id. Until then they are counted, not listed")
	}
}

// firstOf are the first twenty of names.
func firstOf(ids []string) string {
	names := strings.Join(ids[:min(len(ids), 20)], ", ")
	if len(ids) > 20 {
		names += ", ..."
	}
	return names
}

// entries says which entries a gateway can do nothing with, a few of them.
func (d *doctor) entries(set *compile.Set) {
	if d.reg == nil {
		return
	}
	found := d.reg.Check(set.Kinds, set.Zones)
	if len(found) == 0 {
		return
	}
	var some []string
	for _, f := range found[:min(len(found), 3)] {
		some = append(some, f.Error())
	}
	d.say("register", Warn, fmt.Sprintf("%d mistakes: %s", len(found), strings.Join(some, "\n")), "sluice register check "+d.cfg.Register+" --policy DIR says all of them")
}
