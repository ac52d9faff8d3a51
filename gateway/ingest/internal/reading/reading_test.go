package reading

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestMute(t *testing.T) {
	const secret = "02:00:5e:00:00:17"
	r := New()
	*r.Stamp() = Stamp{Time: 17_17_17_17, Seq: 17_17_17_17, Boot: 17_17_17_17}
	r.SetText(3, []byte(secret))
	r.SetNumber(4, 17171717)
	hidden := struct{ r Reading }{r} // reflection calls no methods here
	var out bytes.Buffer
	for _, x := range []any{r, &r, []Reading{r}, map[string]Reading{"a": r}, struct{ R Reading }{r}, hidden, &hidden} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%g", "%p"} {
			fmt.Fprintf(&out, verb, x)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "x", x)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "x", x)
		raw, _ := json.Marshal(x)
		out.Write(raw)
		_ = gob.NewEncoder(&out).Encode(x)
	}
	for _, s := range []string{secret, fmt.Sprintf("%x", secret), "17171717", "[48 50 58"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("a reading shows %q", s)
		}
	}
}

func TestSetOnce(t *testing.T) {
	r := New()
	if !r.SetNumber(0, 1) || r.SetNumber(0, 2) || r.SetText(0, nil) || r.SetBool(0, true) {
		t.Error("a field can be set twice, or not at all")
	}
	r.Reset()
	if r.Type(0) != Absent || !r.Empty() {
		t.Error("Reset left a field")
	}
}
