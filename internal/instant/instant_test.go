package instant

import (
	"testing"
	"time"
)

func TestText(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ form, zone, text, want string }{
		{"rfc3339", "", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"},
		{"rfc3339", "", "2026-11-23T10:00:00.123456789Z", "2026-11-23T10:00:00.123456789Z"},
		{"rfc3339", "", "2026-11-23T10:00:00.1234567891234Z", "2026-11-23T10:00:00.123456789Z"},
		{"rfc3339", "", "2026-11-23T10:00:00+01:00", "2026-11-23T09:00:00Z"},
		{"rfc3339", "", "2026-11-23T10:00:00-0730", "2026-11-23T17:30:00Z"},
		{"rfc3339", "", "2026-11-23T10:00:00+01", "2026-11-23T09:00:00Z"},
		{"rfc3339", "", "2026-11-23 10:00:00", "2026-11-23T10:00:00Z"},
		{"rfc3339", "Europe/Madrid", "2026-07-23 10:00:00", "2026-07-23T08:00:00Z"},
		{"rfc3339", "local", "2026-07-23T10:00:00", "2026-07-23T08:00:00Z"},
		{"interval", "", "2026-11-23T10:00:00Z/2026-11-23T11:00:00Z", "2026-11-23T10:00:00Z"},
		{"interval", "", "2026-11-23T10:00:00Z/PT1H", "2026-11-23T10:00:00Z"},
		{"DD/MM/YYYYThh:mm:ss", "", "23/11/2026T10:00:00", "2026-11-23T10:00:00Z"},
		{"DD/MM/YYYYThh:mm:ss", "", "23/09/2026T10:00:00CET", "2026-09-23T09:00:00Z"},
		{"DD/MM/YYYYThh:mm:ss", "", "23/09/2026T10:00:00 UTC", "2026-09-23T10:00:00Z"},
		{"YYYY.MM.DD hh:mm:ss", "", "2026.09.23 10:00:00", "2026-09-23T10:00:00Z"},
		{"YYMMDDhhmmss", "Europe/Madrid", "261025023000S", "2026-10-25T00:30:00Z"},
		{"YYMMDDhhmmss", "Europe/Madrid", "261025023000W", "2026-10-25T01:30:00Z"},
		{"YYMMDDhhmmss", "Europe/Madrid", "260101120000W", "2026-01-01T11:00:00Z"},
		{"rfc3339", "", "2026-02-29T10:00:00Z", ""},
		{"rfc3339", "", "2026-02-29T10:00:00", ""},
		{"rfc3339", "", "2026-04-31 10:00:00", ""},
		{"rfc3339", "", "1969-12-31T23:59:59Z", ""},
		{"rfc3339", "", "2262-01-01T00:00:00Z", ""},
		{"rfc3339", "", "2026-11-23T24:00:00Z", ""},
		{"rfc3339", "", "2026-11-23T10:00:00.", ""},
		{"rfc3339", "", "2026-11-23T10:00:00Q", ""},
		{"rfc3339", "", "2026-11-23T10:00:00+25:00", ""},
		{"rfc3339", "", "2026-11-23T10:00:00+1:00", ""},
		{"rfc3339", "", "2026-11-23", ""},
		{"rfc3339", "", "", ""},
		{"interval", "", "2026-11-23T10:00:00Z", ""},
		{"s", "", "2026-11-23T10:00:00Z", ""},
	} {
		f, err := Parse(c.form, c.zone)
		if err != nil {
			t.Fatalf("%s %s: %v", c.form, c.zone, err)
		}
		at, ok := f.In(madrid).Text([]byte(c.text))
		got := ""
		if ok {
			got = time.Unix(0, at).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s (%s) of %q is %q; want %q", c.form, c.zone, c.text, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	const received = 1_800_000_000e9
	for _, c := range []struct {
		form string
		n    float64
		want int64
		ok   bool
	}{
		{"s", 1_795_428_000, 1_795_428_000e9, true},
		{"s", 1_795_428_000.25, 1_795_428_000_250_000_000, true},
		{"ms", 1_795_428_000_123, 1_795_428_000_123_000_000, true},
		{"us", 1_795_428_000_123_456, 1_795_428_000_123_456_000, true},
		{"ns", 1e9, 1e9, true},
		{"relative", 60, received - 60e9, true},
		{"relative", -1, 0, false},
		{"s", -1, 0, false},
		{"s", 1_795_428_000_123, 0, false}, // milliseconds, surely
		{"rfc3339", 5, 0, false},
	} {
		f, err := Parse(c.form, "")
		if err != nil {
			t.Fatal(err)
		}
		at, ok := f.Number(c.n, received)
		if ok != c.ok || ok && at != c.want {
			t.Errorf("%s of %v is %d, %v; want %d, %v", c.form, c.n, at, ok, c.want, c.ok)
		}
	}
	ns, _ := Parse("ns", "")
	if at, ok := ns.Whole(1_795_428_000_123_456_789, 0); !ok || at != 1_795_428_000_123_456_789 {
		t.Errorf("whole nanoseconds are %d", at)
	}
}

func TestForms(t *testing.T) {
	for _, c := range [][2]string{{"", ""}, {"epoch", ""}, {"YYYY-MM-DD", ""}, {"YYYY-MM-DDThh:mm:ss:ss", ""},
		{"YYYYY-MM-DDThh:mm:ss", ""}, {"YYYY-M-DDThh:mm:ss", ""}, {"s", "UTC"}, {"rfc3339", "Madrid"},
		{"rfc3339", "Local"}, {"rfc3339", "../etc/passwd"}} {
		if _, err := Parse(c[0], c[1]); err == nil {
			t.Errorf("%q in %q is taken for a form", c[0], c[1])
		}
	}
}

func TestTextAllocatesNothing(t *testing.T) {
	f, _ := Parse("rfc3339", "Europe/Madrid")
	b := []byte("2026-07-23 10:00:00.25")
	if n := testing.AllocsPerRun(100, func() { f.Text(b) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzText: no bytes make it panic, and what is taken is in range.
func FuzzText(f *testing.F) {
	f.Add("rfc3339", []byte("2026-11-23T10:00:00+01:00"))
	f.Add("DD/MM/YYYYThh:mm:ss", []byte("23/11/2026T10:00:00CET"))
	f.Add("YYMMDDhhmmss", []byte("261025023000S"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		form, err := Parse(name, "")
		if err != nil {
			return
		}
		if at, ok := form.Text(b); ok && at < 0 {
			t.Errorf("%d", at)
		}
	})
}
