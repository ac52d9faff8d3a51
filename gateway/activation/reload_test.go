package activation

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"sluice/gateway/config"
	"sluice/policy/rego"
)

// TestLocated: a mistake in a file is one line of the log, with its place, what is wrong and
// what to do, and without the lines of the file; anything else is as it is.
func TestLocated(t *testing.T) {
	for text, want := range map[string]string{
		"/etc/sluice/register.yaml: [3:28] unknown field \"knd\"; did you mean kind?\n" +
			">  3 |   - {id: a-2}\n  ^": `[file /etc/sluice/register.yaml line 3 column 28 error unknown field ` +
			`"knd"; did you mean kind?]`,
		"register.yaml, line 3 (a): this id is taken":   "[error register.yaml, line 3 (a): this id is taken]",
		"passwords can be read by others; chmod 600 it": "[error passwords can be read by others; chmod 600 it]",
	} {
		if got := fmt.Sprint(located(errors.New(text))); got != want {
			t.Errorf("%q is logged as\n%s\nwant\n%s", text, got, want)
		}
	}
}

// TestAnEmptyDirectoryIsNoError: a directory in which the council has put nothing yet is
// waited for; one that cannot be read is an error.
func TestAnEmptyDirectoryIsNoError(t *testing.T) {
	for want, err := range map[string]error{
		"level=WARN":  &rego.Problem{Code: rego.NoPolicy, Err: errors.New("there is no policy")},
		"level=ERROR": &rego.Problem{Code: rego.Unfit, Err: errors.New("it does not fit")},
	} {
		var log bytes.Buffer
		p := New(new(config.Config), nil, nil, nil, func() {}, slog.New(slog.NewTextHandler(&log, nil)))
		d := &directory{p: p}
		d.setProblem(err)
		d.setProblem(err)
		if strings.Count(log.String(), "level=") != 1 || !strings.Contains(log.String(), want) {
			t.Errorf("of %v the log says\n%s", err, &log)
		}
	}
}
