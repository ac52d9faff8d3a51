// Package doctor looks at everything that a gateway needs, and says what to mend.
package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sluice/books"
	"sluice/brief"
	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/host"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/rego"
	"sluice/register"
	"sluice/store/influx"
)

// Verdict of one check.
type Verdict string

// The verdicts. Away is a component that cannot be reached.
const (
	Fine Verdict = "ok"
	Warn Verdict = "warn"
	Fail Verdict = "fail"
	Away Verdict = "unreachable"
)

// Finding is one check of doctor: what was looked at, how it is, over several lines where a
// file's line is shown, and what to do.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found"`
	Hint    string  `json:"hint,omitempty"`
}

// doctor collects findings.
type doctor struct {
	cfg   config.Config
	rules rego.Evaluator // of the council, in a process of their own
	list  []Finding
	reg   *register.Register // nil where it cannot be read
}

func (d *doctor) say(check string, v Verdict, found, hint string) {
	d.list = append(d.list, Finding{check, v, brief.Report(found), brief.Text(hint)})
}

// Examine looks at everything that a gateway with this configuration needs. It
// mends nothing (it makes the directory for keys, to see that it can) and may be
// used beside a running gateway. The broker's own
// configuration file is read where it is given, or found on this machine.
func Examine(ctx context.Context, cfg config.Config, rules rego.Evaluator, mosquittoConf string) []Finding {
	d := &doctor{cfg: cfg, rules: rules}
	d.say("configuration", Fine, "it can be read", "")
	d.register()
	d.ways(ctx, mosquittoConf)
	d.store(ctx)
	d.disk()
	d.swap()
	d.keys()
	d.files()
	d.clock()
	d.ledger(ctx)
	d.witness(ctx)
	d.policy(ctx)
	d.admin()
	d.running(ctx)
	return d.list
}

func (d *doctor) admin() {
	if !config.Loopback(d.cfg.Admin) {
		d.say("admin", Warn, d.cfg.Admin+" is not on loopback: "+admin.Exposed, admin.ExposedFix)
		return
	}
	d.say("admin", Fine, "on loopback only", "")
}

func (d *doctor) register() {
	var err error
	if d.reg, err = d.cfg.ReadRegister(); err != nil {
		d.fail("register", err, "mend the file that register: names; sluice register check says all that is wrong")
		return
	}
	d.say("register", Fine, counted(len(d.reg.Sensors), "1 sensor", "sensors"), "")
}

func (d *doctor) ways(ctx context.Context, mosquittoConf string) {
	if l := d.cfg.Listen; l.MQTT != "" {
		switch own, err := d.cfg.Listener(); {
		case err != nil:
			d.fail("listener", err, "mend listen: in the file")
		case l.Passwords == "" && (l.TLS == nil || l.TLS.ClientCA == ""):
			d.say("listener", Warn, "anyone who reaches "+l.MQTT+" can publish as any sensor", "give it passwords, or TLS with client_ca")
		default:
			d.say("listener", Fine, "sensors have identities", "")
			d.locked(own.Passwords, own.TLS)
		}
	}
	if d.cfg.MQTT == nil {
		return
	}
	b, err := d.cfg.Broker()
	if err != nil {
		d.fail("broker", err, "mend mqtt: in the file")
		return
	}
	p := ingest.LookAt(ctx, *b)
	if p.Problem != "" {
		d.say("broker", Away, p.Problem, "see the broker's own log")
		d.persistence(mosquittoConf)
		return
	}
	d.say("broker", Fine, "it lets the gateway read and write", "")
	switch {
	case p.StrangerReads:
		d.say("stranger", Fail, "whoever connects without credentials can read what sensors publish", "set allow_anonymous false and acl_file; sluice sensor acl writes the files")
	case p.StrangerWrites:
		d.say("stranger", Fail, "whoever connects without credentials can publish as any sensor", "set allow_anonymous false and acl_file; sluice sensor acl writes the files")
	default:
		d.say("stranger", Fine, "a stranger is refused", "")
	}
	d.persistence(mosquittoConf)
}

