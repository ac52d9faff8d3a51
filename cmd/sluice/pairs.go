package main

import (
	"fmt"
	"strings"

	"sluice/brief"

	"sluice/internal/pattern"
)

// beginsPair is how KEY=VALUE begins.
var beginsPair = pattern.New(`^ *([a-z_]+(?:\.[A-Za-z0-9_-]+)?)=`)

// pairs reads the values of a flag: KEY=VALUE, several with commas between them. A comma that no
// KEY= follows belongs to the value before it.
func pairs(flag string, values []string) (map[string]string, error) {
	out := make(map[string]string)
	for _, v := range values {
		key := ""
		for _, part := range strings.Split(v, ",") {
			m := beginsPair.FindStringSubmatch(part)
			switch {
			case m != nil:
				if key = m[1]; out[key] != "" {
					return nil, &usageError{fmt.Sprintf("--%s has %s twice", flag, key)}
				}
				out[key] = part[len(m[0]):]
			case key == "":
				return nil, &usageError{fmt.Sprintf("--%s is KEY=VALUE, and this is not: %s", flag, brief.Text(v))}
			default:
				out[key] += "," + part
			}
		}
	}
	return out, nil
}
