package test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/store/sqlite"
)

// loss is a city that lives two hours, is stopped for its copy, lives two more, and is
// stopped for good. What is lost then is the test's.
type loss struct {
	*city
	state, backup string   // the copy is of the whole directory that configurations and state are in
	shown         []string // of both streams
}

func living(t *testing.T, change func(c *city)) *loss {
	t.Helper()
	c := found(t, small())
	if change != nil {
		change(c)
	}
	l := &loss{city: c, state: filepath.Join(c.dir, "state"), backup: filepath.Join(t.TempDir(), "backup")}
	c.begin()
	c.hours(0, 2)
	l.halt()
	if err := os.CopyFS(l.backup, os.DirFS(c.dir)); err != nil {
		t.Fatal(err)
	}
	l.again()
	c.hours(2, 4)
	l.shown = l.show()
	l.halt()
	return l
}

func (l *loss) halt() {
	l.t.Helper()
	if code := l.gateway.stop(20 * time.Second); code != 0 {
		l.t.Fatalf("it ends with %d", code)
	}
}

// again starts the gateway, and what sensors and clock hold is a new connection.
func (l *loss) again() {
	l.t.Helper()
	l.run()
	l.link.Close()
	l.connect()
}

func (l *loss) show() []string {
	l.t.Helper()
	return append(deref(l.items("gates", ten, ten.Add(4*time.Hour))),
		deref(l.items("devices", ten, ten.Add(4*time.Hour)))...)
}

// lose removes files of the directory.
func (l *loss) lose(names ...string) {
	l.t.Helper()
	for _, name := range names {
		removeAll(l.t, filepath.Join(l.dir, name))
	}
}

// putIn copies files of the backup to where they were.
func (l *loss) putIn(names ...string) {
	l.t.Helper()
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(l.backup, name))
		if os.IsNotExist(err) && strings.HasSuffix(name, "-wal") {
			continue // an orderly stop may leave none
		}
		if err != nil {
			l.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(l.dir, name), raw, 0o600); err != nil {
			l.t.Fatal(err)
		}
	}
}

func (l *loss) recover(want string) {
	l.t.Helper()
	if code, out := verb(l.t, "ledger", "recover", "-c", filepath.Join(l.dir, "gateway.yaml")); code != 0 ||
		!strings.Contains(out, want) {
		l.t.Fatalf("recover: %d\n%s", code, out)
	}
}

// right looks that everything is shown that was, and nothing is called wrong.
func (l *loss) right() {
	l.t.Helper()
	await(l.t, 30*time.Second, "everything to be shown again", func() bool {
		return fmt.Sprint(l.show()) == fmt.Sprint(l.shown)
	})
	l.content("")
}

func (l *loss) content(says string) {
	l.t.Helper()
	await(l.t, 30*time.Second, "verify to be content", func() bool {
		code, out := verb(l.t, "verify", l.opendata)
		return code == 0 && strings.Contains(out, says)
	})
}

// goesOn lives another hour from one on.
func (l *loss) goesOn(hour int) {
	l.t.Helper()
	l.link.Publish("city/v1/acme/gate-1/up", []byte(gate(hour, ten.Add(time.Duration(hour)*time.Hour), 9)), false)
	l.tick(ten.Add(time.Duration(hour+1)*time.Hour + 3*time.Minute))
	l.stored()
	if got := value(l.t,
		l.items("gates", ten.Add(time.Duration(hour)*time.Hour), ten.Add(time.Duration(hour+1)*time.Hour)),
		ten.Add(time.Duration(hour)*time.Hour), "passed"); got != 9 {
		l.t.Errorf("the hour after has %v; want 9", got)
	}
	l.content("")
}

var (
	ledgerFiles = []string{"state/ledger.db", "state/ledger.db-wal"}
	storeFiles  = []string{"state/store.db", "state/store.db-wal"}
)

