// Package preset says how other systems write their sensors' readings, as data: a preset is how a
// system wraps a reading (its topics, and where in a message identity, time and count are), a
// profile how a model of device names what it measures. Neither is voted, since they are how bytes
// are read, not what may be read: a profile can only fill fields that the sensor's kind has, and
// what neither a kind nor a decision names is dropped.
//
// Each is a YAML file. Those of ID.yaml here are part of the program; a city has its own beside its
// register, in presets/*.yaml.
//
//	preset: chirpstack-v4
//	about: "ChirpStack v4, MQTT integration with JSON"
//	topics:
//	  - {pattern: "application/{app}/device/{device}/event/up", type: reading}
//	  - {pattern: "application/{app}/device/{device}/event/+", type: ignore}
//	format: json
//	ts: [{pointer: /time, as: rfc3339}]
//	seq: {pointer: /fCnt, absent: 0}
//	boot: /devAddr
//	root: /object
package preset

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/civil"
	"sluice/internal/instant"
)

// Preset is how a system wraps readings. Pointers are JSON pointers (RFC 6901); those of ts, seq,
// boot and device are looked for in the reading, then in the message.
type Preset struct {
	ID    string `yaml:"preset"`
	About string `yaml:"about"`
	// Like is a preset of the program whose messages come on other topics: only topics are this one's own.
	Like string `yaml:"like"`
	// Advice is said where a message cannot be read, or has nothing: what is forgotten most often.
	Advice string `yaml:"advice"`
	// Topics are looked through in their order; the first that fits says what a message is.
	Topics []Topic `yaml:"topics"`
	Format Format  `yaml:"format"`
	// Device is where the identity of the device is, where the topic does not say it.
	Device string `yaml:"device"`
	// Lowercase says that identities are in small letters, whatever is printed on a device.
	Lowercase bool   `yaml:"lowercase"`
	Types     *Types `yaml:"type"`
	// Every is how often a heartbeat comes; a minute where it is not given.
	Every civil.Period `yaml:"every"`
	// TS is where the time is, in order of trust.
	TS   []Time `yaml:"ts"`
	Seq  Count  `yaml:"seq"`
	Boot string `yaml:"boot"`
	// Each is a list inside the message whose elements are readings, or a list inside each element
	// of a list. Root is where, in a reading, the keys begin that a profile names, or Pairs.
	Each    List     `yaml:"each"`
	Columns *Columns `yaml:"columns"`
	Root    string   `yaml:"root"`
	Pairs   *Pairs   `yaml:"pairs"`
	Bytes   *Bytes   `yaml:"bytes"`
	SenML   *Named   `yaml:"senml"`
	// Number is text where all numbers come as texts.
	Number string `yaml:"number"`
}

// Format is how a message is written.
type Format string

// The formats. Value is one bare scalar: under the name that the topic captures as {field}, or
// under value. RawBytes are what the profile's layout says. Unquoted is an object without quotes and without others
// inside: {t:2026-03-02T10:04:00Z,53:50}.
const (
	JSON      Format = "json"
	CBOR      Format = "cbor"
	SenML     Format = "senml"
	SenMLCBOR Format = "senml-cbor"
	Sparkplug Format = "sparkplug-b"
	Value     Format = "value"
	RawBytes  Format = "bytes"
	Unquoted  Format = "unquoted"
)

var formats = []string{string(JSON), string(CBOR), string(SenML), string(SenMLCBOR), string(Sparkplug), string(Value),
	string(RawBytes), string(Unquoted)}

// Role is what a message is.
type Role string

// The roles. What is ignored is known and no data: it is counted, and not refused. A birth and a
// death are Sparkplug's; a birth is a reading as well.
const (
	Reading   Role = "reading"
	Heartbeat Role = "heartbeat"
	Ignore    Role = "ignore"
	Birth     Role = "birth"
	Death     Role = "death"
)

// Topic is a pattern and what a message there is.
type Topic struct {
	Pattern string `yaml:"pattern"`
	Role    Role   `yaml:"type"`
	// Every is how often such a heartbeat comes, where that is not the preset's Every.
	Every civil.Period `yaml:"every"`
	// When says which of the messages there are heartbeats; the others are ignored. Nil for all.
	When    *When `yaml:"when"`
	pattern Pattern
}