// persistence looks into the broker's configuration: what it keeps on disk is
// in clear.
func (d *doctor) persistence(conf string) {
	u, err := url.Parse(d.cfg.MQTT.Broker)
	here := err == nil && config.Loopback(net.JoinHostPort(u.Hostname(), "1"))
	if conf == "" && here {
		conf = "/etc/mosquitto/mosquitto.conf"
	}
	if conf == "" {
		d.say("broker persistence", Warn, "the broker is on another machine, and its configuration is not known", "run sluice doctor --mosquitto FILE with a copy of its mosquitto.conf")
		return
	}
	m, err := readMosquitto(conf)
	if err == nil {
		defer d.bounds(m)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.say("broker persistence", Warn, "there is no "+conf, "give the broker's configuration with --mosquitto FILE")
	case err != nil:
		d.say("broker persistence", Fail, err.Error(), "give the broker's configuration with --mosquitto FILE")
	case m.persistence:
		d.say("broker persistence", Fail, "persistence true: the broker writes raw readings to its disk in clear", "set persistence false, as configs/mosquitto.conf does")
	case m.loud:
		d.say("broker persistence", Fail, "log_type all or debug: the broker writes topics to its log, and topics can name people", "leave log_type out, as configs/mosquitto.conf does")
	case m.inflight < 100 && m.inflight != 0:
		d.say("broker persistence", Warn, fmt.Sprintf("max_inflight_messages is %d, which slows the gateway down", m.inflight), "set max_inflight_messages 1000, as configs/mosquitto.conf does")
	default:
		d.say("broker persistence", Fine, "the broker keeps readings in memory only", "")
	}
}

func (d *doctor) store(ctx context.Context) {
	if c := d.cfg.Store.Influx; c != nil {
		s, err := influx.Open(*c)
		if err != nil {
			d.fail("store", err, "mend store: influx in the file")
			return
		}
		if err == nil {
			_, err = s.ClosedUntil(ctx, "doctor")
			err = errors.Join(err, s.Close())
		}
		if err != nil {
			d.say("store", Away, err.Error(), "releases wait in the outbox until it is back")
			return
		}
		d.say("store", Fine, "InfluxDB answers", "")
		return
	}
	if why := writable(filepath.Dir(d.cfg.Store.SQLite.Path)); why != "" {
		d.say("store", Fail, why, "mend store: sqlite: path, or make its directory writable")
		return
	}
	if info, err := os.Stat(d.cfg.Store.SQLite.Path); err == nil && !info.Mode().IsRegular() {
		d.say("store", Fail, d.cfg.Store.SQLite.Path+" is not a plain file", "mend store: sqlite: path")
		return
	}
	d.say("store", Fine, "SQLite on this disk", "")
}

// writable says why a directory, or the nearest one above that is there, cannot
// be written; empty when it can.
func writable(dir string) string {
	for {
		err := unix.Access(dir, unix.W_OK)
		if info, odd := os.Stat(dir); odd == nil && !info.IsDir() {
			return dir + " is a file, not a directory"
		}
		if err == nil {
			return ""
		}
		if parent := filepath.Dir(dir); (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) && parent != dir {
			dir = parent
			continue
		}
		return dir + " cannot be written by this user"
	}
}

func (d *doctor) disk() {
	dir := d.cfg.Dir
	for {
		var st unix.Statfs_t
		err := unix.Statfs(dir, &st)
		if errors.Is(err, unix.ENOENT) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir)
			continue
		}
		free := st.Bavail * uint64(st.Bsize) >> 20
		switch {
		case err != nil:
			d.say("disk", Fail, "the state directory cannot be looked at", "mend dir: in the file")
		case free < 64:
			d.say("disk", Fail, fmt.Sprintf("%d MiB are free", free), "make room: below 64 MiB the gateway says that it is not ready")
		case free < 1024:
			d.say("disk", Warn, fmt.Sprintf("%d MiB are free", free), "make room")
		default:
			d.say("disk", Fine, fmt.Sprintf("%d MiB are free", free), "")
		}
		return
	}
}

func (d *doctor) swap() {
	switch list := host.ClearSwap(); {
	case len(list) == 0:
		d.say("swap", Fine, "none that is not encrypted", "")
	case d.cfg.AllowSwap:
		d.say("swap", Warn, "unencrypted swap, allowed by allow_swap: "+strings.Join(list, ", "), "encrypt it or turn it off")
	default:
		d.say("swap", Fail, "unencrypted swap: "+strings.Join(list, ", "), "swapoff -a, or encrypt it: what is in memory could be written there in clear")
	}
}

