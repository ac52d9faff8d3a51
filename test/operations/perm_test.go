package operations

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/program"
)

// publicOnPurpose are the parts of a state directory that others may read: the books,
// the store, the policy laid out for people; and of a town what its council edits, and its archive.
var publicOnPurpose = regexp.MustCompile(
	`^(public|policy|council|inbox|archive)(/|$)|^store\.db|^register\.yaml$|^keys/[a-z]+\.pub$`)

// modesOf walks a directory: nothing in it can be written by others, and what can be
// read by them is on the list, and all of that is.
func modesOf(t *testing.T, dir string) {
	t.Helper()
	n := 0
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		mode, want := info.Mode().Perm(), fs.FileMode(0o600)
		open := name == "." || publicOnPurpose.MatchString(name)
		switch {
		case open && d.IsDir():
			want = 0o755
		case open:
			want = 0o644
		case d.IsDir():
			want = 0o700
		}
		if n++; mode != want {
			t.Errorf("%s has mode %04o; want %04o", name, mode, want)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n < 5 {
		t.Errorf("%d files were written in %s", n, dir)
	}
}

// masked starts a binary under a umask.
func masked(t *testing.T, umask, bin string, args ...string) *harness.Process {
	t.Helper()
	return harness.Start(t, "sh", append([]string{"-c", "umask " + umask + `; exec "$0" "$@"`, bin}, args...)...)
}

// TestModesOfWhatIsWritten: whatever umask the gateway is started with, what it
// writes is private unless it is public on purpose, and that is readable.
func TestModesOfWhatIsWritten(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"000", "022", "077"} {
		t.Run(umask, func(t *testing.T) {
			t.Parallel()
			c := harness.Found(t, harness.Small())
			c.Keys = filepath.Join(c.Keys, "own") // which the gateway makes
			config := filepath.Join(c.Dir, "gateway.yaml")
			harness.Write(t, config,
				regexp.MustCompile(`(?m)^keys:.*$`).ReplaceAllString(harness.Read(t, config),
					fmt.Sprintf("keys: %q", c.Keys)))
			c.Gateway = masked(t, umask, harness.Sluice, "gateway", "-c", config)
			c.Admin = "http://" + c.Gateway.Find(`the gateway runs.*admin=(\S+)`)[1]
			c.Connect()
			c.Tick(harness.Ten)
			for i := range 30 {
				c.Send("gate-1", harness.Gate(i+1, harness.Ten, 1))
			}
			c.Tick(harness.Ten.Add(4 * time.Hour))
			c.Stored()
			harness.Await(t, 20*time.Second, "the books", func() bool {
				_, err := os.Stat(filepath.Join(c.Dir, "state/public/releases.jsonl"))
				return err == nil
			})
			harness.Await(t, 20*time.Second, "the head beside the keys", func() bool {
				list, err := filepath.Glob(filepath.Join(c.Keys, "*", "head.json"))
				return err == nil && len(list) == 1
			})
			state := filepath.Join(c.Dir, "state")
			modesOf(t, state)
			for _, name := range []string{"lock", "ledger.db", "ledger.db-wal", "ledger.db-shm", "store.db",
				"store.db-wal", "store.db-shm"} {
				if _, err := os.Stat(filepath.Join(state, name)); err != nil {
					t.Errorf("it was not looked at: %v", err)
				}
			}
			if left := publicIn(t, c.Keys); len(left) > 0 {
				t.Errorf("keys, or the head beside them, can be read by others: %v", left)
			}
			strangerReads(t, c)
			if code := c.Gateway.Stop(20 * time.Second); code != 0 {
				t.Errorf("it ends with %d", code)
			}
			modesOf(t, state)
		})
	}
	t.Run("a voted policy", func(t *testing.T) {
		t.Parallel()
		c, a, inbox := harness.Voted(t, 0)
		a.Enact("founding", inbox, harness.Members[:4]...)
		c.Gateway = masked(t, "077", harness.Sluice, "gateway", "-c", filepath.Join(c.Dir, "gateway.yaml"))
		c.Gateway.Find("a motion is in force")
		harness.Await(t, 20*time.Second, "the policy for people", func() bool {
			_, err := os.Stat(filepath.Join(c.Dir, "state/policy/current"))
			return err == nil
		})
		modesOf(t, filepath.Join(c.Dir, "state"))
	})
	t.Run("a town of one's own", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "town")
		p := masked(t, "000", harness.Sluice, "up", "--dir", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0",
			"--admin",
			"127.0.0.1:0", "--allow-swap", "--json")
		p.Find(`"opendata"`)
		modesOf(t, dir)
	})
}

