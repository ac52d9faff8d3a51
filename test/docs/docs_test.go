package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestOperationsCommands runs the commands of docs/operations.md: in a copy of the
// checkout up to the first number, then what looks at the state and mends it, and then
// the services, on a machine that is made of stand-ins where there is none.
func TestOperationsCommands(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto")
	harness.Need(t, "curl")
	dir := harness.Checkout(t)
	b := fenced.Take(t, "docs/operations.md", "sudo apt-get install")
	for _, port := range []string{"1884", "8080", "9090"} {
		b.Change(port, harness.FreePort(t))
	}
	built(b)
	b.StandIn("sudo", `test "$1 $2" = "apt-get install"`, "installing is the machine's part, tried by whoever reads")
	out := b.Run(dir, nil)
	if !strings.Contains(out, ",PT1M,carrer-nou,level,71.5,published,71.5,71.5,") {
		t.Errorf("there is no number\n%s", harness.Tail(out))
	}
	if !strings.Contains(out, "a stranger is refused") {
		t.Errorf("doctor did not look at the broker\n%s", harness.Tail(out))
	}
	first := regexp.MustCompile(`(?m)^(20\S+Z),20\S+,PT1M,carrer-nou,level,71.5`).FindStringSubmatch(out)
	if first == nil {
		t.FailNow()
	}
	afterwards(t, dir, first[1])
	newMachine(t, dir).serve()
}

// afterwards takes the first number back and looks at what the gateway has left.
func afterwards(t *testing.T, dir, start string) {
	bin := []string{filepath.Join(dir, "bin")}
	here := strings.NewReplacer("/etc/sluice/", dir+"/city/", "/var/lib/sluice", dir+"/city/state")
	b := fenced.Take(t, "docs/operations.md", "sluice withdraw footfall")
	b.Text = here.Replace(b.Text)
	b.Change("footfall", "noise").Change("2026-11-23T10:00:00Z", start)
	harness.Want(t, b.Run(dir, bin), `withdrawn`)
	b = fenced.Take(t, "docs/operations.md", "sluice ledger verify")
	b.Text = here.Replace(b.Text)
	harness.Want(t, b.Run(dir, bin), `Everything adds up`)
	harness.Want(t, harness.Read(t, filepath.Join(dir, "budget.svg")), `^<svg`)
	b = fenced.Take(t, "docs/operations.md", "sluice ledger recover")
	b.Text = here.Replace(b.Text)
	harness.Want(t, b.Run(dir, bin), `.`)
}

// machine is a directory that stands for a machine's root, with what the units of
// configs/systemd/ start running as ordinary processes.
type machine struct {
	t              *testing.T
	checkout, root string
}

func newMachine(t *testing.T, checkout string) *machine {
	m := &machine{t, checkout, t.TempDir()}
	for _, d := range []string{"usr/local/bin", "etc/systemd/system", "etc/mosquitto/conf.d", "run", "var/lib/sluice"} {
		harness.Run(t, "mkdir", "-p", filepath.Join(m.root, d))
	}
	// As Debian's own.
	harness.Write(t, m.root+"/etc/mosquitto/mosquitto.conf",
		"persistence true\npersistence_location "+m.root+"/var/lib/\nuser root\ninclude_dir "+m.root+
			"/etc/mosquitto/conf.d\n")
	t.Cleanup(func() { _ = exec.Command("sh", "-c", "kill -9 $(cat "+m.root+"/run/*.pid) 2>/dev/null").Run() })
	return m
}

// run runs a block whose paths are of the machine.
func (m *machine) run(b *fenced.Taken) string {
	m.t.Helper()
	for _, d := range []string{"/etc/", "/usr/local/bin/", "/var/lib/"} {
		b.Text = strings.ReplaceAll(b.Text, d, m.root+d)
	}
	b.StandIn("sudo", `if [ "$1" = -u ]; then shift 2; fi; exec "$@"`, "a test changes no user")
	b.StandIn("adduser", `test "$1" = --system && test "${@: -1}" = sluice`, "a test makes no user")
	b.StandIn("chown", `case "$*" in *sluice:\ *|*mosquitto:\ *) test -e "${@: -1}";; *) exit 1;; esac`,
		"the users are not there")
	b.StandIn("systemctl", systemctl, "a test has no systemd of its own")
	if strings.Contains(b.Text, "install -d") {
		b.StandIn("install", `test "$1 $2 $3 $4 $5" = "-d -o sluice -g sluice" && mkdir "$6"`, "the user is not there")
	}
	return b.Run(m.checkout, []string{m.root + "/usr/local/bin"}, "ROOT="+m.root)
}