// kept are the rows of the table of backups in docs/operations.md, by the beginning of
// each: what happens when the file is lost and what the row says is done.
var kept = map[string]map[string]func(t *testing.T){
	"`gateway.yaml`": {"put back": func(t *testing.T) {
		l := living(t, nil)
		files := []string{"gateway.yaml", "opendata.yaml", "register.yaml"}
		l.lose(files...)
		if code, _ := verb(t, "gateway", "-c", filepath.Join(l.dir, "gateway.yaml")); code != 3 {
			t.Errorf("without its configuration it ends with %d", code)
		}
		l.putIn(files...)
		l.again()
		l.serve()
		l.right()
		l.goesOn(4)
	}},
	"`ledger.db`": {
		"put back older": func(t *testing.T) {
			l := living(t, nil)
			l.lose(append(ledgerFiles, "state/ledger.db-shm")...)
			l.putIn(ledgerFiles...)
			l.recover("is silent until")
			l.again()
			l.right()
			l.silent()
		},
		"lost": func(t *testing.T) {
			l := living(t, nil)
			l.lose(append(ledgerFiles, "state/ledger.db-shm")...)
			l.recover("is silent until")
			l.again()
			l.right()
			l.silent()
		},
	},
	"`store.db`": {
		"lost": func(t *testing.T) {
			l := living(t, nil)
			l.lose(append(storeFiles, "state/store.db-shm")...)
			l.again()
			l.right()
			l.goesOn(4)
		},
		"put back older": func(t *testing.T) {
			l := living(t, nil)
			l.lose(append(storeFiles, "state/store.db-shm")...)
			l.putIn(storeFiles...)
			l.again()
			l.right()
			l.goesOn(4)
		},
		"put back older, and too old to be sent again": func(t *testing.T) {
			l := living(t, nil)
			l.lose(append(storeFiles, "state/store.db-shm")...)
			l.putIn(storeFiles...)
			l.forgetSent()
			l.again()
			l.gateway.find(`the store is not as it was left.*4 windows of 2 streams`)
			await(t, 20*time.Second, "readiness to say so", func() bool {
				_, hints := l.ready()
				return strings.Contains(hints["store"], "ledger recover")
			})
			l.halt()
			l.recover("4 windows that were released are not in the store any more")
			l.again()
			l.content("4 released windows are not shown: the store has lost them")
			if n := len(l.show()); n != 6 {
				t.Errorf("%d numbers are shown; want the 6 of the copy", n)
			}
			l.goesOn(4)
		},
		"InfluxDB": influxPutBack,
	},
	"`homes.json`": {"put back": func(t *testing.T) {
		c := found(t, homesTown())
		c.begin()
		c.namesNoHome("before")
		c.gateway.stop(20 * time.Second)
		path := filepath.Join(c.dir, "state/homes.json")
		was := read(t, path)
		// A slip in the register: only this file knows what the sensors stood for.
		register := filepath.Join(c.dir, "register.yaml")
		write(t, register, strings.ReplaceAll(read(t, register), "kind: home-meter", "kind: people-gate"))
		removeAll(t, path)
		if err := os.WriteFile(path, []byte(was), 0o600); err != nil {
			t.Fatal(err)
		}
		c.run()
		c.link.Close()
		c.connect()
		c.tick(ten.Add(time.Hour))
		c.namesNoHome("after it was put back")
	}},
	"`public/`": {"lost": func(t *testing.T) {
		l := living(t, nil)
		was := read(t, filepath.Join(l.state, "public/releases.jsonl"))
		l.lose("state/public")
		l.again()
		l.right()
		if now := read(t, filepath.Join(l.state, "public/releases.jsonl")); now != was {
			t.Errorf("it was\n%s\nand is\n%s", was, now)
		}
		l.goesOn(4)
	}},
	"`policy/`": {"lost": func(t *testing.T) {
		c, a, inbox := voted(t, 0)
		c.run()
		a.enact("first", inbox, members[:4]...)
		laid := filepath.Join(c.dir, "state/policy/current")
		await(t, 30*time.Second, "the policy to be in force", func() bool {
			_, err := os.Stat(laid)
			return c.version() == 1 && err == nil
		})
		c.gateway.stop(20 * time.Second)
		removeAll(t, filepath.Join(c.dir, "state/policy"))
		c.run()
		await(t, 30*time.Second, "it to be laid out anew", func() bool { _, err := os.Stat(laid); return err == nil })
		if got := c.version(); got != 1 {
			t.Errorf("version %v is in force", got)
		}
	}},
	"`checkpoint/`": {
		"lost": func(t *testing.T) {
			l := living(t, nil)
			l.lose("state/checkpoint", "state/lock")
			removeAll(t, l.keys)
			l.gap()
		},
		"put back older": func(t *testing.T) {
			l := living(t, nil)
			l.lose("state/checkpoint")
			if err := os.CopyFS(filepath.Join(l.state, "checkpoint"),
				os.DirFS(filepath.Join(l.backup, "state/checkpoint"))); err != nil {
				t.Fatal(err)
			}
			l.gap()
		},
	},
}

