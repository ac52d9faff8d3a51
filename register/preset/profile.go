package preset

import (
	"errors"
	"fmt"
	"math"
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
	Scale  float64 `yaml:"scale"` // 0 for 1
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

// ParseProfile reads a profile; the file's name is used in errors only.
func ParseProfile(file string, raw []byte) (*Profile, error) {
	p := &Profile{}
	if err := yamldoc.Decode(file, raw, p); err != nil {
		return nil, err
	}
	switch {
	case !names.Valid(p.ID):
		return nil, fmt.Errorf("%s: profile needs a name: %s", file, names.Form)
	case len(p.About) > maxAbout || strings.ContainsAny(p.About, "\r\n"):
		return nil, fmt.Errorf("%s: about is one line of at most %d bytes", file, maxAbout)
	case len(p.Fields) == 0 || len(p.Fields) > maxFields:
		return nil, fmt.Errorf("%s: fields has one to %d fields: {level: {pointer: /LAeq}}", file, maxFields)
	}
	for name, s := range p.Fields {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, name, err)
		}
	}
	if err := p.checkLayout(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

func (s *Source) check() error {
	if err := s.checkPlace(); err != nil {
		return err
	}
	if s.Pointer != "" {
		if _, err := Path(s.Pointer); err != nil {
			return err
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
		return errors.New("number is text where numbers come as texts, and left out otherwise")
	case s.Words != nil && (s.Number != "" || s.Scale != 0 || s.Offset != 0 || !s.Unit.IsZero()):
		return errors.New("words stand for values as they are; number, scale, offset and unit do not go with them")
	case len(s.Words) > maxWords:
		return fmt.Errorf("words has more than %d", maxWords)
	case !finite(s.Scale) || !finite(s.Offset):
		return errors.New("scale and offset are finite numbers")
	}
	return nil
}

// checkState looks at what needs the device's last value.
func (s *Source) checkState() error {
	switch {
	case s.Counter != nil && (s.Words != nil || s.Change || s.Offset != 0):
		return errors.New("a counter has no words, no offset and no change")
	case s.Counter != nil && s.Counter.Wrap < 0:
		return errors.New("wrap is how many numbers a counter has, e.g. 65536")
	case s.Ignore && (s.Words != nil || s.Counter != nil || s.Change):
		return errors.New("what is ignored is not read; take ignore out, or the rest")
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
