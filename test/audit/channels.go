package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"sluice/firmware-sim/device"
)

// A world is a gateway by the wall clock, with a signed policy and a password for
// each sensor: only there is anybody told anything, and are metrics blurred.
type world struct {
	*city
	links map[string]*device.Link
	pages [2]string // of metrics, before and after

	mu      sync.Mutex
	letters map[string][]string // guarded by mu
}

// neighbours are the sensors of the channels' city: one that hears the devices in
// question, one of another owner that asks for them, and one that stands beside it.
var neighbours = []string{"hears", "asks", "beside"}

// channels lives through the same minutes twice, once without all that one sensor
// heard of ten devices. What the other sensors are told, and the page of metrics, must
// be the same to the byte.
func channels(r *report, o options) error {
	var worlds [2]*world
	for n := range worlds {
		w, err := newWorld(o)
		worlds[n] = w
		defer w.close()
		if err != nil {
			return err
		}
	}
	o.wait()
	for n, w := range worlds {
		var err error
		if w.pages[0], err = w.metrics(); err != nil {
			return err
		}
		if err := w.live(n == 0); err != nil {
			return err
		}
	}
	time.Sleep(3 * time.Second) // several reports, were they not hourly
	for _, w := range worlds {
		var err error
		if w.pages[1], err = w.metrics(); err != nil {
			return err
		}
	}
	for n, w := range worlds {
		diff := differs(w.pages[0], w.pages[1])
		r.row(diff == "", "channels: metrics before and after the readings, "+[]string{"with them", "without"}[n],
			"%d lines%s", strings.Count(w.pages[0], "\n"), diff)
	}
	diff := differs(worlds[0].pages[1], worlds[1].pages[1])
	r.row(diff == "", "channels: metrics of the two worlds", "%d lines%s", strings.Count(worlds[0].pages[1], "\n"),
		diff)
	for _, sensor := range neighbours[1:] {
		a, err := worlds[0].told(sensor, o.tells)
		if err != nil {
			return err
		}
		b, err := worlds[1].told(sensor, o.tells)
		if err != nil {
			return err
		}
		r.row(a == b, "channels: what "+sensor+" is told", "%d bytes%s", len(a), differs(a, b))
	}
	return nil
}

// wait makes sure that the policy is in force, which it is from the next minute on, and that
// neither the hour nor the time of the next letters comes in
// the midst of what is sent.
func (o options) wait() {
	now := time.Now()
	time.Sleep(now.Truncate(time.Minute).Add(time.Minute + time.Second).Sub(now))
	for {
		now := time.Now()
		left := min(now.Truncate(o.tells).Add(o.tells).Sub(now), now.Truncate(time.Hour).Add(time.Hour).Sub(now))
		if left > min(o.tells/2, time.Minute) {
			return
		}
		time.Sleep(left + time.Second)
	}
}

func newWorld(o options) (*world, error) {
	c, err := ground(o)
	w := &world{city: c, links: make(map[string]*device.Link), letters: make(map[string][]string)}
	if err != nil {
		return w, err
	}
	from, until := term()
	files := c.frame([]string{"here", "there"}, []string{"wifi"})
	files["register.yaml"] = "sensors:\n"
	for n, sensor := range neighbours {
		files["register.yaml"] += fmt.Sprintf("  - {id: %s, owner: %s, kind: wifi, zone: %s, registered: 2026-01-01}\n",
			sensor, "abb"[n:n+1], []string{"here", "there", "there"}[n])
	}
	files["policy/kinds.yaml"] = "kinds:\n  wifi:\n    units: [{field: device, stands_for: device}]\n" +
		"    fields: [{name: device, type: string, class: identifier}, {name: x, type: float, class: measurement}]\n"
	// A motion is made within the bounds of the schemas, and says its law and review.
	files["policy/charter.yaml"] = strings.NewReplacer("100000", "1000", "delta_per_day: 100",
		"delta_per_day: 0.9").Replace(files["policy/charter.yaml"]) +
		"notice_days: 0\nquorums: {enact: 1, weaken: 1, charter: 1, roster: 1, suspend: 1}\n"
	text := simple("devices", "wifi", []string{"here", "there"}, "{field: device, stands_for: device}", "device, x",
		distinct+`, {name: total, of: "sum(x)", between: [0, 9]}`)
	text = strings.NewReplacer("2026-01-01", from, "2026-12-31", until, "every: PT1H", "every: PT1M",
		"forget_after: PT1H", "forget_after: P1D").Replace(text)
	files["policy/decisions/devices.yaml"] = text + "legal_basis: \"the audit's own\"\nreview: " + until + "\n"
	delete(files, "policy/council.yaml")
	if err := c.write(files); err != nil {
		return w, err
	}
	pin, err := vote(o.sluice, filepath.Join(c.dir, "policy"), filepath.Join(c.dir, "inbox"))
	if err != nil {
		return w, err
	}
	config := fmt.Sprintf("gateway: audit-1\ndir: state\nkeys: %q\nallow_swap: true\ntime: wall\n"+
		"register: register.yaml\npolicy: {inbox: inbox, every: PT1S, roster: %q}\n"+
		"listen: {mqtt: %q, passwords: passwords}\n"+
		"admin: 127.0.0.1:0\n", c.keys, pin, c.mqtt)
	if err := c.write(map[string]string{"gateway.yaml": config}); err != nil {
		return w, err
	}
	out, err := exec.Command(o.sluice, "sensor", "acl", "--register", filepath.Join(c.dir, "register.yaml"), "--dir",
		c.dir).Output()
	if err != nil {
		return w, fmt.Errorf("sensor acl: %w", err)
	}
	if err := c.start(); err != nil {
		return w, err
	}
	if err := w.ready(); err != nil {
		return w, err
	}
	for line := range strings.Lines(string(out)) {
		sensor, password, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err := w.enter(sensor, password); err != nil {
			return w, err
		}
	}
	return w, nil
}