func (d *doctor) keys() {
	switch {
	case d.cfg.Keys == "memory":
		d.say("keys", Warn, "they are in memory only: every stop loses the open windows", "set keys: auto")
	case d.cfg.Keys != "auto":
		if !host.OnMemory(d.cfg.Keys) {
			d.say("keys", Fail, d.cfg.Keys+" is not memory-backed, or not there", "choose a directory on tmpfs, e.g. under /run")
			return
		}
		d.say("keys", Fine, "in "+d.cfg.Keys, "")
	default:
		if base := host.KeyBase(); base != "" {
			d.say("keys", Fine, "in "+base, "")
			return
		}
		d.say("keys", Warn, "no memory-backed directory: a crash loses the open windows", "set keys: to a directory on tmpfs")
	}
}

func (d *doctor) clock() {
	var tx unix.Timex
	state, err := unix.Adjtimex(&tx)
	if err != nil || state == unix.TIME_ERROR {
		d.say("clock", Warn, "the system does not know that its clock is right", "run systemd-timesyncd or chrony: windows close by this clock")
		return
	}
	d.say("clock", Fine, "kept right", "")
}

// ledger looks at the ledger's file and follows the chains of the public books.
func (d *doctor) ledger(ctx context.Context) {
	path := filepath.Join(d.cfg.Dir, "ledger.db")
	if d.orphaned(path) {
		return
	}
	d.renamed()
	var damaged *ledger.Damaged
	switch err := ledger.Examine(ctx, path); {
	case errors.As(err, &damaged):
		d.say("ledger", Fail, damaged.Path+" "+damaged.What, "move it away with its -wal and -shm, put a backup there if there is one, and run sluice ledger recover -c FILE (docs/operations.md)")
		return
	case err != nil:
		d.say("ledger", Warn, fmt.Sprintf("%s could not be looked through: %v", path, err), "run doctor as the gateway's user")
		return
	}
	r := books.Reader{Source: books.Dir(filepath.Join(d.cfg.Dir, "public"))}
	n, err := r.Verify("ledger.jsonl")
	if err == nil {
		_, err = r.Verify("releases.jsonl")
	}
	if err != nil {
		d.say("ledger", Fail, err.Error(), "do not run on: compare with a mirror of the books")
		return
	}
	d.say("ledger", Fine, fmt.Sprintf("%d lines, unbroken chains; the file is sound", n), "")
}

// answer is what /readyz says.
type answer struct {
	Ready  bool                   `json:"ready"`
	Checks map[string]admin.Check `json:"checks"`
	Notes  []string               `json:"notes"`
}

// starting reports whether the gateway has only begun: nothing but intake is there yet.
func (a answer) starting() bool {
	_, intake := a.Checks["intake"]
	return !a.Ready && intake && len(a.Checks) == 1
}

// running asks a gateway that runs with this configuration how it is. One that was
// started a moment ago has ten seconds to be there.
func (d *doctor) running(ctx context.Context) {
	ready, ok := d.ask(ctx)
	for end := time.Now().Add(10 * time.Second); ok && ready.starting() && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(200 * time.Millisecond)
		ready, ok = d.ask(ctx)
	}
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(ready.Checks)) {
		if c := ready.Checks[name]; !c.OK {
			d.say("gateway", Fail, "it runs, and is not ready: "+name, c.Hint)
		}
	}
	for _, note := range ready.Notes {
		d.say("gateway", Warn, "it runs, and has seen what should not be", note)
	}
	if !ready.Ready {
		return
	}
	d.say("gateway", Fine, "it runs and is ready", "")
}

// ask asks once; it has said so itself where there was no answer.
func (d *doctor) ask(ctx context.Context) (ready answer, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.cfg.Admin+"/readyz", nil)
	if err != nil {
		d.say("gateway", Warn, "the admin address is none", "mend admin: in the file")
		return ready, false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if !d.taken(ctx) {
			d.say("gateway", Warn, "it does not run", "start it with sluice gateway -c FILE")
		}
		return ready, false
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&ready); err != nil || !ready.starting() && !has(ready.Checks, "policy") {
		d.say("gateway", Fail, "something else answers at the admin address", "choose another with admin: in the file")
		return ready, false
	}
	return ready, true
}

// counted is a number of things in words.
func counted(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, several)
}
