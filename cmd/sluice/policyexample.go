package main

import (
	"bytes"
	"strings"

	"sluice/configs/portalba"
	"sluice/policy/check"
	"sluice/policy/schema"

	"sluice/internal/pattern"
)

// exampleFile is a file of the example city for another one to begin with, with comments in its
// language.
func exampleFile(v locale, name string) []byte {
	raw := portalba.Policy()[name]
	if name == "charter.yaml" {
		raw = withoutName(raw, v)
	}
	if !strings.HasSuffix(name, ".yaml") {
		return raw
	}
	return []byte("# yaml-language-server: $schema=schema/" + schema.Of(name) + ".schema.json\n" +
		commentsIn(v, string(raw)))
}

// contacts are the example city's, in its charter.
var contacts = pattern.New(`(?s)  # Who answers .*?\npurposes:`)

// withoutName replaces the example city's name in its charter by a placeholder, and takes
// its contacts out.
func withoutName(charter []byte, v locale) []byte {
	charter = contacts.ReplaceAllLiteral(charter, []byte("purposes:"))
	charter = bytes.Replace(charter, []byte("id: portalba"), []byte("id: "+check.TemplateCity), 1)
	return bytes.Replace(charter, []byte("name: Portalba"), []byte(`name: "`+v.Say("<the name of your city>")+`"`), 1)
}
