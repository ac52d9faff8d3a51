package brief

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger logs lines of text from a level on. It bounds the message and every text attribute to
// one line of at most Max bytes, whoever wrote them.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: bound}))
}

// Placed is an error made only of places in our own code, such as a recovered panic. It is shown
// whole.
type Placed interface{ Places() string }

// bound is slog's ReplaceAttr, which is called for the message as well.
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
