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
	"sluice/internal/names"
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
// under value. RawBytes are what the profile's layout says.
const (
	JSON      Format = "json"
	CBOR      Format = "cbor"
	SenML     Format = "senml"
	SenMLCBOR Format = "senml-cbor"
	Sparkplug Format = "sparkplug-b"
	Value     Format = "value"
	RawBytes  Format = "bytes"
)

var formats = []string{string(JSON), string(CBOR), string(SenML), string(SenMLCBOR), string(Sparkplug), string(Value),
	string(RawBytes)}

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
	pattern Pattern
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
	return unmarshal((*both)(c))
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

func (p *Preset) check() error {
	if !names.Valid(p.ID) {
		return errors.New("preset needs a name: " + names.Form)
	}
	if max(len(p.About), len(p.Advice)) > maxAbout || strings.ContainsAny(p.About+p.Advice, "\r\n") {
		return fmt.Errorf("about and advice are one line of at most %d bytes each", maxAbout)
	}
	if !slices.Contains(formats, string(p.Format)) {
		return errors.New("format is one of " + strings.Join(formats, ", "))
	}
	if err := p.checkTopics(); err != nil {
		return err
	}
	if err := p.checkPointers(); err != nil {
		return err
	}
	if err := p.readTimes(); err != nil {
		return err
	}
	switch {
	case len(p.Each) > 0 && (p.Format == Value || p.Format == RawBytes) || p.Pairs != nil && p.Root != "":
		return errors.New("a bare value, or bytes, have no each, and pairs stand in place of root")
	case len(p.Each) > MaxNested:
		return fmt.Errorf("each has at most %d lists, one inside the other", MaxNested)
	case p.Number != "" && p.Number != "text":
		return errors.New("number is text where all numbers come as texts, and left out otherwise")
	}
	if p.Seq.Absent != nil && (*p.Seq.Absent < 0 || p.Seq.Pointer == "") {
		return errors.New("seq: absent is the whole number that is meant where there is none at pointer")
	}
	return p.checkTypes()
}

func (p *Preset) readTimes() error {
	if len(p.TS) > MaxTimes {
		return fmt.Errorf("ts has more than %d places", MaxTimes)
	}
	for i := range p.TS {
		t := &p.TS[i]
		form, err := instant.Parse(t.As, t.Zone)
		if err != nil {
			return fmt.Errorf("ts: %s: %w", t.Pointer, err)
		}
		t.Form = form
	}
	return nil
}

func (p *Preset) checkTopics() error {
	if len(p.Topics) > maxTopics {
		return fmt.Errorf("topics has more than %d patterns", maxTopics)
	}
	for i := range p.Topics {
		t := &p.Topics[i]
		switch t.Role {
		case Reading, Heartbeat, Ignore:
		case Birth, Death:
			if p.Format != Sparkplug {
				return fmt.Errorf("topics: %s: birth and death are Sparkplug's", t.Pattern)
			}
		default:
			return fmt.Errorf("topics: %s: type is reading, heartbeat or ignore", t.Pattern)
		}
		var err error
		if t.pattern, err = ParsePattern(t.Pattern); err != nil {
			return fmt.Errorf("topics: %s: %w", t.Pattern, err)
		}
		if !t.pattern.Identifies() && t.Role != Ignore && p.Device == "" && p.SenML == nil {
			return fmt.Errorf("topics: %s: it captures no {device}, and device names no place in the message; one of "+
				"them says whose the message is", t.Pattern)
		}
		if t.Role == Heartbeat && !t.pattern.Identifies() { // nothing of a heartbeat is read
			return fmt.Errorf("topics: %s: a heartbeat says by {device} whose it is; where a message says itself that "+
				"it is one, see type", t.Pattern)
		}
	}
	return nil
}

func (p *Preset) checkPointers() error {
	for _, c := range []struct{ key, pointer string }{
		{"device", p.Device}, {"seq", p.Seq.Pointer}, {"boot", p.Boot}, {"root", p.Root},
	} {
		if c.pointer == "" {
			continue
		}
		if _, err := Path(c.pointer); err != nil {
			return fmt.Errorf("%s: %w", c.key, err)
		}
	}
	for _, pointer := range p.Each {
		if _, err := Path(pointer); err != nil {
			return fmt.Errorf("each: %w", err)
		}
	}
	for _, t := range p.TS {
		if _, err := Path(t.Pointer); err != nil {
			return fmt.Errorf("ts: %w", err)
		}
	}
	if p.Columns != nil {
		if err := p.checkColumns(); err != nil {
			return fmt.Errorf("columns: %w", err)
		}
	}
	if err := p.checkBytes(); err != nil {
		return fmt.Errorf("bytes: %w", err)
	}
	if err := p.checkNamed(); err != nil {
		return fmt.Errorf("senml: %w", err)
	}
	if p.Pairs != nil {
		if _, err := Path(p.Pairs.List); err != nil {
			return fmt.Errorf("pairs: list: %w", err)
		}
		if p.Pairs.Name == "" || p.Pairs.Value == "" || p.Pairs.Name == p.Pairs.Value {
			return errors.New("pairs: name and value are the two keys of each element")
		}
	}
	return nil
}

func (p *Preset) checkColumns() error {
	_, err := Path(p.Columns.Names)
	_, rowsErr := Path(p.Columns.Rows)
	switch {
	case err != nil || rowsErr != nil:
		return errors.New("names and rows are JSON pointers to two lists: {names: /components, rows: /dataArray}")
	case p.Columns.Names == p.Columns.Rows:
		return errors.New("names and rows are two lists, not one")
	case p.Format != JSON && p.Format != CBOR:
		return errors.New("a table is in a message whose format is json or cbor")
	case len(p.Each) != 1 || p.Each[0] != p.Columns.Rows:
		return fmt.Errorf("each row is a reading: write each: %s", p.Columns.Rows)
	}
	return nil
}

func (p *Preset) checkTypes() error {
	t := p.Types
	if t == nil {
		return nil
	}
	if _, err := Path(t.Pointer); err != nil {
		return fmt.Errorf("type: %w", err)
	}
	seen := map[string]bool{}
	for _, word := range slices.Concat(t.Reading, t.Heartbeat, t.Ignore) {
		if seen[word] {
			return errors.New("type: each word stands once, under reading, heartbeat or ignore")
		}
		seen[word] = true
	}
	if len(t.Reading) == 0 || len(seen) > maxWords {
		return errors.New("type: reading lists the words of messages that are readings")
	}
	return nil
}

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
