package fleet

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"sluice/brief"
	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/register"

	"sluice/internal/pattern"
)

// The keys of an entry are those of register.Sensor, whatever it has.

// field is one of them.
type field struct {
	key    string
	number int // of the struct's field
	parent bool
}

var fields = sync.OnceValue(func() (list []field) {
	t := reflect.TypeFor[register.Sensor]()
	for n := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(n).Tag.Get("yaml"), ","); key != "" && key != "-" {
			list = append(list, field{key, n, t.Field(n).Type.Kind() == reflect.Map})
		}
	}
	return list
})

// Keys are the keys of an entry; those with names below them end in a dot.
func Keys() (list []string) {
	for _, f := range fields() {
		if f.parent {
			f.key += "."
		}
		list = append(list, f.key)
	}
	return list
}

// CheckKey refuses what is no key of an entry.
func CheckKey(key string) error {
	name, below, dotted := strings.Cut(key, ".")
	for _, f := range fields() {
		switch {
		case f.key != name:
		case f.parent && (!dotted || below == ""):
			return fmt.Errorf("%s is one of several; name it, as in %[1]s.en", name)
		case !f.parent && dotted:
			return fmt.Errorf("%s has no names below it; write %[1]s alone", name)
		default:
			return nil
		}
	}
	text := fmt.Sprintf("an entry has no key %s", brief.Text(key))
	if near := yamldoc.Nearest(name, Keys()); near != "" {
		return fmt.Errorf("%s; did you mean %s?", text, near)
	}
	return fmt.Errorf("%s; its keys are %s", text, strings.Join(Keys(), " "))
}

// Set sets a key of an entry from a text as people write it. The error says what is wrong with the
// text, and how to fix it.
func Set(s *register.Sensor, key, text string) error {
	name, below, _ := strings.Cut(key, ".")
	if err := checkValue(name, text); err != nil {
		return err
	}
	for _, f := range fields() {
		if f.key == name {
			return setValue(reflect.ValueOf(s).Elem().Field(f.number), below, text)
		}
	}
	return errors.New("no key of an entry")
}

// checkValue refuses what no register can mean by some keys, so that a row says all of it at once.
func checkValue(key, text string) error {
	switch key {
	case "id", "owner", "replaces":
		if register.IsName(text) || rounded.MatchString(text) {
			return nil
		}
		near := strings.Trim(unnamed.ReplaceAllString(text, "-"), "-.:_")
		if register.IsName(near) {
			return fmt.Errorf("a name has letters, digits and _ . : - only; %s would be one", near)
		}
		return errors.New("a name has letters, digits and _ . : - only, 128 at most")
	case "lat", "lon":
		most := map[string]float64{"lat": 90, "lon": 180}[key]
		if x, err := number(text); err == nil && math.Abs(x) > most {
			return fmt.Errorf("not on earth: %s is within %g and %g degrees", key, -most, most)
		}
	}
	return nil
}

var unnamed = pattern.New(`[^A-Za-z0-9_.:-]+`)

func setValue(v reflect.Value, below, text string) error {
	if u, reads := v.Addr().Interface().(encoding.TextUnmarshaler); reads {
		if err := u.UnmarshalText([]byte(text)); err != nil && v.Type() == reflect.TypeFor[civil.Date]() {
			return errors.New("a day is written year-month-day, such as 2026-12-01; a spreadsheet's format for " +
				"cells does that")
		} else if err != nil {
			return err
		}
		return nil
	}
	switch {
	case v.Kind() == reflect.String:
		if rounded.MatchString(text) {
			return errors.New("the spreadsheet has rounded this number; give the column the format Text, enter it " +
				"anew, and export again")
		}
		v.SetString(text)
	case v.Type() == reflect.TypeFor[*float64]():
		x, err := number(text)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(&x))
	case v.CanInt():
		x, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return errors.New("not a whole number such as 10")
		}
		v.SetInt(x)
	case v.Type() == reflect.TypeFor[map[string]string]():
		if v.IsNil() {
			v.Set(reflect.ValueOf(make(map[string]string)))
		}
		v.SetMapIndex(reflect.ValueOf(below), reflect.ValueOf(text))
	default:
		return errors.New("this key is set in the register by hand")
	}
	return nil
}

// rounded is what a spreadsheet makes of long digits, such as those of a device's EUI.
var rounded = pattern.New(`^[0-9][.,][0-9]+[Ee]\+?[0-9]+$`)

var degrees = pattern.New(`^[NSEWO+-]? ?[0-9]+(?:[.,][0-9]+)?[°º' ].*|^[0-9.,]+ ?[NSEWO]$`)

var decimal = pattern.New(`^[+-]?[0-9]{1,15}([.,][0-9]{1,15})?$`)

// number reads a number with a decimal point or a decimal comma, and no other marks.
func number(text string) (float64, error) {
	if !decimal.MatchString(text) {
		if degrees.MatchString(text) {
			return 0, errors.New("degrees are written as one number such as 41.3874 or 41,3874, without minutes and " +
				"letters; west and south have a minus")
		}
		return 0, errors.New("not a number such as 41.3874 or 41,3874")
	}
	x, err := strconv.ParseFloat(strings.Replace(strings.TrimPrefix(text, "+"), ",", ".", 1), 64)
	if err != nil || math.IsInf(x, 0) {
		return 0, errors.New("not a number such as 41.3874 or 41,3874")
	}
	return x + 0, nil // no -0
}

// clean is a cell without the blanks around it, and with one blank for each run of blanks and line
// breaks in it.
func clean(cell string) (string, error) {
	text := strings.Join(strings.Fields(cell), " ")
	for _, r := range text {
		switch {
		case r == unicode.ReplacementChar:
			return "", errors.New("letters of this cell were lost when it was saved; enter it anew, and save it as " +
				"CSV UTF-8")
		case !unicode.IsPrint(r):
			return "", fmt.Errorf("an invisible character (%U) in this cell; delete it", r)
		}
	}
	return text, nil
}
