package main

import (
	"strings"

	"sluice/policy/decision"

	"sluice/internal/pattern"
)

// inLanguage matches a reason with its language: ca=TEXT.
var inLanguage = pattern.New(`^([a-z]{2,3})=(?s)(.*)$`)

// reasonOf reads --reason: one text, or one for each of several languages.
func reasonOf(flags []string) (decision.Words, error) {
	words := decision.Words{}
	for _, flag := range flags {
		lang, text := decision.Unsaid, strings.TrimSpace(flag)
		if m := inLanguage.FindStringSubmatch(text); m != nil {
			lang, text = m[1], strings.TrimSpace(m[2])
		}
		if text == "" {
			return nil, &usageError{"--reason is empty, and residents read it"}
		}
		if _, twice := words[lang]; twice {
			return nil, &usageError{"there are two reasons in one language; write --reason ca=TEXT --reason en=TEXT"}
		}
		words[lang] = text
	}
	if len(words) == 0 {
		return nil, &usageError{"--reason is missing, and residents read it"}
	}
	if _, one := words[decision.Unsaid]; one && len(words) > 1 {
		return nil, &usageError{"one --reason has no language, and others do; write --reason ca=TEXT --reason en=TEXT"}
	}
	return words, nil
}