// systemctl starts what a unit says, with a machine's root before its paths. A unit
// that was not installed fails.
const systemctl = `
verb=$1; shift
test "$verb" != daemon-reload || exit 0
test "$verb" != enable || { test "$1" = --now; shift; }
for unit in "$@"; do
	pid=$ROOT/run/$unit.pid
	if [ "$unit" = mosquitto ]; then
		command="mosquitto -c $ROOT/etc/mosquitto/mosquitto.conf"
	else
		command=$(sed -n "s|^ExecStart=||; T; s| /| $ROOT/|g; s|^/|$ROOT/|; p" "$ROOT/etc/systemd/system/$unit.service")
	fi
	case $verb in
	reload) kill -HUP $(cat "$pid"); continue;;
	stop|restart) if [ -e "$pid" ]; then kill $(cat "$pid"); tail --pid=$(cat "$pid") -f /dev/null; rm "$pid"; fi;;
	start|enable) ;;
	*) echo "systemctl $verb is not known here" >&2; exit 1;;
	esac
	test "$verb" != stop || continue
	setsid $command >"$ROOT/run/$unit.log" 2>&1 </dev/null &
	echo $! >"$pid"
done`

func (m *machine) serve() {
	t := m.t
	m.run(fenced.Take(t, "docs/operations.md", "sudo install -m 755 bin/sluice"))
	port, web := harness.FreePort(t), harness.FreePort(t)
	conf := m.root + "/etc/mosquitto/conf.d/sluice.conf"
	harness.Write(t, conf,
		strings.NewReplacer("listener 1883", "listener "+port+" 127.0.0.1", "/etc/",
			m.root+"/etc/").Replace(harness.Read(t, conf)))
	// What the page says to write, from what it showed before.
	state := m.root + "/var/lib/sluice"
	text := regexp.MustCompile(`tcp://127.0.0.1:\d+`).ReplaceAllString(harness.Read(t, m.checkout+"/city/gateway.yaml"),
		"tcp://127.0.0.1:"+port)
	text = regexp.MustCompile(`admin: .*`).ReplaceAllString(text, "admin: 127.0.0.1:"+harness.FreePort(t))
	harness.Write(t, m.root+"/etc/sluice/gateway.yaml", strings.Replace(text, "dir: state\n", "dir: "+state+"\n", 1))
	text = regexp.MustCompile(`http: .*`).ReplaceAllString(harness.Read(t, m.checkout+"/city/opendata.yaml"),
		"http: 127.0.0.1:"+web)
	harness.Write(t, m.root+"/etc/sluice/opendata.yaml",
		strings.NewReplacer("state/public", state+"/public", "state/store.db", state+"/store.db").Replace(text))

	b := fenced.Take(t, "docs/operations.md", "sudo systemctl daemon-reload")
	// the default is the machine's own
	b.Change("sluice doctor -c", "sluice doctor --mosquitto /etc/mosquitto/mosquitto.conf -c")
	harness.Want(t, m.run(b), `(?s)a stranger is refused.*in memory only.*it runs and is ready`)
	status := func(what string) {
		t.Helper()
		harness.Await(t, 20*time.Second, what, func() bool {
			return exec.Command("curl", "-sf", "http://127.0.0.1:"+web+"/api/v1/streams").Run() == nil
		})
	}
	status("the open data of the services")
	watch := fenced.Take(t, "docs/operations.md", "sluice sensor watch -c /etc/sluice/gateway.yaml --once")
	harness.Want(t, m.run(watch), `(?s)noise-rambla.*"id":"noise-rambla"`)
	shape := fenced.Take(t, "docs/operations.md", "sluice sensor watch -c /etc/sluice/gateway.yaml --shape")
	shape.Change("--for 20s", "--for 1s") // a test waits for less
	harness.Want(t, m.run(shape), `nothing came that fits no sensor`)
	harness.Write(t, m.root+"/etc/sluice/register.yaml",
		harness.Read(t, m.root+"/etc/sluice/register.yaml")+
			"  - {id: new-noise, owner: demo, kind: noise-meter, zone: carrer-nou, registered: 2026-05-01}\n")
	m.run(fenced.Take(t, "docs/operations.md", "sluice register check"))
	harness.Want(t, harness.Read(t, m.root+"/etc/sluice/sensors.txt"), `rambla-1 \S{20,}(?s:.*)new-noise \S{20,}`)
	log := func() string { return harness.Read(t, m.root+"/run/sluice-gateway.log") }
	harness.Await(t, 20*time.Second, "the register to be read anew", func() bool {
		return strings.Contains(log(), "read anew")
	})
	m.run(fenced.Take(t, "docs/operations.md", "sudo systemctl stop sluice-gateway"))
	harness.Await(t, 20*time.Second, "the gateway to run in its new directory", func() bool {
		return strings.Contains(log(), "the gateway runs")
	})
	status("the open data beside the new directory")
}
