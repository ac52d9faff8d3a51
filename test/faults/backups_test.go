package faults

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
	"sluice/test/harness"
)

// loss is a city that lives two hours, is stopped for its copy, lives two more, and is
// stopped for good. What is lost then is the test's.
type loss struct {
	*harness.City
	state, backup string   // the copy is of the whole directory that configurations and state are in
	shown         []string // of both streams
}

func living(t *testing.T, change func(c *harness.City)) *loss {
	t.Helper()
	c := harness.Found(t, harness.Small())
	if change != nil {
		change(c)
	}
	l := &loss{City: c, state: filepath.Join(c.Dir, "state"), backup: filepath.Join(t.TempDir(), "backup")}
	c.Begin()
	c.Hours(0, 2)
	l.halt()
	if err := os.CopyFS(l.backup, os.DirFS(c.Dir)); err != nil {
		t.Fatal(err)
	}
	l.again()
	c.Hours(2, 4)
	l.shown = l.show()
	l.halt()
	return l
}

func (l *loss) halt() {
	l.T.Helper()
	if code := l.Gateway.Stop(20 * time.Second); code != 0 {
		l.T.Fatalf("it ends with %d", code)
	}
}

// again starts the gateway, and what sensors and clock hold is a new connection.
func (l *loss) again() {
	l.T.Helper()
	l.Run()
	l.Link.Close()
	l.Connect()
}

func (l *loss) show() []string {
	l.T.Helper()
	return append(harness.Deref(l.Items("gates", harness.Ten, harness.Ten.Add(4*time.Hour))),
		harness.Deref(l.Items("devices", harness.Ten, harness.Ten.Add(4*time.Hour)))...)
}

// lose removes files of the directory.
func (l *loss) lose(names ...string) {
	l.T.Helper()
	for _, name := range names {
		harness.RemoveAll(l.T, filepath.Join(l.Dir, name))
	}
}

// putIn copies files of the backup to where they were.
func (l *loss) putIn(names ...string) {
	l.T.Helper()
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(l.backup, name))
		if os.IsNotExist(err) && strings.HasSuffix(name, "-wal") {
			continue // an orderly stop may leave none
		}
		if err != nil {
			l.T.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(l.Dir, name), raw, 0o600); err != nil {
			l.T.Fatal(err)
		}
	}
}

func (l *loss) recover(want string) {
	l.T.Helper()
	if code, out := harness.Verb(l.T, "ledger", "recover", "-c", filepath.Join(l.Dir, "gateway.yaml")); code != 0 ||
		!strings.Contains(out, want) {
		l.T.Fatalf("recover: %d\n%s", code, out)
	}
}

// right looks that everything is shown that was, and nothing is called wrong.
func (l *loss) right() {
	l.T.Helper()
	harness.Await(l.T, 30*time.Second, "everything to be shown again", func() bool {
		return fmt.Sprint(l.show()) == fmt.Sprint(l.shown)
	})
	l.content("")
}

func (l *loss) content(says string) {
	l.T.Helper()
	harness.Await(l.T, 30*time.Second, "verify to be content", func() bool {
		code, out := harness.Verb(l.T, "verify", l.Opendata)
		return code == 0 && strings.Contains(out, says)
	})
}

