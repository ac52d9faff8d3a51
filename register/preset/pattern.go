package preset

import (
	"errors"
	"fmt"
	"strings"
)

// Names of captures that mean something.
const (
	Device = "device" // the identity of the device
	Field  = "field"  // the name of the field that a bare value is of
)

// MaxCaptures is how many captures a pattern can have; MaxLevels how many levels a topic.
const (
	MaxCaptures = 8
	MaxLevels   = 32
)

// Pattern fits topics (MQTT 3.1.1 section 4.7): + fits one level, # the rest, also none; {NAME}
// captures a level and {NAME#} all that are left, of which there is one or more. {device} may stand
// more than once: its levels together, joined by /, are the identity.
type Pattern struct {
	levels []level
	names  []string // of the captures, in their order
	device []int    // of the captures, those that are the identity
	field  int      // the capture that is the field's name, or -1
}

// level is one of a pattern.
type level struct {
	text string // where it is fixed
	kind byte   // 0 fixed, + any, # the rest, { captured, } the rest captured
}

// Captured are the levels that a topic has for a pattern's captures. It is used again.
type Captured struct {
	levels [MaxCaptures]string
	n      int
	joined []byte
}

// ParsePattern reads a pattern.
func ParsePattern(s string) (Pattern, error) {
	p := Pattern{field: -1}
	list := strings.Split(s, "/")
	switch {
	case s == "" || strings.HasPrefix(s, "$") || len(s) > 1024:
		return p, errors.New("a pattern is a topic of up to 1,024 bytes that does not begin with $")
	case len(list) > MaxLevels:
		return p, fmt.Errorf("a pattern has at most %d levels", MaxLevels)
	}
	for i, text := range list {
		l, name, err := parseLevel(text)
		if err != nil {
			return p, err
		}
		if (l.kind == '#' || l.kind == '}') && i != len(list)-1 {
			return p, errors.New("# stands at the end")
		}
		if name != "" {
			if len(p.names) == MaxCaptures {
				return p, fmt.Errorf("a pattern captures at most %d levels", MaxCaptures)
			}
			switch at := len(p.names); {
			case name == Device:
				p.device = append(p.device, at)
			case name == Field && p.field < 0:
				p.field = at
			case p.Capture(name) >= 0:
				return p, errors.New("only {device} can stand twice")
			}
			p.names = append(p.names, name)
		}
		p.levels = append(p.levels, l)
	}
	return p, nil
}

func parseLevel(text string) (l level, name string, err error) {
	switch inner, braced := strings.CutPrefix(text, "{"); {
	case text == "+" || text == "#":
		return level{kind: text[0]}, "", nil
	case braced && strings.HasSuffix(inner, "}"):
		name, rest := strings.CutSuffix(inner[:len(inner)-1], "#")
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || len(name) > 32 {
			return l, "", errors.New("a capture is {NAME}, of small letters, digits and _")
		}
		if rest {
			return level{kind: '}'}, name, nil
		}
		return level{kind: '{'}, name, nil
	case strings.ContainsAny(text, "+#{}\x00") || !plain(text):
		return l, "", errors.New("+, # and {NAME} are levels of their own")
	}
	return level{text: text}, "", nil
}

func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Identifies reports whether the pattern captures the device.
func (p *Pattern) Identifies() bool { return len(p.device) > 0 }

// Parts is of how many levels the identity is; 0 where the pattern captures none.
func (p *Pattern) Parts() int { return len(p.device) }

// NamesField reports whether the pattern captures a field's name.
func (p *Pattern) NamesField() bool { return p.field >= 0 }

// Capture is the number of a capture, or -1.
func (p *Pattern) Capture(name string) int {
	for i, n := range p.names {
		if n == name {
			return i
		}
	}
	return -1
}

// Match reports whether a topic fits, and what it has for the captures.
func (p *Pattern) Match(topic string, into *Captured) bool {
	into.n = 0
	rest, more := topic, true
	for _, l := range p.levels {
		if l.kind == '#' {
			return true
		}
		if !more {
			return false
		}
		if l.kind == '}' {
			into.add(rest)
			return rest != ""
		}
		var text string
		text, rest, more = strings.Cut(rest, "/")
		switch l.kind {
		case 0:
			if text != l.text {
				return false
			}
		case '{':
			into.add(text)
		}
	}
	return !more
}

func (c *Captured) add(text string) {
	c.levels[c.n] = text
	c.n++
}

// Level is what a topic has for a capture, by its number.
func (c *Captured) Level(n int) string { return c.levels[n] }

// Drop forgets the topic.
func (c *Captured) Drop() {
	*c = Captured{joined: c.joined[:0]}
	clear(c.joined[:cap(c.joined)])
}

// DeviceOf is the identity that a topic has; it is valid until the next.
func (p *Pattern) DeviceOf(c *Captured) []byte {
	c.joined = c.joined[:0]
	for i, n := range p.device {
		if i > 0 {
			c.joined = append(c.joined, '/')
		}
		c.joined = append(c.joined, c.levels[n]...)
	}
	return c.joined
}

// FieldOf is the name of the field that a topic has.
func (p *Pattern) FieldOf(c *Captured) string {
	if p.field < 0 {
		return ""
	}
	return c.levels[p.field]
}

// Filter is the pattern as a filter to subscribe to.
func (p *Pattern) Filter() string {
	list := make([]string, len(p.levels))
	for i, l := range p.levels {
		switch l.kind {
		case 0:
			list[i] = l.text
		case '{', '+':
			list[i] = "+"
		default:
			list[i] = "#"
		}
	}
	return strings.Join(list, "/")
}

// Matcher is a topic's pattern.
func (t *Topic) Matcher() *Pattern { return &t.pattern }
