package access

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/register"
)

// EMQX is not at hand in tests. Its access list is held against its documentation ("Use ACL File") instead: Erlang
// terms that end with a period, of which each is a tuple of a permission, who, what and topics, and of which the first
// that fits decides.

// term is one of Erlang: a text, an atom, or a tuple or list of others.
type term struct {
	kind byte // ", a, { or [
	text string
	list []term
}

// terms reads a file as Erlang's file:consult does, as far as access lists need it.
func terms(s string) (all []term, err error) {
	p := &terminal{rest: s}
	for p.blank(); p.rest != ""; p.blank() {
		t := p.term()
		p.take(".")
		if p.err != nil {
			return nil, p.err
		}
		all = append(all, t)
	}
	return all, nil
}

type terminal struct {
	rest string
	err  error
}

// blank passes over blanks and comments.
func (p *terminal) blank() {
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n")
		if !strings.HasPrefix(p.rest, "%") {
			return
		}
		_, p.rest, _ = strings.Cut(p.rest, "\n")
	}
}

func (p *terminal) take(s string) {
	p.blank()
	rest, ok := strings.CutPrefix(p.rest, s)
	if !ok && p.err == nil {
		p.err = fmt.Errorf("%q is wanted before %.20q", s, p.rest)
	}
	p.rest = rest
}

func (p *terminal) term() term {
	p.blank()
	if p.err != nil || p.rest == "" {
		p.take("a term")
		return term{}
	}
	switch c := p.rest[0]; {
	case c == '{' || c == '[':
		p.rest = p.rest[1:]
		t := term{kind: c}
		for {
			t.list = append(t.list, p.term())
			if p.blank(); p.err != nil || !strings.HasPrefix(p.rest, ",") {
				break
			}
			p.take(",")
		}
		p.take(map[byte]string{'{': "}", '[': "]"}[c])
		return t
	case c == '"':
		end := 1
		for end < len(p.rest) && p.rest[end] != '"' {
			if p.rest[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(p.rest) {
			p.take("the end of a text")
			return term{}
		}
		text, err := strconv.Unquote(p.rest[:end+1]) // \\ and \" are Go's as well
		if p.rest = p.rest[end+1:]; err != nil {
			p.err = err
		}
		return term{kind: '"', text: text}
	case c >= 'a' && c <= 'z':
		n := strings.IndexFunc(p.rest, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' })
		atom := p.rest[:n]
		p.rest = p.rest[n:]
		return term{kind: 'a', text: atom}
	}
	p.take("a term")
	return term{}
}

// allowed is EMQX's answer to a user that would publish or subscribe, by a list; it fails the test for a rule that is
// none of the documented forms that ours uses.
func allowed(t *testing.T, rules []term, user, action, topic string) bool {
	t.Helper()
	for _, r := range rules {
		if r.kind != '{' || len(r.list) != 2 && len(r.list) != 4 ||
			r.list[0].text != "allow" && r.list[0].text != "deny" {
			t.Fatalf("%v is no rule", r)
		}
		if who := r.list[1]; who.kind == '{' {
			if len(who.list) != 2 || who.list[0].text != "username" || who.list[1].kind != '"' {
				t.Fatalf("%v is nobody", who)
			}
			if who.list[1].text != user {
				continue
			}
		} else if who.text != "all" {
			t.Fatalf("%v is nobody", who)
		}
		if len(r.list) == 2 {
			return r.list[0].text == "allow"
		}
		if !slices.Contains([]string{"publish", "subscribe", "all"}, r.list[2].text) || r.list[3].kind != '[' {
			t.Fatalf("%v says nothing that can be done", r)
		}
		if what := r.list[2].text; what != "all" && what != action {
			continue
		}
		for _, filter := range r.list[3].list {
			if filter.kind != '"' {
				t.Fatalf("%v is no topic", filter)
			}
			if fits(strings.ReplaceAll(filter.text, "${username}", user), topic) {
				return r.list[0].text == "allow"
			}
		}
	}
	return false
}

// fits reports whether a topic, or a filter to be subscribed to, is within a filter (MQTT 3.1.1 section 4.7).
func fits(filter, topic string) bool {
	a, b := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, level := range a {
		switch {
		case level == "#":
			return true
		case i >= len(b) || b[i] == "#", level != "+" && level != b[i]:
			return false
		}
	}
	return len(a) == len(b)
}

// TestFileForEMQX: read as EMQX's documentation says, the list lets everybody do what mosquitto's does, and no more.
func TestFileForEMQX(t *testing.T) {
	reg, err := register.Parse("r", []byte(`sensors:
  - {id: a, owner: o, kind: k, zone: z, registered: 2026-01-01}
  - {id: b, owner: o, kind: k, zone: z, registered: 2026-01-01, topic: 'other/"b\'}
  - {id: c, owner: lora, kind: k, zone: z, registered: 2026-01-01, preset: ttn-v3, device: app@t/c}
  - {id: d, owner: plant, kind: k, zone: z, registered: 2026-01-01, preset: sparkplug-b, device: G/N/d, map: {f: /f}}
  - {id: e, owner: o, kind: k, zone: z, registered: 2026-01-01, preset: dsmr, topic: "homes/18/{field}"}
`))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := terms(string(ACLForEMQX(reg, "edge")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		user, action, topic string
		want                bool
	}{
		{"a", "publish", "city/v1/o/a/up", true}, {"a", "publish", "city/v1/o/a/hb", true},
		{"a", "publish", "city/v1/o/b/up", false}, {"a", "subscribe", "city/v1/o/a/feedback", true},
		{"a", "subscribe", "city/v1/o/b/feedback", false}, {"a", "subscribe", "city/v1/#", false},
		{"a", "publish", "city/v1/o/a/feedback", false}, {"a", "subscribe", "#", false},
		{"b", "publish", `other/"b\`, true}, {"a", "publish", `other/"b\`, false},
		{"e", "publish", "homes/18/gas", true}, {"e", "publish", "homes/19/gas", false},
		{"lora", "publish", "v3/app@t/devices/c/up", true}, {"lora", "publish", "spBv1.0/G/DDATA/N/d", false},
		{"lora", "subscribe", "city/v1/lora/+/feedback", true}, {"lora", "subscribe", "city/v1/o/+/feedback", false},
		{"plant", "publish", "spBv1.0/G/DDATA/N/d", true}, {"plant", "subscribe", "spBv1.0/G/NCMD/N", true},
		{"plant", "publish", "v3/app@t/devices/c/up", false}, {"plant", "publish", "spBv1.0/G/NCMD/N", false},
		{"edge", "subscribe", "city/v1/#", true}, {"edge", "subscribe", "v3/+/devices/+/up", true},
		{"edge", "publish", "spBv1.0/G/NCMD/N", true}, {"edge", "publish", "city/v1/o/a/feedback", true},
		{"edge", "subscribe", "#", false}, {"stranger", "publish", "v3/app@t/devices/c/up", false},
		{"stranger", "subscribe", "$SYS/#", false},
	} {
		if got := allowed(t, rules, c.user, c.action, c.topic); got != c.want {
			t.Errorf("whether %s may %s %s is %v", c.user, c.action, c.topic, got)
		}
	}
	if last := rules[len(rules)-1].list; len(last) != 2 || last[0].text != "deny" || last[1].text != "all" {
		t.Error("the last rule does not deny all")
	}
}
