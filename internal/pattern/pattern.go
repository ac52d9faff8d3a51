// Package pattern holds regular expressions that are compiled when they are first used: a program has
// many of them, of which a run of one verb uses few, and compiling all took it longer than its work.
package pattern

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression; its methods are regexp.Regexp's.
type Pattern struct {
	text     string
	once     sync.Once
	compiled *regexp.Regexp // set by once
}

// New makes a pattern of a text in regexp/syntax. One that is wrong panics when it is first used;
// TestPatternsCompile looks that none is.
func New(text string) *Pattern { return &Pattern{text: text} }

func (p *Pattern) get() *regexp.Regexp {
	p.once.Do(func() { p.compiled = regexp.MustCompile(p.text) })
	return p.compiled
}

// String is the text that the pattern was made of.
func (p *Pattern) String() string { return p.text }

// MatchString is of regexp.Regexp.
func (p *Pattern) MatchString(s string) bool { return p.get().MatchString(s) }

// Match is of regexp.Regexp.
func (p *Pattern) Match(b []byte) bool { return p.get().Match(b) }

// FindString is of regexp.Regexp.
func (p *Pattern) FindString(s string) string { return p.get().FindString(s) }

// FindStringSubmatch is of regexp.Regexp.
func (p *Pattern) FindStringSubmatch(s string) []string { return p.get().FindStringSubmatch(s) }

// FindSubmatch is of regexp.Regexp.
func (p *Pattern) FindSubmatch(b []byte) [][]byte { return p.get().FindSubmatch(b) }

// FindAllString is of regexp.Regexp.
func (p *Pattern) FindAllString(s string, n int) []string { return p.get().FindAllString(s, n) }

// FindAllStringIndex is of regexp.Regexp.
func (p *Pattern) FindAllStringIndex(s string, n int) [][]int {
	return p.get().FindAllStringIndex(s, n)
}

// FindAllStringSubmatch is of regexp.Regexp.
func (p *Pattern) FindAllStringSubmatch(s string, n int) [][]string {
	return p.get().FindAllStringSubmatch(s, n)
}

// ReplaceAll is of regexp.Regexp.
func (p *Pattern) ReplaceAll(src, repl []byte) []byte { return p.get().ReplaceAll(src, repl) }

// ReplaceAllLiteral is of regexp.Regexp.
func (p *Pattern) ReplaceAllLiteral(src, repl []byte) []byte {
	return p.get().ReplaceAllLiteral(src, repl)
}

// ReplaceAllString is of regexp.Regexp.
func (p *Pattern) ReplaceAllString(src, repl string) string {
	return p.get().ReplaceAllString(src, repl)
}

// ReplaceAllStringFunc is of regexp.Regexp.
func (p *Pattern) ReplaceAllStringFunc(src string, repl func(string) string) string {
	return p.get().ReplaceAllStringFunc(src, repl)
}

// Split is of regexp.Regexp.
func (p *Pattern) Split(s string, n int) []string { return p.get().Split(s, n) }