// publicIn are the files below a directory, itself included, of which others have
// something.
func publicIn(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			list = append(list, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

// strangerReads runs the open data as another user, which only root can, beside the
// gateway: it needs the books and the store with its log.
func strangerReads(t *testing.T, c *harness.City) {
	if os.Geteuid() != 0 {
		return
	}
	// Directories of tests are closed to others, and so are the binary's.
	dir, err := os.MkdirTemp("", "sluice-stranger-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	bin := filepath.Join(dir, "sluice")
	for at := c.Dir; at != filepath.Dir(os.TempDir()) && at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := program.Write(bin, []byte(harness.Read(t, harness.Sluice))); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p := harness.StartAs(t, 65534, bin, "opendata", "-c", filepath.Join(c.Dir, "opendata.yaml"))
	c.Opendata = p.Find(`http=(http://\S+)`)[1]
	if list := c.Items("gates", harness.Ten, harness.Ten.Add(2*time.Hour)); len(list) == 0 {
		t.Error("the open data's own user reads nothing")
	}
	for name, can := range map[string]bool{"store.db-shm": true, "public/city.json": true, "ledger.db": false,
		"ledger.db-wal": false, "checkpoint": false, "lock": false} {
		cmd := exec.Command("test", "-r", filepath.Join(c.Dir, "state", name))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := cmd.Run(); (err == nil) != can {
			t.Errorf("another user reads %s: %v", name, err == nil)
		}
	}
}

// TestAnOlderStateIsTightened: what an earlier version left readable is private after
// the next start, which says so once; doctor says it before.
func TestAnOlderStateIsTightened(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Run()
	c.Gateway.Stop(20 * time.Second)
	state := filepath.Join(c.Dir, "state")
	for name, mode := range map[string]fs.FileMode{"ledger.db": 0o644, "ledger.db-wal": 0o644, "lock": 0o644,
		"checkpoint": 0o755} {
		if err := os.Chmod(filepath.Join(state, name), mode); err != nil && name != "ledger.db-wal" {
			t.Fatal(err)
		}
	}
	if out, _ := exec.Command(harness.Sluice, "doctor", "-c",
		filepath.Join(c.Dir, "gateway.yaml")).Output(); !regexp.MustCompile(`warn +files .*ledger.db can be read by others`).Match(out) {
		t.Errorf("doctor says\n%s", out)
	}
	c.Run()
	c.Gateway.Find(`others could read files.*checkpoint ledger.db.* lock`)
	c.Gateway.Stop(20 * time.Second)
	modesOf(t, state)
	c.Run()
	if strings.Contains(c.Gateway.Err.String(), "others could") {
		t.Error("it is said again")
	}
}

// TestOpenToOthersIsRefused: what others could have written, and secrets that they
// can read, are refused with 3. The message names the file and the command that
// mends it; doctor says the same; and the command does mend it.
func TestOpenToOthersIsRefused(t *testing.T) {
	t.Parallel()
	asRoot := os.Geteuid() == 0
	for _, r := range []struct {
		name, config, path string // config replaces the line of its key
		mode               fs.FileMode
		foreign            bool
	}{
		{name: "state directory", path: "state", mode: 0o777},
		{name: "state directory, group", path: "state", mode: 0o775},
		{name: "ledger", path: "state/ledger.db", mode: 0o666},
		{name: "checkpoint", path: "state/checkpoint", mode: 0o777},
		{name: "store", path: "state/store.db", mode: 0o622},
		{name: "public books", path: "state/public", mode: 0o777},
		{name: "lock", path: "state/lock", mode: 0o666},
		{name: "configuration", path: "gateway.yaml", mode: 0o646},
		{name: "register", path: "register.yaml", mode: 0o646},
		{name: "policy directory", path: "policy", mode: 0o777},
		{name: "policy file", path: "policy/charter.yaml", mode: 0o666},
		{name: "a decision", path: "policy/decisions", mode: 0o757},
		{name: "above it all", path: ".", mode: 0o777},
		{name: "key directory", path: "KEYS", mode: 0o711},
		{name: "listener's passwords", path: "pw", mode: 0o644, config: "listen: {mqtt: 127.0.0.1:0, passwords: pw}"},
		{name: "listener's passwords, group", path: "pw", mode: 0o660,
			config: "listen: {mqtt: 127.0.0.1:0, passwords: pw}"},
		{name: "listener's key", path: "key", mode: 0o604,
			config: "listen: {mqtt: 127.0.0.1:0, tls: {cert: pw, key: key}}"},
		{name: "listener's authorities", path: "pw", mode: 0o646,
			config: "listen: {mqtt: 127.0.0.1:0, tls: {cert: pw, key: key}}"},
		{name: "broker's password", path: "pw", mode: 0o644,
			config: "mqtt: {broker: \"tcp://127.0.0.1:1\", username: u, password_file: pw}"},
		{name: "broker's key", path: "key", mode: 0o644,
			config: "mqtt: {broker: \"tls://127.0.0.1:1\", cert: pw, key: key}"},
		{name: "broker's authorities", path: "pw", mode: 0o666,
			config: "mqtt: {broker: \"tls://127.0.0.1:1\", ca: pw}"},
		{name: "database's token", path: "pw", mode: 0o644,
			config: "store: {influx: {url: \"http://127.0.0.1:1\", org: o, bucket: b, token_file: pw}}"},
		{name: "inbox", path: "in", mode: 0o777,
			config: "policy: {inbox: in, roster: \"sha256:" + strings.Repeat("0", 64) + "\"}"},
		{name: "somebody else's state directory", path: "state", mode: 0o755, foreign: true},
		{name: "somebody else's ledger", path: "state/ledger.db", mode: 0o600, foreign: true},
		{name: "somebody else's keys", path: "KEYS", mode: 0o700, foreign: true},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if r.foreign && !asRoot {
				t.Skip("only root can give files away")
			}
			c := harness.Found(t, harness.Small())
			config := filepath.Join(c.Dir, "gateway.yaml")
			if r.config != "" {
				key, _, _ := strings.Cut(r.config, ":")
				harness.Write(t, config,
					regexp.MustCompile(`(?m)^`+key+`:.*\n`).ReplaceAllString(harness.Read(t, config), "")+r.config+
						"\n")
			}
			for _, name := range []string{"state/ledger.db", "state/store.db", "state/lock", "pw", "key"} {
				harness.Write(t, filepath.Join(c.Dir, name), "")
				_ = os.Chmod(filepath.Join(c.Dir, name), 0o600)
			}
			for _, name := range []string{"state/checkpoint", "state/public", "in"} {
				if err := os.MkdirAll(filepath.Join(c.Dir, name), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(c.Dir, r.path)
			if r.path == "KEYS" {
				path = c.Keys
			}
			if err := os.Chmod(path, r.mode); err != nil {
				t.Fatal(err)
			}
			if r.foreign {
				if err := os.Chown(path, 65534, 65534); err != nil {
					t.Fatal(err)
				}
			}
			code, said := harness.Ends(t, harness.Sluice, "gateway", "-c", config)
			mend := regexp.MustCompile(`(chmod [^ ]+|chown -R \S+) ` + regexp.QuoteMeta(path) +
				`(\n|$)`).FindString(said)
			if code != 3 || mend == "" {
				t.Fatalf("it ends with %d and says %s", code, said)
			}
			if code, said := harness.Ends(t, harness.Sluice, "doctor", "-c", config, "--json"); !strings.Contains(said,
				strings.TrimSpace(mend)) || code != 1 && code != 3 {
				t.Errorf("doctor ends with %d and says %s", code, said)
			} else if code == 1 {
				hinted(t, said, strings.TrimSpace(mend))
			}
			if out, err := exec.Command("sh", "-c", mend).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v %s", mend, err, out)
			}
			if _, said := harness.Ends(t, harness.Sluice, "doctor", "-c", config, "--json"); strings.Contains(said,
				"chmod") ||
				strings.Contains(said, "chown") {
				t.Errorf("after %s doctor says %s", mend, said)
			}
		})
	}
}

// hinted looks for a hint among doctor's failures.
func hinted(t *testing.T, report, hint string) {
	t.Helper()
	var list struct {
		Findings []struct{ Check, Verdict, Found, Hint string }
	}
	if err := json.NewDecoder(strings.NewReader(report)).Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, f := range list.Findings {
		if f.Verdict == "fail" && strings.HasSuffix(f.Hint, hint) {
			return
		}
	}
	t.Errorf("no failure has the hint %q: %+v", hint, list.Findings)
}

// TestLinksAreNotFollowed: what is of a state directory's own, and a file of
// passwords, is not written or read through a link.
func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ledger.db", "lock", "checkpoint"} {
		c := harness.Found(t, harness.Small())
		elsewhere := filepath.Join(c.Dir, "elsewhere")
		harness.Write(t, elsewhere, "mine")
		harness.Write(t, filepath.Join(c.Dir, "state/store.db"), "")
		if err := os.Symlink(elsewhere, filepath.Join(c.Dir, "state", name)); err != nil {
			t.Fatal(err)
		}
		code, said := harness.Ends(t, harness.Sluice, "gateway", "-c", filepath.Join(c.Dir, "gateway.yaml"))
		if code != 3 || !strings.Contains(said, "is a link") || harness.Read(t, elsewhere) != "mine" {
			t.Errorf("%s: %d, %s", name, code, said)
		}
	}
	dir := t.TempDir()
	harness.Write(t, filepath.Join(dir, "mine"), "")
	for _, name := range []string{"passwords", "gateway.password", "acl"} {
		if err := os.Symlink(filepath.Join(dir, "mine"), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		code, said := harness.Ends(t, harness.Sluice, "sensor", "acl", "--register",
			"../../configs/portalba/register.yaml", "--dir", dir)
		if code != 3 || harness.Read(t, filepath.Join(dir, "mine")) != "" {
			t.Errorf("%s: %d, %s", name, code, said)
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if code, said := harness.Ends(t, harness.Sluice, "up", "--dir", func() string {
		wide := filepath.Join(dir, "wide")
		_ = os.Mkdir(wide, 0o700)
		_ = os.Chmod(wide, 0o777)
		return wide
	}()); code != 3 || !strings.Contains(said, "chmod go-w") {
		t.Errorf("a town in a directory of everybody's: %d, %s", code, said)
	}
}
