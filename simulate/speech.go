package simulate

import (
	"fmt"
	"math"
)

// Speech is the language of a report. Sentences are known by their English text and take their parts
// in its order.
type Speech interface {
	Say(english string, parts ...any) string
	// List joins names: a, b and c.
	List(names []string) string
	// One is a unit of privacy in words.
	One(unit string) string
}

// english is the default language of a report.
type english struct{}

func (english) Say(text string, parts ...any) string {
	if len(parts) == 0 {
		return text
	}
	return fmt.Sprintf(text, parts...)
}
func (english) List(names []string) string { return listed(names) }
func (english) One(unit string) string     { return unit }

// orEnglish returns s, or English if s is nil.
func orEnglish(s Speech) Speech {
	if s == nil {
		return english{}
	}
	return s
}

// days is a number of days in words.
func days(s Speech, n int) string {
	if n == 1 {
		return s.Say("1 day")
	}
	return s.Say("%d days", n)
}

// threeDigits rounds to three significant digits, for people.
func threeDigits(f float64) float64 {
	if f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return f
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(f))))
	return math.Round(f*scale) / scale
}