// goesOn lives another hour from one on.
func (l *loss) goesOn(hour int) {
	l.T.Helper()
	l.Link.Publish("city/v1/acme/gate-1/up",
		[]byte(harness.Gate(hour, harness.Ten.Add(time.Duration(hour)*time.Hour), 9)), false)
	l.Tick(harness.Ten.Add(time.Duration(hour+1)*time.Hour + 3*time.Minute))
	l.Stored()
	if got := harness.Value(l.T,
		l.Items("gates", harness.Ten.Add(time.Duration(hour)*time.Hour),
			harness.Ten.Add(time.Duration(hour+1)*time.Hour)),
		harness.Ten.Add(time.Duration(hour)*time.Hour), "passed"); got != 9 {
		l.T.Errorf("the hour after has %v; want 9", got)
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
		if code, _ := harness.Verb(t, "gateway", "-c", filepath.Join(l.Dir, "gateway.yaml")); code != 3 {
			t.Errorf("without its configuration it ends with %d", code)
		}
		l.putIn(files...)
		l.again()
		l.Serve()
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
			l.Gateway.Find(`the store is not as it was left.*4 windows of 2 streams`)
			harness.Await(t, 20*time.Second, "readiness to say so", func() bool {
				_, hints := l.Ready()
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
		c := harness.Found(t, harness.HomesTown())
		c.Begin()
		c.NamesNoHome("before")
		c.Gateway.Stop(20 * time.Second)
		path := filepath.Join(c.Dir, "state/homes.json")
		was := harness.Read(t, path)
		// A slip in the register: only this file knows what the sensors stood for.
		register := filepath.Join(c.Dir, "register.yaml")
		harness.Write(t, register,
			strings.ReplaceAll(harness.Read(t, register), "kind: home-meter", "kind: people-gate"))
		harness.RemoveAll(t, path)
		if err := os.WriteFile(path, []byte(was), 0o600); err != nil {
			t.Fatal(err)
		}
		c.Run()
		c.Link.Close()
		c.Connect()
		c.Tick(harness.Ten.Add(time.Hour))
		c.NamesNoHome("after it was put back")
	}},
	"`public/`": {"lost": func(t *testing.T) {
		l := living(t, nil)
		was := harness.Read(t, filepath.Join(l.state, "public/releases.jsonl"))
		l.lose("state/public")
		l.again()
		l.right()
		if now := harness.Read(t, filepath.Join(l.state, "public/releases.jsonl")); now != was {
			t.Errorf("it was\n%s\nand is\n%s", was, now)
		}
		l.goesOn(4)
	}},
	"`policy/`": {"lost": func(t *testing.T) {
		c, a, inbox := harness.Voted(t, 0)
		c.Run()
		a.Enact("first", inbox, harness.Members[:4]...)
		laid := filepath.Join(c.Dir, "state/policy/current")
		harness.Await(t, 30*time.Second, "the policy to be in force", func() bool {
			_, err := os.Stat(laid)
			return c.Version() == 1 && err == nil
		})
		c.Gateway.Stop(20 * time.Second)
		harness.RemoveAll(t, filepath.Join(c.Dir, "state/policy"))
		c.Run()
		harness.Await(t, 30*time.Second, "it to be laid out anew", func() bool {
			_, err := os.Stat(laid)
			return err == nil
		})
		if got := c.Version(); got != 1 {
			t.Errorf("version %v is in force", got)
		}
	}},
	"`checkpoint/`": {
		"lost": func(t *testing.T) {
			l := living(t, nil)
			l.lose("state/checkpoint", "state/lock")
			harness.RemoveAll(t, l.Keys)
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
	l.T.Helper()
	l.Tick(harness.Ten.Add(6 * time.Hour))
	l.Stored()
	if n := len(l.Items("gates", harness.Ten.Add(4*time.Hour), harness.Ten.Add(6*time.Hour))); n != 0 {
		l.T.Errorf("%d numbers are shown of a time that is silent", n)
	}
	l.Tick(harness.Ten.Add(24*time.Hour + 3*time.Minute))
	l.goesOn(24)
}

// gap looks that an open window that is lost is said, and that everything goes on.
func (l *loss) gap() {
	l.T.Helper()
	l.again()
	l.right()
	l.Tick(harness.Ten.Add(5*time.Hour + 3*time.Minute))
	harness.Await(l.T, 20*time.Second, "the gap to be said", func() bool {
		raw, err := os.ReadFile(filepath.Join(l.state, "public/gaps.jsonl"))
		return err == nil && bytes.Contains(raw, []byte(`"keys_lost"`))
	})
	l.Tick(harness.Ten.Add(6*time.Hour + 3*time.Minute))
	l.goesOn(6)
}

// forgetSent is as if 64 MiB more had been delivered since.
func (l *loss) forgetSent() {
	l.T.Helper()
	db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(l.state, "ledger.db"), false))
	if err != nil {
		l.T.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DELETE FROM sent"); err != nil {
		l.T.Fatal(err)
	}
}

// influxPutBack backs InfluxDB up by its own means.
func influxPutBack(t *testing.T) {
	db := harness.NewInflux(t)
	l := living(t, func(c *harness.City) { c.KeepIn(db.Url) })
	rpc := regexp.MustCompile(`bind-address = "([^"]+)"`).FindStringSubmatch(harness.Read(t, db.Conf))[1]
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
	harness.Await(t, 30*time.Second, "the database to be gone", func() bool {
		said = db.Query(t, "DROP DATABASE city") + db.Query(t, "SHOW DATABASES")
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
	_, table, _ := strings.Cut(harness.Read(t, "../../docs/operations.md"), "\n| | keep it |")
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
