package register

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"sluice/internal/civil"

	"sluice/internal/pattern"
)

// Bounds of an entry's texts, in bytes.
const (
	maxTopic   = 1024
	maxPointer = 512
)

var name = pattern.New(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$`)

// IsName reports whether a text can be an id or an owner: 128 letters, digits and _ . : - at most,
// of which the first is a letter or digit.
func IsName(text string) bool { return name.MatchString(text) }

// check refuses what no register can mean, and what would mean something else in
// another file that is made from it. What a policy or the other entries say of it
// is Check's.
func (s *Sensor) check() error {
	switch {
	case !name.MatchString(s.ID) || !name.MatchString(s.Owner):
		return errors.New("id and owner need names of letters, digits and _ . : -")
	case s.Kind == "":
		return errors.New("kind is missing")
	case !plain(s.Kind) || !plain(s.Zone) || !plain(s.Replaces):
		return errors.New("kind, zone and replaces must not hold control characters or line breaks; take them out")
	case s.Quota < 0 || s.Quota > MaxQuota:
		return fmt.Errorf("quota is how many readings a minute the sensor may send, 1 to %d", MaxQuota)
	case (s.Lat == nil) != (s.Lon == nil):
		return errors.New("lat and lon go together")
	case s.Zone == "" && s.Lat == nil:
		return errors.New("needs either zone or lat and lon")
	case s.Zone != "" && s.Lat != nil:
		return errors.New("needs either zone or lat and lon, and has both; keep one, since coordinates say the zone " +
			"themselves")
	case s.Registered == (civil.Date{}):
		return errors.New("registered is missing, e.g. 2026-01-01")
	}
	for field, pointer := range s.Map {
		if err := checkPointer(pointer); err != nil {
			return fmt.Errorf("map: %s %w", quote(field), err)
		}
	}
	if text := s.checkWrapped(); text != "" {
		return errors.New(text)
	}
	if s.Preset != "" && s.Topic != "" {
		return checkTopic(strings.ReplaceAll(s.Topic, "{field}", "x"))
	}
	return checkTopic(s.Topic)
}

// checkTopic holds a topic against MQTT 3.1.1 section 4.7, and against the lines of
// the access list that it will stand in.
func checkTopic(t string) error {
	switch {
	case t == "":
		return nil
	case strings.ContainsAny(t, "+#${}"):
		return errors.New("topic must not hold wildcards or $; name the one topic that the sensor publishes to")
	case !plain(t):
		return errors.New("topic must not hold control characters or line breaks; take them out")
	case strings.TrimSpace(t) != t:
		return errors.New("topic must not begin or end with a blank; take it out")
	case len(t) > maxTopic:
		return fmt.Errorf("topic is longer than %d bytes; shorten it", maxTopic)
	}
	return nil
}

// plain reports whether a text is one line that nothing obeys.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
			r == unicode.ReplacementChar
	})
}

// checkPointer refuses what is no JSON pointer (RFC 6901) below the root.
func checkPointer(p string) error {
	if !strings.HasPrefix(p, "/") {
		return errors.New("needs a JSON pointer such as /object/level")
	}
	if len(p) > maxPointer {
		return fmt.Errorf("has a pointer of more than %d bytes; shorten it", maxPointer)
	}
	for i := range len(p) {
		if p[i] == '~' && (i+1 == len(p) || p[i+1] != '0' && p[i+1] != '1') {
			return errors.New("has a pointer with a ~ alone; write ~0 for ~, and ~1 for / in a key")
		}
	}
	return nil
}
