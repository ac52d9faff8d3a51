package check

import "sluice/policy/explain"

// sort is a JSON schema's type, in words.
type sort string

var sortWords = map[sort][3]string{
	"number":  {"a number", "un nombre", "un número"},
	"integer": {"a whole number", "un nombre enter", "un número entero"},
	"string":  {"text", "un text", "un texto"},
	"boolean": {"true or false", "true o false", "true o false"},
	"object":  {"keys with values", "claus amb valors", "claves con valores"},
	"array":   {"a list", "una llista", "una lista"},
	"null":    {"nothing", "res", "nada"},
}

// sorts are several types, of which one is wanted.
type sorts []string

func (s sorts) in(l explain.Lang) string {
	out := ""
	for i, name := range s {
		if i > 0 {
			out += [3]string{" or ", " o ", " o "}[l]
		}
		out += sortWords[sort(name)][l]
	}
	return out
}
