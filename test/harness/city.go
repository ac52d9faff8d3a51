// Package harness runs a city for tests: the real programs, a real broker, real files, and
// what watches them. A story founds a city, begins it, sends readings, moves the clock, and
// looks at what the open data answer:
//
//	c := harness.Found(t, harness.Small())
//	c.Begin()
//	c.Send("gate-1", harness.Gate(1, harness.Ten, 12))
//	c.Tick(harness.Ten.Add(time.Hour + 2*time.Minute))
//	c.Stored()
//
// What a story waits for it awaits patiently (Await): a machine may be busy.
package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/firmware-sim/device"
)

// Crowd sends n devices in an hour.
func (c *City) Crowd(hour, n int) {
	c.T.Helper()
	at := Ten.Add(time.Duration(hour)*time.Hour + time.Minute)
	for i := range n {
		c.Link.Publish("city/v1/acme/wifi-1/up",
			fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"device":"crowd-%d-%d","rssi":-50,"note":"x"}}`,
				at.Format(time.RFC3339), hour*1000+i, hour, i), false)
	}
	if err := c.Link.Flush(); err != nil {
		c.T.Fatal(err)
	}
}

// Hours lives through some hours, one of them nobody's, and waits for the store.
func (c *City) Hours(from, to int) {
	c.T.Helper()
	for h := from; h < to; h++ {
		if h%3 != 2 {
			c.Crowd(h, 40)
		}
		c.Link.Publish("city/v1/acme/gate-1/up", []byte(Gate(h, Ten.Add(time.Duration(h)*time.Hour), 7)), false)
		c.Tick(Ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
	}
	c.Stored()
}

// Edit replaces text in a file of the city.
func (c *City) Edit(name, old, with string) {
	c.T.Helper()
	path := filepath.Join(c.Dir, name)
	text := Read(c.T, path)
	if !strings.Contains(text, old) {
		c.T.Fatalf("%s has no %q", name, old)
	}
	Write(c.T, path, strings.Replace(text, old, with, 1))
}

// WallClock makes a decision of windows of two seconds that are in force now.
func WallClock(text string) string {
	return strings.NewReplacer("lateness: PT2M", "lateness: PT1S", "every: PT1H", "every: PT2S",
		"2026-01-01", time.Now().AddDate(0, 0, -2).Format(time.DateOnly), "2026-12-31",
		time.Now().AddDate(0, 1, 0).Format(time.DateOnly)).Replace(text)
}

// Begin starts a command, as another user where one is given; it ends with the test.
func Begin(t *testing.T, bin string, cmd *exec.Cmd, as *syscall.Credential) *Process {
	t.Helper()
	p := launch(t, cmd, as)
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s wrote:\n%s\n%s", filepath.Base(bin), Tail(p.Out.String()), Tail(p.Err.String()))
		}
	})
	return p
}

// launch starts a command that ends when it is killed, or with this program.
func launch(t *testing.T, cmd *exec.Cmd, as *syscall.Credential) *Process {
	t.Helper()
	p := &Process{T: t, Cmd: cmd, Done: make(chan error, 1)}
	p.Cmd.Stdout, p.Cmd.Stderr = &p.Out, &p.Err
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: as}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.Done <- p.Cmd.Wait() }()
	return p
}

// ClockTopic carries the simulated time.
const ClockTopic = "city/v1/clock"

// City is a gateway with open data beside it, over one state directory.
type City struct {
	T           *testing.T
	Dir         string
	Keys        string // in memory, removed with the test
	Mqtt, Admin string
	Gateway     *Process
	Opendata    string
	Link        *device.Link
}

// Found makes a state directory of files: policy/... and register.yaml. Files of
// the example policy that are not given are left out, except the council's.
func Found(t *testing.T, files map[string]string) *City {
	t.Helper()
	dir := t.TempDir()
	keys, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Fatalf("the stories keep keys in /dev/shm: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(keys) })
	c := &City{T: t, Dir: dir, Keys: keys, Mqtt: FreeAddr(t)}
	if _, given := files["policy/council.yaml"]; !given {
		files["policy/council.yaml"] = string(portalba.Policy()["council.yaml"])
	}
	files["gateway.yaml"] = fmt.Sprintf(`gateway: test-1
dir: state
keys: %q
simulation: true
time: {topic: %s}
register: register.yaml
policy: {dir: policy}
listen: {mqtt: %q}
admin: 127.0.0.1:0
`, c.Keys, ClockTopic, c.Mqtt)
	files["opendata.yaml"] = "http: 127.0.0.1:0\nbooks: state/public\nstore: {sqlite: {path: state/store.db}}\n"
	for name, text := range files {
		Write(t, filepath.Join(dir, name), text)
	}
	return c
}

// Run starts the gateway; the state directory may be one that was left behind.
func (c *City) Run() {
	c.T.Helper()
	c.Gateway = Start(c.T, Sluice, "gateway", "-c", filepath.Join(c.Dir, "gateway.yaml"))
	c.Admin = "http://" + c.Gateway.Find(`the gateway runs.*admin=(\S+)`)[1]
}

// Serve starts the open data beside it.
func (c *City) Serve() {
	c.T.Helper()
	p := Start(c.T, Sluice, "opendata", "-c", filepath.Join(c.Dir, "opendata.yaml"))
	c.Opendata = p.Find(`http=(http://\S+)`)[1]
}

// Begin starts everything and sets the clock to ten.
func (c *City) Begin() {
	c.T.Helper()
	c.Run()
	c.Serve()
	c.Connect()
	c.Tick(Ten)
}

// Connect opens a connection that stays over restarts of the gateway.
func (c *City) Connect() *device.Link {
	c.T.Helper()
	link, err := device.Connect("tcp://"+c.Mqtt, "test")
	if err != nil {
		c.T.Fatal(err)
	}
	c.Link = link
	c.T.Cleanup(link.Close)
	return link
}

// Tick moves the simulated clock once everything sent is acknowledged.
func (c *City) Tick(at time.Time) {
	c.T.Helper()
	if err := c.Link.Tick(ClockTopic, at); err != nil {
		c.T.Fatal(err)
	}
}

// Through makes a city's gateway a client of a broker instead of listening.
func (c *City) Through(broker string) {
	c.T.Helper()
	path := filepath.Join(c.Dir, "gateway.yaml")
	text := strings.Replace(Read(c.T, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt),
		fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}\n", broker), 1)
	Write(c.T, path, text)
	c.Mqtt = broker
}

// caughtUp waits until the gateway has acknowledged everything and its clock
// has come to an instant.
func (c *City) At(now time.Time) {
	c.T.Helper()
	Await(c.T, 60*time.Second, "the gateway's clock to be "+now.Format(time.TimeOnly), func() bool {
		var health struct {
			ReleasedThrough *time.Time `json:"released_through"`
		}
		GetJSON(c.T, c.Admin+"/healthz", &health)
		return health.ReleasedThrough != nil && !health.ReleasedThrough.Before(now)
	})
}

// KeepIn makes a city's gateway and open data use InfluxDB at a URL.
func (c *City) KeepIn(url string) {
	c.T.Helper()
	c.KeepAt(url, "city/autogen")
}

// KeepShared makes them use a database of their own in the InfluxDB that a package's tests share.
func (c *City) KeepShared() {
	c.T.Helper()
	c.KeepAt(SharedInflux(c.T))
}

// KeepAt makes them use a database of it.
func (c *City) KeepAt(url, bucket string) {
	c.T.Helper()
	text := fmt.Sprintf("store: {influx: {url: %q, org: city, bucket: %s}}\n", url, bucket)
	AppendTo(c.T, filepath.Join(c.Dir, "gateway.yaml"), text)
	path := filepath.Join(c.Dir, "opendata.yaml")
	Write(c.T, path, strings.Replace(Read(c.T, path), "store: {sqlite: {path: state/store.db}}\n", text, 1))
}

// Run runs a command, which must succeed, and returns its output.
func Run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// Passwords writes the password file of a city and returns them by user.
func (c *City) Passwords() map[string]string {
	c.T.Helper()
	cmd := exec.Command(Sluice, "sensor", "acl", "--register", filepath.Join(c.Dir, "register.yaml"), "--dir", c.Dir)
	out, err := cmd.Output()
	if err != nil {
		c.T.Fatal(err)
	}
	all := map[string]string{"gateway": strings.TrimSpace(Read(c.T, filepath.Join(c.Dir, "gateway.password")))}
	for line := range strings.Lines(string(out)) {
		user, password, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[user] = password
	}
	return all
}

// Send publishes a payload as a sensor.
func (c *City) Send(sensor, payload string) {
	c.T.Helper()
	c.Link.Publish("city/v1/acme/"+sensor+"/up", []byte(payload), false)
	if err := c.Link.Flush(); err != nil {
		c.T.Fatal(err)
	}
}

// Today shortens windows to two seconds, in force now.
func Today(text string) string {
	text = strings.Replace(strings.Replace(text, "lateness: PT2M", "lateness: PT1S", 1), "every: PT1H", "every: PT2S",
		1)
	from, until, review := time.Now().AddDate(0, 0, -2), time.Now().AddDate(0, 1, 0),
		"review: "+time.Now().AddDate(0, 0, 20).Format(time.DateOnly)
	text = strings.NewReplacer("2026-01-01", from.Format(time.DateOnly), "2026-12-31", until.Format(time.DateOnly),
		"review: 2026-06-01", review).Replace(text)
	for key, line := range map[string]string{"legal_basis:": "legal_basis: \"by-law 1\"\n", "review:": review + "\n"} {
		if !strings.Contains(text, key) {
			text += line // without it nothing is put to the vote
		}
	}
	return text
}
