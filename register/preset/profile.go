package preset

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"sluice/internal/names"
	"sluice/internal/yamldoc"
)

// Profile is what a model of device calls what it measures: by the name of a kind's field, where
// it is below the preset's root.
type Profile struct {
	ID     string            `yaml:"profile"`
	About  string            `yaml:"about"`
	Bytes  *Layout           `yaml:"bytes"`
	Fields map[string]Source `yaml:"fields"`
}

// Source is where a field is, and what makes its value of what is there: a word is looked up in
// Words, a number is multiplied by Scale, added to Offset and converted from Unit to the unit of
// the kind's field.
type Source struct {
	Pointer string `yaml:"pointer"`
	Capture string `yaml:"capture"` // of the topic, in place of a pointer
	// At is a place in the device's bytes, from 0, where a number stands as As says.
	At *int   `yaml:"at"`
	As string `yaml:"as"`
	// Number is text where numbers come as texts.
	Number string  `yaml:"number"`
	Scale  Factor  `yaml:"scale"` // 0 for 1
	Offset float64 `yaml:"offset"`
	Unit   Unit    `yaml:"unit"` // of what the device sends
	// Fraction says that the device sends fractions, for which a kind's int is too narrow.
	Fraction bool `yaml:"fraction"`
	// Words are values by the text that stands for them; what is none of them is refused.
	Words map[string]Word `yaml:"words"`
	// Counter is of a number that only grows: the field is the difference to the device's last.
	Counter *Counter `yaml:"counter"`
	// Change makes a truth of a state: whether it differs from the device's last.
	Change bool `yaml:"change"`
	// Ignore: it is known, and no data.
	Ignore bool `yaml:"ignore"`
}

// Counter is a cumulative count. Behind Wrap - 1 it begins again; where it falls otherwise it was
// reset, and counts from 0. Wrap is 0 where it does not wrap.
type Counter struct {
	Wrap int64 `yaml:"wrap"`
}

// Factor is what a number is multiplied by.
type Factor float64

// UnmarshalYAML reads any number but 0, of which nothing would be left.
func (f *Factor) UnmarshalYAML(unmarshal func(any) error) error {
	var x float64
	if err := unmarshal(&x); err != nil {
		return err
	}
	if x == 0 {
		return errors.New("scale is what a number is multiplied by, and 0 would make 0 of all; take it out, or write " +
			"another")
	}
	*f = Factor(x)
	return nil
}

// Word is a text, a number or a truth.
type Word struct {
	Text   string
	Number float64
	Bool   bool
	Kind   byte // t, n or b
}

// UnmarshalYAML reads any of the three.
func (w *Word) UnmarshalYAML(unmarshal func(any) error) error {
	switch {
	case unmarshal(&w.Bool) == nil:
		w.Kind = 'b'
	case unmarshal(&w.Number) == nil:
		w.Kind = 'n'
	case unmarshal(&w.Text) == nil:
		w.Kind = 't'
	default:
		return errors.New("a word stands for a text, a number, true or false")
	}
	return nil
}

// maxFields is how many a profile may have.
const maxFields = 128

// ParseProfile reads a profile; the file's name is used in errors only, which show all that is wrong, with its line.
func ParseProfile(file string, raw []byte) (*Profile, error) {
	p := &Profile{}
	if err := yamldoc.Decode(file, raw, p); err != nil {
		return nil, err
	}
	if err := unfilled(file, raw); err != nil {
		return nil, err
	}
	if err := p.check().in(file, raw); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Profile) check() (all mistakes) {
	if !names.Valid(p.ID) {
		all.add(wrong("profile needs a name: "+names.Form, "profile"))
	}
	if len(p.About) > maxAbout || strings.ContainsAny(p.About, "\r\n") {
		all.add(wrong(fmt.Sprintf("about is one line of at most %d bytes", maxAbout), "about"))
	}
	if len(p.Fields) == 0 || len(p.Fields) > maxFields {
		all.add(wrong(fmt.Sprintf("fields has one to %d fields: {level: {pointer: /LAeq}}", maxFields), "fields"))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		s := p.Fields[name]
		all.add(under(s.check(), name, "fields", name))
	}
	p.checkLayout(&all)
	return all
}

func (s *Source) check() error {
	if err := s.checkPlace(); err != nil {
		return err
	}
	if s.Pointer != "" {
		if _, err := Path(s.Pointer); err != nil {
			return under(err, "pointer", "pointer")
		}
	}
	if err := s.checkState(); err != nil {
		return err
	}
	if err := s.Unit.check(); err != nil {
		return err
	}
	switch {
	case s.Number != "" && s.Number != "text":
		return wrong("number is text where numbers come as texts, and left out otherwise", "number")
	case s.Words != nil && (s.Number != "" || s.scales()):
		return wrong("words stand for values as they are; number, scale, offset and unit do not go with them", "words")
	case s.Words != nil && (len(s.Words) == 0 || len(s.Words) > maxWords):
		return wrong(fmt.Sprintf("words has one to %d: {occupied: true, free: false}", maxWords), "words")
	case !finite(float64(s.Scale)) || !finite(s.Offset):
		return wrong("scale and offset are finite numbers")
	}
	return nil
}

// scales reports whether something is made of a number.
func (s *Source) scales() bool {
	return s.Scale != 0 || s.Offset != 0 || !s.Unit.IsZero() || s.Fraction
}

// checkState looks at what needs the device's last value, and at what is not looked at as a number.
func (s *Source) checkState() error {
	number := s.Number != "" || s.scales()
	made := number || s.Words != nil || s.Counter != nil || s.Change
	switch {
	case s.Counter != nil && (s.Words != nil || s.Change || s.Offset != 0):
		return wrong("a counter has no words, no offset and no change", "counter")
	case s.Counter != nil && s.Counter.Wrap < 0:
		return wrong("wrap is how many numbers a counter has, e.g. 65536", "counter")
	case s.Change && (number || s.Words != nil):
		return wrong("a change is whether what is there is another than before, whatever it is; take number, scale, "+
			"offset, unit, words and fraction out", "change")
	case s.Ignore && made:
		return wrong("what is ignored is not read; take ignore out, or the rest", "ignore")
	case s.Ignore && s.Capture != "":
		return wrong("a level of the topic that no field names is ignored as it is; take this one out", "capture")
	case s.Capture != "" && made:
		return wrong("a level of the topic is a text as it is; take all but capture out", "capture")
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
