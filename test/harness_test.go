// Package test holds the stories: the real binary, real MQTT, real files.
package test

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/firmware-sim/device"
	"sluice/store/sqlite"
	"sluice/test/ports"
)

// Paths of the binaries, built once.
var sluice, firmware string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sluice-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	sluice, firmware = filepath.Join(dir, "sluice"), filepath.Join(dir, "firmware-sim")
	for path, pkg := range map[string]string{sluice: "sluice/cmd/sluice", firmware: "sluice/firmware-sim"} {
		if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	return m.Run()
}

// output collects what a process writes and finds things in it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is a running binary.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err output
	done     chan error
}

func start(t *testing.T, bin string, args ...string) *process {
	t.Helper()
	return startWith(t, nil, bin, args...)
}

// startWith adds to the environment.
func startWith(t *testing.T, env []string, bin string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), env...)
	return begin(t, bin, cmd, nil)
}

// startAs starts a binary as another user, which takes root.
func startAs(t *testing.T, uid uint32, bin string, args ...string) *process {
	t.Helper()
	return begin(t, bin, exec.Command(bin, args...), &syscall.Credential{Uid: uid, Gid: uid})
}

func begin(t *testing.T, bin string, cmd *exec.Cmd, as *syscall.Credential) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: as}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s wrote:\n%s\n%s", filepath.Base(bin), tail(p.out.String()), tail(p.err.String()))
		}
	})
	return p
}

func tail(s string) string { return s[max(0, len(s)-4000):] }

// find waits for a pattern in what the process writes and returns its groups.
func (p *process) find(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	var match []string
	await(p.t, patience, "the process to write "+pattern, func() bool {
		match = re.FindStringSubmatch(p.out.String() + p.err.String())
		select {
		case err := <-p.done:
			p.done <- err
			if match == nil {
				p.t.Fatalf("the process ended: %v\n%s", err, tail(p.err.String()))
			}
		default:
		}
		return match != nil
	})
	return match
}

// ended reports whether the process is over.
func (p *process) ended() bool {
	select {
	case err := <-p.done:
		p.done <- err
		return true
	default:
		return false
	}
}

// kill ends the process as a power cut would; it may be over already.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	err := <-p.done
	p.done <- err
}

// stop asks the process to end and returns its exit code; endsWell measures how long
// that takes.
func (p *process) stop(within time.Duration) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.done:
		p.done <- err
	case <-time.After(max(within, patience)):
		p.t.Fatal("the process does not stop")
	}
	return p.cmd.ProcessState.ExitCode()
}

const clockTopic = "city/v1/clock"

// city is a gateway with open data beside it, over one state directory.
type city struct {
	t           *testing.T
	dir         string
	keys        string // in memory, removed with the test
	mqtt, admin string
	gateway     *process
	opendata    string
	link        *device.Link
}

// found makes a state directory of files: policy/... and register.yaml. Files of
// the example policy that are not given are left out, except the council's.
func found(t *testing.T, files map[string]string) *city {
	t.Helper()
	dir := t.TempDir()
	keys, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Fatalf("the stories keep keys in /dev/shm: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(keys) })
	c := &city{t: t, dir: dir, keys: keys, mqtt: freeAddr(t)}
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
`, c.keys, clockTopic, c.mqtt)
	files["opendata.yaml"] = "http: 127.0.0.1:0\nbooks: state/public\nstore: {sqlite: {path: state/store.db}}\n"
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return c
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeSecret writes what the gateway wants others not to read.
func writeSecret(t *testing.T, path, text string) {
	t.Helper()
	write(t, path, text)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := ports.Addr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// run starts the gateway; the state directory may be one that was left behind.
func (c *city) run() {
	c.t.Helper()
	c.gateway = start(c.t, sluice, "gateway", "-c", filepath.Join(c.dir, "gateway.yaml"))
	c.admin = "http://" + c.gateway.find(`the gateway runs.*admin=(\S+)`)[1]
}

// serve starts the open data beside it.
func (c *city) serve() {
	c.t.Helper()
	p := start(c.t, sluice, "opendata", "-c", filepath.Join(c.dir, "opendata.yaml"))
	c.opendata = p.find(`http=(http://\S+)`)[1]
}

// begin starts everything and sets the clock to ten.
func (c *city) begin() {
	c.t.Helper()
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
}

// connect opens a connection that stays over restarts of the gateway.
func (c *city) connect() *device.Link {
	c.t.Helper()
	link, err := device.Connect("tcp://"+c.mqtt, "test")
	if err != nil {
		c.t.Fatal(err)
	}
	c.link = link
	c.t.Cleanup(link.Close)
	return link
}

// tick moves the simulated clock once everything sent is acknowledged.
func (c *city) tick(at time.Time) {
	c.t.Helper()
	if err := c.link.Tick(clockTopic, at); err != nil {
		c.t.Fatal(err)
	}
}

func get(t *testing.T, url string) (int, http.Header, []byte) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, body
}

func getJSON(t *testing.T, url string, v any) {
	t.Helper()
	status, _, body := get(t, url)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", url, status, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}

// item is one observation as the interface shows it.
type item struct {
	Start, End            time.Time
	Cell, Measure, Status string
	Value, Low, High      *float64
	Scale, Threshold      float64
	Epsilon               float64
	Reason                string
	Simulation            bool
}

// items reads all pages of a stream between two instants.
func (c *city) items(stream string, from, to time.Time) []item {
	c.t.Helper()
	return readAll(c.t, c.opendata, fmt.Sprintf("/api/v1/streams/%s/observations?limit=1000&from=%s&to=%s",
		stream, from.Format(time.RFC3339), to.Format(time.RFC3339)))
}

// some are items, of which there must be any: for loops that look at each.
func (c *city) some(stream string, from, to time.Time) []item {
	c.t.Helper()
	list := c.items(stream, from, to)
	if len(list) == 0 {
		c.t.Errorf("%s has nothing from %s to %s", stream, from, to)
	}
	return list
}

func readAll(t *testing.T, base, next string) []item {
	t.Helper()
	var all []item
	for next != "" {
		var page struct {
			Items []item
			Next  *string
		}
		getJSON(t, base+next, &page)
		all = append(all, page.Items...)
		next = ""
		if page.Next != nil {
			next = *page.Next
		}
	}
	return all
}

// stored waits until every released window is in the store and has its line in the
// books: then it is shown.
func (c *city) stored() {
	c.t.Helper()
	await(c.t, 60*time.Second, "the outbox to be empty", func() bool { return c.metric("sluice_outbox_rows") == 0 })
	db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(c.dir, "state/ledger.db"), true))
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	await(c.t, 60*time.Second, "the books to have every line", func() bool {
		var lines int
		raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/releases.jsonl"))
		return db.QueryRow("SELECT count(*) FROM released").Scan(&lines) == nil &&
			bytes.Count(raw, []byte("\n")) >= lines && (err == nil || lines == 0)
	})
	time.Sleep(50 * time.Millisecond) // what the open data knows of the books may be older
}

// metric reads one number from the gateway's metrics.
func (c *city) metric(name string) float64 {
	c.t.Helper()
	for s := bufio.NewScanner(strings.NewReader(c.metrics())); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), name+" "); ok {
			var v float64
			if _, err := fmt.Sscan(rest, &v); err != nil {
				c.t.Fatal(err)
			}
			return v
		}
	}
	return 0
}
