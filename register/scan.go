package register

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/internal/names"
	"sluice/internal/yamldoc"
)

// Bounds of zones.geojson. Its size is bounded by yamldoc.MaxFile.
const (
	MaxZones     = 2_000   // features of a file
	MaxPositions = 100_000 // of all its outlines together
	// MaxOutline is how many positions one zone has at most.
	MaxOutline = 10_000
	maxDepth   = 32
)

// members are the names that GeoJSON gives a meaning (RFC 7946, section 7.1, and
// crs, which was removed). Some readers take Type for type, so other spellings
// of them are refused.
var members = []string{"type", "features", "geometry", "properties", "coordinates", "geometries", "bbox", "id", "crs"}

// where says what of a file a value is; what GeoJSON gives no meaning is foreign.
type where int

const (
	foreign where = iota
	collection
	features
	oneFeature
	geometry
	coordinates
	identity
)

// inside is what a member of an object is.
func (w where) inside(key string) where {
	switch {
	case w == collection && key == "features":
		return features
	case w == oneFeature && key == "geometry":
		return geometry
	case w == oneFeature && key == "id":
		return identity
	case w == geometry && key == "coordinates":
		return coordinates
	}
	return foreign
}

// scanner walks over a file's JSON once, before any parser builds something of it,
// and refuses what is too large or would be read differently by two readers.
type scanner struct {
	tokens *json.Decoder
	// feature is the number of the one that is read, from 1; 0 outside of them. Its
	// id is for errors.
	feature, positions int
	id                 string
	broken             bool // the next token is none
}

var (
	errJSON = errors.New("not JSON; check it with a GeoJSON editor")
	errDeep = fmt.Errorf("nested more than %d deep; zones need no more than eight", maxDepth)
	errList = errors.New(
		"coordinates are lists of positions, and a position is [longitude, latitude], perhaps with a height")
	errLong = errors.New("a number is too large to be one; degrees lie between -180 and 180")
)

// scan checks a file's bytes: size, UTF-8, JSON, depth, keys, and numbers of
// features and positions.
func scan(raw []byte) error {
	switch {
	case len(raw) > yamldoc.MaxFile:
		return fmt.Errorf("larger than %d MiB; simplify the outlines", yamldoc.MaxFile>>20)
	case !utf8.Valid(raw):
		return errors.New("not UTF-8; save it as UTF-8")
	}
	s := &scanner{tokens: json.NewDecoder(bytes.NewReader(raw))}
	s.tokens.UseNumber()
	if err := s.value(collection, 0); err != nil {
		switch {
		case s.feature > 0 && names.Valid(s.id):
			err = fmt.Errorf("feature %d (%s): %w", s.feature, s.id, err)
		case s.feature > 0:
			err = fmt.Errorf("feature %d: %w", s.feature, err)
		}
		return &LineError{s.line(raw), err}
	}
	if _, err := s.tokens.Token(); !errors.Is(err, io.EOF) {
		return &LineError{s.line(raw), errors.New("something stands behind the end; a file is one GeoJSON object")}
	}
	return nil
}

// LineError is what is wrong with zones.geojson before it is features. It stands on Line, or
// just before it.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return e.Err.Error() }

func (e *LineError) Unwrap() error { return e.Err }

// line is the one that has been read to; blanks behind a token are not read.
func (s *scanner) line(raw []byte) int {
	rest := raw[min(len(raw), int(s.tokens.InputOffset())):]
	if s.broken {
		rest = bytes.TrimLeft(rest, " \t\r\n,:")
	}
	return 1 + bytes.Count(raw[:len(raw)-len(rest)], []byte("\n"))
}

func (s *scanner) next() (json.Token, error) {
	t, err := s.tokens.Token()
	if err != nil {
		s.broken = true
		return nil, errJSON
	}
	return t, nil
}

func (s *scanner) value(w where, depth int) error {
	t, err := s.next()
	switch t := t.(type) {
	case json.Delim:
		switch {
		case depth >= maxDepth:
			return errDeep
		case w == coordinates:
			return s.outline(t, depth)
		case t == '{':
			return s.object(w, depth)
		}
		return s.list(w, depth)
	case json.Number:
		if _, err := strconv.ParseFloat(string(t), 64); err != nil {
			return errLong
		}
	case string:
		if w == identity {
			s.id = t
		}
	}
	if err == nil && w == coordinates {
		return errList
	}
	return err
}

func (s *scanner) object(w where, depth int) error {
	seen := make(map[string]bool)
	for s.tokens.More() {
		t, err := s.next()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if seen[key] {
			return fmt.Errorf("the key %s is there twice in one object; take one out", quote(key))
		}
		seen[key] = true
		if w != foreign && w != identity {
			if err := member(key); err != nil {
				return err
			}
		}
		if err := s.value(w.inside(key), depth+1); err != nil {
			return err
		}
	}
	_, err := s.next()
	return err
}

// member looks at a key that GeoJSON may give a meaning.
func member(key string) error {
	for _, m := range members {
		if key != m && strings.EqualFold(key, m) {
			return fmt.Errorf("the key %s is not %s, but some readers take it for that; rename it", quote(key), m)
		}
	}
	if key == "crs" {
		return errors.New(
			"crs is of an older GeoJSON; write longitude and latitude in degrees (WGS 84) and take crs out")
	}
	return nil
}

func (s *scanner) list(w where, depth int) error {
	each := foreign
	for s.tokens.More() {
		if w == features {
			each, s.id = oneFeature, ""
			if s.feature++; s.feature > MaxZones {
				return fmt.Errorf("more than %d features; split the city over several gateways", MaxZones)
			}
		}
		if err := s.value(each, depth+1); err != nil {
			return err
		}
	}
	if w == features {
		s.feature = 0
	}
	_, err := s.next()
	return err
}

// outline reads a list inside coordinates, whose bracket was read: a position of
// two or three numbers, or a list of such lists.
func (s *scanner) outline(bracket json.Delim, depth int) error {
	numbers, lists := 0, 0
	for s.tokens.More() {
		t, err := s.next()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case json.Number:
			if _, err := strconv.ParseFloat(string(t), 64); err != nil {
				return errLong
			}
			numbers++
		case json.Delim:
			if lists++; depth+1 >= maxDepth {
				return errDeep
			}
			if err := s.outline(t, depth+1); err != nil {
				return err
			}
		default:
			return errList
		}
	}
	if bracket != '[' || numbers+lists == 0 || numbers > 0 && (lists > 0 || numbers < 2 || numbers > 3) {
		return errList
	}
	if numbers > 0 {
		if s.positions++; s.positions > MaxPositions {
			return fmt.Errorf("more than %d positions in the file; simplify the outlines", MaxPositions)
		}
	}
	_, err := s.next()
	return err
}

// quote shows a key of the file, cut, and without anything that a terminal obeys.
func quote(key string) string {
	if len(key) > 40 {
		key = key[:40] + "..."
	}
	return strconv.QuoteToASCII(key)
}
