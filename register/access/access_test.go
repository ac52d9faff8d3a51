package access

import (
	"strings"
	"testing"

	"sluice/register"
)

func TestPasswords(t *testing.T) {
	p, err := ParsePasswords("f", nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := p.Make([]string{"rambla-1"}, quiet)
	if err != nil || len(made[0]) != 32 {
		t.Fatalf("passwords %q (%v); want 32 letters", made, err)
	}
	secret := made[0]
	p, err = ParsePasswords("f", append(p.File(), "\n# a comment\n"...))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		user, password string
		want           bool
	}{{"rambla-1", secret, true}, {"rambla-1", secret + "x", false}, {"rambla-1", "", false}, {"other", secret, false},
		{"", "", false}} {
		if p.Check(c.user, []byte(c.password)) != c.want {
			t.Errorf("user %q: want %v", c.user, c.want)
		}
	}
	if gone := p.Retain(nil); len(gone) != 1 {
		t.Errorf("%v are forgotten", gone)
	}
	if p.Has("rambla-1") || p.Check("rambla-1", []byte(secret)) {
		t.Error("a user that is gone still gets in")
	}
}

// TestMosquittoHash checks a line that mosquitto_passwd 2.0.11 wrote.
func TestMosquittoHash(t *testing.T) {
	p, err := ParsePasswords("f", []byte(mosquittoLine))
	if err != nil || !p.Check("meter", []byte("open sesame")) {
		t.Errorf("mosquitto's own hash is not understood (%v)", err)
	}
}

func TestRefusedLines(t *testing.T) {
	for _, text := range []string{"secret", ":x", "a:plain", "a:$6$aaaa$bbbb", "a:$7$0$AAAA$AAAA",
		"a:$7$99999999$AAAA$AAAA", mosquittoLine + "\n" + mosquittoLine} {
		if _, err := ParsePasswords("f", []byte(text)); err == nil || !strings.Contains(err.Error(), "f, line ") ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%.20q gives %v; want an error that names the line and quotes nothing", text, err)
		}
	}
}

func TestACL(t *testing.T) {
	reg, err := register.Parse("r", []byte("sensors:\n  - {id: a, owner: o, kind: k, zone: z, registered: "+
		"2026-01-01}\n  - {id: b, owner: o, kind: k, zone: z, registered: 2026-01-01, topic: other/b}\n"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(ACL(reg, "edge"))
	for _, want := range []string{
		"user edge\ntopic readwrite city/v1/#\ntopic read other/b\ntopic read " +
			"$SYS/broker/publish/messages/dropped\ntopic read $SYS/broker/uptime\n",
		"user a\ntopic write city/v1/o/a/up\ntopic write city/v1/o/a/hb\ntopic read city/v1/o/a/feedback\n",
		"user b\ntopic write other/b\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the list lacks %q:\n%s", want, text)
		}
	}
}

// FuzzPasswords: no file panics, and what is read is written back and read again.
func FuzzPasswords(f *testing.F) {
	f.Add([]byte(mosquittoLine))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ParsePasswords("f", raw)
		if err != nil {
			return
		}
		again, err := ParsePasswords("f", p.File())
		if err != nil || string(again.File()) != string(p.File()) {
			t.Errorf("what was written is not read again: %v", err)
		}
	})
}

const mosquittoLine = "meter:$7$101$O21xFEZO0Wuddtv/$lq70I2lqB5NRLYth4XTYKrmCB7+" +
	"YEliHHL/JY0jC6GqPsfHKyji3+pRc+I9hHiX5WZEhYxQOuUhmR7LwkKu8WA=="
