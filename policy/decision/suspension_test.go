package decision

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
)

// TestSuspended reads each form, and refuses what residents could not read, at its line.
func TestSuspended(t *testing.T) {
	for name, x := range map[string]struct {
		reason string // behind "reason: "
		want   string // as JSON; empty for refused
		says   string
	}{
		"one text":             {`A sensor was tampered with`, `"A sensor was tampered with"`, ""},
		"one in quotes":        {`"since: <b>now</b>"`, "\"since: \\u003cb\\u003enow\\u003c/b\\u003e\"", ""},
		"several":              {`{ca: Manipulat, en: "Tampered with"}`, `{"ca":"Manipulat","en":"Tampered with"}`, ""},
		"one language":         {`{eu: Hautsita}`, `{"eu":"Hautsita"}`, ""},
		"one of old, too long": {strings.Repeat("a", 600), `"` + strings.Repeat("a", 600) + `"`, ""},
		"nothing":              {``, "", "needs the decision's id and a reason"},
		"empty":                {`""`, "", "needs the decision's id and a reason"},
		"no languages":         {`{}`, "", "needs the decision's id and a reason"},
		"a list":               {`[a, b]`, "", "a text is wanted here, or one for each language"},
		"a number":             {`7`, "", "a text is wanted here"},
		"a language in words":  {`{Catalan: Manipulat}`, "", "two or three small letters"},
		"one says nothing":     {`{ca: "", en: Tampered}`, "", "in ca: it says nothing"},
		"one is a dash":        {`{ca: "-"}`, "", "in ca: it says nothing"},
		"too long":             {`{ca: ` + strings.Repeat("a", 501) + `}`, "", "longer than 500"},
		"two lines":            {`{ca: "a\nb"}`, "", "a line break"},
		"turned around":        {`{ca: "a\u202eb"}`, "", "shows nothing"},
		"a separator":          {`{ca: "a\u2028b"}`, "", "a line break"},
	} {
		list, err := ParseSuspended("suspended.yaml",
			[]byte("suspended:\n  - decision: \"1\"\n    reason: "+x.reason+"\n"))
		if x.want == "" {
			var at *yamldoc.SyntaxError
			if err == nil || !strings.Contains(err.Error(), x.says) ||
				!strings.HasPrefix(err.Error(), "suspended.yaml") {
				t.Errorf("%s: %v", name, err)
			} else if errors.As(err, &at) && at.Line != 3 {
				t.Errorf("%s is said of line %d", name, at.Line)
			}
			continue
		}
		if err != nil || len(list) != 1 || list[0].Since != (civil.Date{}) {
			t.Errorf("%s: %v, %v", name, list, err)
			continue
		}
		if raw, err := json.Marshal(list[0].Reason); err != nil || string(raw) != x.want {
			t.Errorf("%s is %s (%v); want %s", name, raw, err, x.want)
		}
	}
}

func TestBest(t *testing.T) {
	for _, x := range []struct {
		w              Words
		lang, text, in string
	}{
		{Words{"": "x"}, "ca", "x", ""}, {Words{"ca": "x", "en": "y"}, "ca", "x", "ca"},
		{Words{"ca": "x", "en": "y"}, "es", "y", "en"},
		{Words{"ca": "x", "eu": "y"}, "es", "x", "ca"}, {Words{"eu": "y", "ca": ""}, "es", "y", "eu"},
		{nil, "es", "", ""},
	} {
		if text, in := x.w.Best(x.lang); text != x.text || in != x.in {
			t.Errorf("%v for %s: %q in %q", x.w, x.lang, text, in)
		}
	}
}
