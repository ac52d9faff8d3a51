package gofile

import "testing"

func TestJoin(t *testing.T) {
	for src, want := range map[string]string{
		`x("a " + "b")`:                          `x("a b")`,
		"x(\"a \" +\n\t\"b \"+\n\t\"c\", \"d\")": `x("a b c", "d")`,
		`x("a" + b + "c" + "d")`:                 `x("a" + b + "cd")`,
		"x(\"a\" + `b` + \"c\")":                 "x(\"a\" + `b` + \"c\")",
		`x("a", "b")`:                            `x("a", "b")`,
		`x("" + "a")`:                            `x("" + "a")`,
		`x("a\n" + "\"b\"")`:                     `x("a\n\"b\"")`,
		`x("a" + +"b")`:                          `x("a" + +"b")`,
		"x(\"a\") // \"b\" + \"c\"":              "x(\"a\") // \"b\" + \"c\"",
	} {
		if got := string(join([]byte(src))); got != want {
			t.Errorf("%s is joined to %s; want %s", src, got, want)
		}
	}
}
