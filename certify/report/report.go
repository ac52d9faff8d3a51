// Package report is the certificate of a device: what was checked, how it went, and who says so.
//
// It is JSON with a closed list of keys and of checks, in this order, one report a file:
//
//	{
//	 "format": "sluice-certificate/1",
//	 "device": "Acme Street Ear 2, firmware 1.4",
//	 "kind": "noise-meter",
//	 "kinds": "sha256:0a1b...",
//	 "program": "sluice v1.2.0, go1.26.0",
//	 "began": "2026-11-23T10:00:00Z",
//	 "ended": "2026-11-23T10:14:00Z",
//	 "readings": 100,
//	 "checks": [
//	  {"check": "identity", "result": "pass", "found": "it connected and published as itself"},
//	  {"check": "malformed", "result": "fail", "found": "...", "codes":
//	   [{"code": "E101", "pointer": "/fields/laeq", "count": 10, "fix": "send the type that the kind names"}]}
//	 ],
//	 "result": "fail"
//	}
//
// Numbers of readings are orders of magnitude (1, 10, 100, ...). No value, no topic and no instant of
// a reading is in it. The file's bytes are what is signed, with ssh-keygen -Y sign in the namespace
// sluice-certificate.
package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/internal/names"

	"sluice/internal/pattern"
)

// Format names this form of the file.
const Format = "sluice-certificate/1"

// MaxFile bounds a report, in bytes, and MaxCodes the codes of a check.
const (
	MaxFile  = 256 << 10
	MaxCodes = 100
)

// Checks are the names of all checks, in the order of a report.
var Checks = []string{"identity", "retransmission", "clock", "backlog", "reset", "malformed", "declared", "heartbeat",
	"tls"}

// Result is how a check, or all of them together, went.
type Result string

// A check that could not be made is untried. All together are complete only where none is.
const (
	Pass    Result = "pass"
	Fail    Result = "fail"
	Untried Result = "not tried"
)

