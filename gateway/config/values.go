package config

import (
	"errors"
	"strconv"
	"strings"
)

// Time is the clock: wall time, or a topic.
type Time struct{ Topic string }

// UnmarshalYAML reads `wall` or {topic: T}.
func (t *Time) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil && word == "wall" {
		return nil
	}
	var topic struct {
		Topic string `yaml:"topic"`
	}
	if err := unmarshal(&topic); err != nil || topic.Topic == "" || strings.ContainsAny(topic.Topic, "+#") {
		return errors.New("time is `wall` or {topic: TOPIC}")
	}
	t.Topic = topic.Topic
	return nil
}

// Size is a number of bytes such as 512MiB.
type Size int64

// UnmarshalText reads a whole number with B, KiB, MiB or GiB.
func (s *Size) UnmarshalText(b []byte) error {
	text := string(b)
	for unit, shift := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if n, ok := strings.CutSuffix(text, unit); ok {
			v, err := strconv.ParseInt(n, 10, 32)
			if err != nil || v < 1 {
				return errors.New("not a size such as 1GiB")
			}
			*s = Size(v << shift)
			return nil
		}
	}
	v, err := strconv.ParseInt(strings.TrimSuffix(text, "B"), 10, 64)
	if err != nil || v < 1 {
		return errors.New("not a size such as 1GiB")
	}
	*s = Size(v)
	return nil
}