// ready waits until the policy is in force and every part works.
func (w *world) ready() error {
	page := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var err error
		if page, err = w.metrics(); err != nil {
			return err
		}
		if strings.Contains(page, "sluice_policy_version 1") && !notUp.MatchString(page) {
			return nil
		}
	}
	return fmt.Errorf("a gateway with a signed policy is not ready after a minute:\n%s", page)
}

var notUp = regexp.MustCompile(`(?m)^sluice_up\{.*\} 0$`)

func (w *world) enter(sensor, password string) error {
	if sensor == "gateway" {
		return nil
	}
	link, err := device.ConnectAs("tcp://"+w.mqtt, "audit-"+sensor, sensor, password)
	if err != nil {
		return err
	}
	w.links[sensor] = link
	return link.Listen(w.topic(sensor)+"/feedback", func(raw []byte) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.letters[sensor] = append(w.letters[sensor], string(raw))
	})
}

func (w *world) topic(sensor string) string {
	return "city/v1/" + map[string]string{"hears": "a"}[sensor] + map[bool]string{true: "b"}[sensor != "hears"] + "/" +
		sensor
}

func (w *world) close() {
	for _, link := range w.links {
		link.Close()
	}
	w.city.close()
}

// live sends what the three sensors have to say. All say what makes no sense at the
// end, so that there is something to tell each.
func (w *world) live(heard bool) error {
	stamp := time.Now().UTC().Add(-time.Second).Format(time.RFC3339)
	say := func(sensor string, list ...string) error {
		w.links[sensor].Publish(w.topic(sensor)+"/up", []byte("["+strings.Join(list, ",")+"]"), false)
		return w.links[sensor].Flush()
	}
	readings := func(seq, x int) (list []string) {
		for n := range 10 {
			list = append(list,
				fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"victim%d","x":%d}}`, stamp, seq+n, n, x))
		}
		return list
	}
	if heard {
		for _, list := range [][]string{readings(0, 1), readings(20, 2)} {
			if err := say("hears", list...); err != nil {
				return err
			}
		}
	}
	odd := `{"seq":1000,"fields":{"device":7}}`
	for _, list := range [][]string{readings(0, 1), readings(0, 1), readings(40, 3), {odd}} {
		for _, sensor := range neighbours[1:] {
			if err := say(sensor, list...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) metrics() (string, error) {
	resp, err := http.Get("http://" + w.admin + "/metrics")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	// The worlds do not begin in the same second.
	return clockLine.ReplaceAllString(string(raw), ""), err
}

var clockLine = regexp.MustCompile(`(?m)^sluice_clock_seconds .*\n`)

// told waits for a letter to the sensor and returns what is in it, but for when.
func (w *world) told(sensor string, every time.Duration) (string, error) {
	deadline := time.Now().Add(every + 2*time.Minute)
	for ; time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		w.mu.Lock()
		list := w.letters[sensor]
		w.mu.Unlock()
		if len(list) == 0 {
			continue
		}
		var letter struct {
			Codes json.RawMessage
		}
		if err := json.Unmarshal([]byte(list[0]), &letter); err != nil {
			return "", fmt.Errorf("feedback to %s: %w", sensor, err)
		}
		if text := string(letter.Codes); strings.Contains(text, "E303") && strings.Contains(text, "E101") {
			return text, nil
		}
		return "", fmt.Errorf("%s sent everything twice, and then what makes no sense; it is told %s", sensor,
			letter.Codes)
	}
	return "", fmt.Errorf("%s is told nothing in %s, and has sent what makes no sense", sensor, every)
}

// differs names the first line that two texts do not have in common.
func differs(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for n := range x {
		if n >= len(y) || x[n] != y[n] {
			return "; not the same: " + x[n]
		}
	}
	if len(y) > len(x) {
		return "; not the same: " + y[len(x)]
	}
	return ""
}