// When is a condition of a message: a text, number or truth that is one of Is. It is at Pointer, or the message itself,
// where there is none.
type When struct {
	Pointer string   `yaml:"pointer"`
	Is      []string `yaml:"is"`
}

// Types tells messages apart that share a topic, by a text or number in them. Others are refused;
// "*" stands for all others.
type Types struct {
	Pointer   string   `yaml:"pointer"`
	Reading   []string `yaml:"reading"`
	Heartbeat []string `yaml:"heartbeat"`
	Ignore    []string `yaml:"ignore"`
}

// Of is the role of a message with this text where the type is; false for none.
func (t *Types) Of(text []byte) (Role, bool) {
	for _, c := range []struct {
		list []string
		role Role
	}{{t.Reading, Reading}, {t.Heartbeat, Heartbeat}, {t.Ignore, Ignore}} {
		for _, s := range c.list {
			if s == string(text) {
				return c.role, true
			}
		}
	}
	for _, c := range []struct {
		list []string
		role Role
	}{{t.Reading, Reading}, {t.Heartbeat, Heartbeat}, {t.Ignore, Ignore}} {
		if slices.Contains(c.list, "*") {
			return c.role, true
		}
	}
	return "", false
}

// Time is where a time is, and how it is written; see package instant.
type Time struct {
	Pointer string `yaml:"pointer"`
	As      string `yaml:"as"`
	Zone    string `yaml:"zone"`
	Form    instant.Form
}

// Count is where a whole number is that goes up by one from message to message. Systems that leave
// out what is zero have an Absent of 0.
type Count struct {
	Pointer string `yaml:"pointer"`
	Absent  *int64 `yaml:"absent"`
}

// UnmarshalYAML reads /POINTER or {pointer: /POINTER, absent: 0}.
func (c *Count) UnmarshalYAML(unmarshal func(any) error) error {
	var plain string
	if unmarshal(&plain) == nil {
		*c = Count{Pointer: plain}
		return nil
	}
	type both Count
	if err := unmarshal((*both)(c)); err != nil {
		return err
	}
	if c.Pointer == "" {
		return errors.New("it is a JSON pointer such as /fCnt, or {pointer: /fCnt, absent: 0}")
	}
	return nil
}

// List are pointers to lists, each inside the elements of the one before.
type List []string

// UnmarshalYAML reads /POINTER or [/POINTER, /POINTER].
func (l *List) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*l = List{one}
		return nil
	}
	return unmarshal((*[]string)(l))
}

// Pairs is a list of names and values that stands for an object.
type Pairs struct {
	List  string `yaml:"list"`
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
}

// Columns is a table: a list of names, and a list of rows that have a value for each. A row stands
// for an object with these names for its keys.
type Columns struct {
	Names string `yaml:"names"`
	Rows  string `yaml:"rows"`
}

// Bounds of a file's lists and texts.
const (
	maxTopics  = 32
	maxWords   = 64
	maxPointer = 512
	maxDepth   = 16
	maxAbout   = 200
	// MaxTimes is how many places a time may be looked for in.
	MaxTimes = 8
	// MaxNested is how many lists may stand inside each other.
	MaxNested = 2
)

// Path splits a JSON pointer (RFC 6901) below the root into its keys.
func Path(pointer string) ([]string, error) {
	rest, ok := strings.CutPrefix(pointer, "/")
	if !ok {
		return nil, errors.New("needs a JSON pointer such as /object/level")
	}
	if len(pointer) > maxPointer {
		return nil, fmt.Errorf("has a pointer of more than %d bytes; shorten it", maxPointer)
	}
	for i := range len(pointer) {
		if pointer[i] == '~' && (i+1 == len(pointer) || pointer[i+1] != '0' && pointer[i+1] != '1') {
			return nil, errors.New("has a pointer with a ~ alone; write ~0 for ~, and ~1 for / in a key")
		}
	}
	path := strings.Split(rest, "/")
	if len(path) > maxDepth {
		return nil, fmt.Errorf("has a pointer of more than %d keys; shorten it", maxDepth)
	}
	for i, key := range path {
		path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
	}
	return path, nil
}