// silent looks that streams release nothing until the next midnight, and go on then.
func (l *loss) silent() {
	l.t.Helper()
	l.tick(ten.Add(6 * time.Hour))
	l.stored()
	if n := len(l.items("gates", ten.Add(4*time.Hour), ten.Add(6*time.Hour))); n != 0 {
		l.t.Errorf("%d numbers are shown of a time that is silent", n)
	}
	l.tick(ten.Add(24*time.Hour + 3*time.Minute))
	l.goesOn(24)
}

// gap looks that an open window that is lost is said, and that everything goes on.
func (l *loss) gap() {
	l.t.Helper()
	l.again()
	l.right()
	l.tick(ten.Add(5*time.Hour + 3*time.Minute))
	await(l.t, 20*time.Second, "the gap to be said", func() bool {
		raw, err := os.ReadFile(filepath.Join(l.state, "public/gaps.jsonl"))
		return err == nil && bytes.Contains(raw, []byte(`"keys_lost"`))
	})
	l.tick(ten.Add(6*time.Hour + 3*time.Minute))
	l.goesOn(6)
}

// forgetSent is as if 64 MiB more had been delivered since.
func (l *loss) forgetSent() {
	l.t.Helper()
	db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(l.state, "ledger.db"), false))
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DELETE FROM sent"); err != nil {
		l.t.Fatal(err)
	}
}

// influxPutBack backs InfluxDB up by its own means.
func influxPutBack(t *testing.T) {
	db := newInflux(t)
	l := living(t, func(c *city) { c.keepIn(db.url) })
	rpc := regexp.MustCompile(`bind-address = "([^"]+)"`).FindStringSubmatch(read(t, db.conf))[1]
	dir := filepath.Join(t.TempDir(), "influx")
	influxd := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("influxd",
			append(args, "-portable", "-host", rpc, "-db", "city", dir)...).CombinedOutput(); err != nil {
			t.Fatalf("influxd %v: %v\n%s", args, err, out)
		}
	}
	influxd("backup")
	var said string
	await(t, 30*time.Second, "the database to be gone", func() bool {
		said = db.query(t, "DROP DATABASE city") + db.query(t, "SHOW DATABASES")
		return !strings.Contains(said, `["city"]`)
	})
	if strings.Contains(said, "error") {
		t.Fatal(said)
	}
	influxd("restore")
	l.forgetSent() // it is the copy that brings them back
	l.again()
	l.right()
	l.goesOn(4)
}

// TestBackups does what every row of the table of backups says, on a city that lives:
// nothing is lost, or what is lost is said.
func TestBackups(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(read(t, "../docs/operations.md"), "\n| | keep it |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := 0
	for row := range strings.Lines(table) {
		if !strings.HasPrefix(row, "| `") {
			continue
		}
		rows++
		known := false
		for name := range kept {
			known = known || strings.HasPrefix(row, "| "+name)
		}
		if !known {
			t.Errorf("no test does what this row says: %s", row)
		}
	}
	if rows != len(kept) {
		t.Errorf("the table has %d rows; %d are tested", rows, len(kept))
	}
	for name, ways := range kept {
		for way, do := range ways {
			t.Run(strings.Trim(name, "`")+" "+way, func(t *testing.T) {
				t.Parallel()
				do(t)
			})
		}
	}
}
