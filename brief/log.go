package brief

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger writes lines of text at a level or above. The message and every text
// among the attributes is at most Max bytes in one line, whoever has written it.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: bound}))
}

// Placed is an error that is made of nothing but places in our own code, such as a
// panic that was caught: it is shown whole.
type Placed interface{ Places() string }

// bound is slog's ReplaceAttr: it sees the message as well.
func bound(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Text(a.Value.String()))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case slog.Level, *slog.Source, Placed: // of closed sorts
		case error:
			a.Value = slog.StringValue(Text(v.Error()))
		default:
			a.Value = slog.StringValue(Text(fmt.Sprint(v)))
		}
	}
	return a
}
