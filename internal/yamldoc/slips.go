package yamldoc

import "sluice/internal/locales"

// said is the key of a sentence of slips.yaml in package locales. Behind a semicolon stands
// what to do. Arguments are numbered, and are keys, marks and line numbers of the file.
type said string

// slip is a SyntaxError that is worded in each language.
func slip(at Position, s said, args ...any) *SyntaxError {
	return &SyntaxError{Position: at, Text: s.in(0, args), said: s, args: args}
}

func (s said) in(lang int, args []any) string {
	return locales.In(lang).Say("slips."+string(s), args...)
}

// In says what is wrong in one of locales.Languages, by its place there.
func (e *SyntaxError) In(lang int) string {
	if lang <= 0 || lang >= len(locales.Languages) || e.said == "" {
		return e.Text
	}
	return e.said.in(lang, e.args)
}

// What is wrong with a file as YAML. The parser's own words are never shown: they are
// English, and they name the place where it gave up, not the slip.
const (
	notYAML        said = "not-yaml"
	empty          said = "empty"
	tooLarge       said = "too-large"
	tooDeep        said = "too-deep"
	manyDocuments  said = "many-documents"
	documentEnd    said = "document-end"
	anchors        said = "anchors"
	mergeKeys      said = "merge-keys"
	tags           said = "tags"
	directives     said = "directives"
	questionKeys   said = "question-keys"
	notUTF8        said = "not-utf8"
	aTab           said = "a-tab"
	hardBlank      said = "hard-blank"
	control        said = "control"
	byteOrder      said = "byte-order"
	openQuote      said = "open-quote"
	behindQuote    said = "behind-quote"
	badEscape      said = "bad-escape"
	openBracket    said = "open-bracket"
	strayBracket   said = "stray-bracket"
	missingComma   said = "missing-comma"
	missingBlank   said = "missing-blank"
	missingColon   said = "missing-colon"
	missingDash    said = "missing-dash"
	colonInText    said = "colon-in-text"
	oddFirst       said = "odd-first"
	indented       said = "indented"
	twiceKey       said = "twice-key"
	decimalComma   said = "decimal-comma"
	keyIsText      said = "key-is-text"
	writeBool      said = "write-bool"
	oddForm        said = "odd-form"
	writeNumber    said = "write-number"
	unusableNumber said = "unusable-number"
)