// Report is the content of the file.
type Report struct {
	Format string `json:"format"`
	// Device is what whoever ran the checks calls it: maker, model, firmware.
	Device string `json:"device"`
	Kind   string `json:"kind"`
	// Kinds is sha256: and the digest, in hex, of the kinds.yaml that defines the kind.
	Kinds string `json:"kinds"`
	// Preset and Profile are what it speaks; empty for docs/wire.md's own format.
	Preset  string    `json:"preset,omitempty"`
	Profile string    `json:"profile,omitempty"`
	Program string    `json:"program"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	// Readings is how many the device sent, as an order of magnitude.
	Readings int64   `json:"readings"`
	Checks   []Check `json:"checks"`
	// Result is fail where a check failed, not tried where one was not tried, and pass otherwise.
	Result Result `json:"result"`
}

// Check is how one check went.
type Check struct {
	Check  string `json:"check"`
	Result Result `json:"result"`
	Found  string `json:"found"`
	Codes  []Code `json:"codes,omitempty"`
}

// Code is what the gateway said of some of the device's messages: a code of docs/wire.md, where, an
// order of magnitude, and the fix.
type Code struct {
	Code    string `json:"code"`
	Pointer string `json:"pointer"`
	Count   int64  `json:"count"`
	Fix     string `json:"fix"`
}

// Magnitude is the power of ten at or below n; 0 for none.
func Magnitude(n int64) int64 {
	if n <= 0 {
		return 0
	}
	return int64(math.Pow10(int(math.Log10(float64(n)))))
}

// About is an order of magnitude in words.
func About(magnitude int64) string {
	if magnitude == 0 {
		return "none"
	}
	return fmt.Sprintf("%d or more", magnitude)
}

// Overall is the result of all checks together.
func Overall(checks []Check) Result {
	has := func(r Result) bool { return slices.ContainsFunc(checks, func(c Check) bool { return c.Result == r }) }
	switch {
	case has(Fail):
		return Fail
	case has(Untried):
		return Untried
	}
	return Pass
}

// Lacks are the checks that did not pass, but for those that may be untried.
func (r *Report) Lacks(mayLack []string) (list []string) {
	for _, c := range r.Checks {
		if c.Result == Fail || c.Result == Untried && !slices.Contains(mayLack, c.Check) {
			list = append(list, c.Check)
		}
	}
	return list
}

// File is the report as bytes.
func (r *Report) File() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(r)
	return b.Bytes(), err
}

// Parse reads a report. What it does not know it refuses, so that nothing is signed that is not shown.
func Parse(raw []byte) (*Report, error) {
	if len(raw) > MaxFile {
		return nil, errors.New("it is larger than any report; give the report.json that certify wrote")
	}
	var r Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, errors.New("it is no report of this form; give the report.json that certify wrote")
	}
	if r.Format != Format {
		return nil, fmt.Errorf("it is of another form than %s; verify it with the program that wrote it", Format)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	// Whatever else is in it is not in the same bytes again.
	if again, err := r.File(); err != nil || !bytes.Equal(again, raw) {
		return nil, errors.New("it was written anew since certify wrote it; ask for the file as it was written")
	}
	return &r, nil
}

var (
	codePattern   = pattern.New(`^E\d{3}$`)
	digestPattern = pattern.New(`^sha256:[0-9a-f]{64}$`)
)

// maxText bounds each text of a report, in bytes.
const maxText = 400

// check reports whether the report says something that can be.
func (r *Report) check() error {
	bad := func(what string) error {
		return fmt.Errorf("the report's %s cannot be; ask for the file as it was written", what)
	}
	switch {
	case CheckDevice(r.Device) != nil:
		return CheckDevice(r.Device)
	case !names.Valid(r.Kind), !digestPattern.MatchString(r.Kinds), r.Preset != "" && !names.Valid(r.Preset),
		r.Profile != "" && !names.Valid(r.Profile):
		return bad("kind")
	case !shown(r.Program):
		return bad("program")
	case r.Began.IsZero() || r.Ended.Before(r.Began):
		return bad("time")
	case len(r.Checks) != len(Checks):
		return bad("list of checks")
	case r.Result != Overall(r.Checks):
		return bad("result")
	}
	for i, c := range r.Checks {
		if c.Check != Checks[i] || !c.sound() {
			return bad("check " + Checks[i])
		}
	}
	return nil
}

// CheckDevice reports whether a device can be called so.
func CheckDevice(name string) error {
	if !shown(name) || len(name) > 120 {
		return errors.New("name the device in at most 120 bytes of visible text: maker, model, firmware")
	}
	return nil
}

func (c *Check) sound() bool {
	return slices.Contains([]Result{Pass, Fail, Untried}, c.Result) && shown(c.Found) && len(c.Codes) <= MaxCodes &&
		!slices.ContainsFunc(c.Codes, func(x Code) bool {
			return !codePattern.MatchString(x.Code) || !shown(x.Pointer) || !shown(x.Fix) ||
				x.Count != Magnitude(x.Count)
		})
}

// shown reports whether a text can be shown: not empty, bounded, and nothing that a terminal obeys.
func shown(s string) bool { return s != "" && len(s) <= maxText && names.Visible(s) }

// Text is the report in words.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Certificate of a sensor\n\nDevice    %s\nKind      %s (%s...)\n", r.Device, r.Kind,
		r.Kinds[:len("sha256:")+12])
	if r.Preset != "" {
		fmt.Fprintf(&b, "Speaks    %s\n", strings.TrimSpace(r.Preset+" "+r.Profile))
	}
	fmt.Fprintf(&b, "Program   %s\n", r.Program)
	fmt.Fprintf(&b, "Tried     %s, %s\nReadings  %s\nResult    %s\n", r.Began.UTC().Format("2006-01-02 15:04 UTC"),
		r.Ended.Sub(r.Began).Round(time.Second), About(r.Readings), r.Result)
	for _, c := range r.Checks {
		b.WriteString("\n" + c.Text())
	}
	return b.String()
}

// Text is the check in words, with a line for each code.
func (c *Check) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-15s %-10s %s\n", c.Check, c.Result, c.Found)
	for _, x := range c.Codes {
		fmt.Fprintf(&b, "%-15s %-10s %s at %s, %s: %s\n", "", "", x.Code, x.Pointer, About(x.Count), x.Fix)
	}
	return b.String()
}
