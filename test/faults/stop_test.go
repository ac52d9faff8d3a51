package faults

import (
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to hold ledger.db as another process would

	"sluice/test/harness"
)

// stopWithin is what docs/operations.md promises, and a little.
const stopWithin = 5*time.Second + 500*time.Millisecond

// TestAStopTakesFiveSeconds: whatever stands still around it, a gateway that is asked to
// end ends with 0, within five seconds.
func TestAStopTakesFiveSeconds(t *testing.T) {
	t.Parallel()
	for name, into := range map[string]func(t *testing.T) *harness.City{
		"idle":                 begun,
		"under load":           loaded,
		"keys away":            keysAway,
		"the ledger is locked": ledgerLocked,
		"the ledger is locked, a window waits": func(t *testing.T) *harness.City {
			c := ledgerLocked(t)
			c.Link.Publish(harness.ClockTopic, []byte(harness.Ten.Add(5*time.Hour).Format(time.RFC3339)), false)
			harness.Await(t, 20*time.Second, "the release to stand still", func() bool {
				_, hints := c.Ready()
				return hints["ledger"] != ""
			})
			return c
		},
		"the store hangs": func(t *testing.T) *harness.City { return storeHangs(t, "") },
		"the outbox is full": func(t *testing.T) *harness.City {
			c := storeHangs(t, "outbox: {max_bytes: 2KiB}\n")
			harness.Await(t, 20*time.Second, "the outbox to be full", func() bool {
				_, hints := c.Ready()
				return strings.Contains(hints["ledger"], "outbox is full")
			})
			return c
		},
		"the disk is full":     diskFull,
		"the broker is frozen": brokerFrozen,
		"the broker is away":   brokerAwayForGood,
		"peers never read":     neverRead,
		"health is asked and not read": func(t *testing.T) *harness.City {
			c := begun(t)
			for range 20 {
				deaf(t, strings.TrimPrefix(c.Admin, "http://"),
					strings.Repeat("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 200))
			}
			return c
		},
		"a policy that takes all time": rulesBusy,
	} {
		t.Run(name, func(t *testing.T) {
			c := into(t)
			endsWell(t, c.Gateway)
		})
	}
}

// endsWell asks a process to end.
func endsWell(t *testing.T, p *harness.Process) {
	t.Helper()
	asked := time.Now()
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.Done:
		p.Done <- err
	case <-time.After(harness.Patience):
		t.Fatal("it does not end at all")
	}
	took, code := time.Since(asked), p.Cmd.ProcessState.ExitCode()
	t.Logf("it took %s", took.Round(time.Millisecond))
	if most := harness.Longer(stopWithin); code != 0 || took > most {
		t.Errorf("it ended with %d after %s; want 0 within %s\n%s", code, took, most, harness.Tail(p.Err.String()))
	}
}

func begun(t *testing.T) *harness.City {
	t.Helper()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Send("gate-1", harness.Gate(1, harness.Ten, 1))
	return c
}

func loaded(t *testing.T) *harness.City {
	c := begun(t)
	for i := range 20_000 {
		c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(10+i, harness.Ten, 1)), false)
	}
	return c
}

// keysAway puts a file where the key directory was, and sends what needs a new key.
func keysAway(t *testing.T) *harness.City {
	c := begun(t)
	if err := os.Rename(c.Keys, c.Keys+".away"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(c.Keys + ".away") })
	harness.Write(t, c.Keys, "")
	c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(2, harness.Ten.Add(-time.Minute), 1)), false)
	c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(3, harness.Ten.Add(time.Minute), 1)), false)
	harness.Await(t, 30*time.Second, "the keys to be missed", func() bool {
		_, hints := c.Ready()
		return strings.Contains(hints["disk"], "keys cannot be written")
	})
	return c
}

// ledgerLocked has another process hold ledger.db, for good.
func ledgerLocked(t *testing.T) *harness.City {
	c := begun(t)
	lockLedger(t, filepath.Join(c.Dir, "state/ledger.db"))
	return c
}

func lockLedger(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
}

// storeHangs has an InfluxDB that takes connections and answers nothing.
func storeHangs(t *testing.T, more string) *harness.City {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := harness.Found(t, harness.Small())
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path, harness.Read(t, path)+
		fmt.Sprintf("store: {influx: {url: \"http://%s\", org: o, bucket: b}}\n", l.Addr())+
		more)
	c.Run()
	c.Connect()
	c.Tick(harness.Ten)
	c.Link.Publish(harness.ClockTopic, []byte(harness.Ten.Add(5*time.Hour).Format(time.RFC3339)), false)
	harness.Await(t, 20*time.Second, "a release", func() bool { return c.Metric("sluice_outbox_rows") > 0 })
	return c
}

// diskFull has a state directory on a small disk that is full, while readings come.
func diskFull(t *testing.T) *harness.City {
	c, state := harness.OnSmallDisk(t)
	c.Run()
	c.Connect()
	c.Tick(harness.Ten)
	harness.Fill(t, filepath.Join(state, "ballast"))
	for i := range 10 {
		c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(i, harness.Ten, 1)), false)
	}
	c.SaysDiskFull()
	return c
}

func brokerFrozen(t *testing.T) *harness.City {
	c, _, wire := harness.Behind(t)
	c.Send("gate-1", harness.Gate(1, harness.Ten, 1))
	wire.Hold(true)
	c.Send("gate-1", harness.Gate(2, harness.Ten, 1))
	return c
}

func brokerAwayForGood(t *testing.T) *harness.City {
	c := harness.Found(t, harness.Small())
	c.Through(harness.FreeAddr(t))
	c.Run()
	c.BrokerUp(false)
	return c
}

// neverRead has peers that publish and never read what they get.
func neverRead(t *testing.T) *harness.City {
	c := begun(t)
	const topic = "city/v1/acme/gate-1/up"
	connect := "\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04deaf" // MQTT 3.1.1 section 3.1
	publish := string([]byte{0x32, byte(len(topic) + 6), 0, byte(len(topic))}) + topic + "\x00\x01{}"
	for range 20 {
		deaf(t, c.Mqtt, connect+strings.Repeat(publish, 5000))
	}
	return c
}

// deaf says something and never reads.
func deaf(t *testing.T, addr, say string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(2048)
	_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
	_, _ = conn.Write([]byte(say)) // it may be cut off
}

// rulesBusy freezes the process that evaluates rules, and edits the policy.
func rulesBusy(t *testing.T) *harness.City {
	c := begun(t)
	path := filepath.Join(c.Dir, "policy/decisions/gates.yaml")
	for n := 0; ; n++ {
		list, err := os.ReadDir("/proc")
		if err != nil {
			t.Skip("there is no /proc here")
		}
		frozen := false
		for _, e := range list {
			stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
			if err == nil && strings.Contains(string(stat), fmt.Sprintf(") S %d ", c.Gateway.Cmd.Process.Pid)) {
				var pid int
				if _, err := fmt.Sscan(e.Name(), &pid); err == nil && syscall.Kill(pid, syscall.SIGSTOP) == nil {
					frozen = true
				}
			}
		}
		harness.Write(t, path, harness.Read(t, path)+fmt.Sprintf("# edit %d\n", n))
		if frozen {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Second) // until it is asked; it is a stop like any other if it is not
	return c
}

// TestAStopDuringTheStart: a gateway that is asked to end while it starts does so at
// once, and what it had is there afterwards.
func TestAStopDuringTheStart(t *testing.T) {
	t.Parallel()
	c := begun(t)
	for n := range 6 {
		c.Gateway.Kill()
		c.Gateway = harness.Start(t, harness.Sluice, "gateway", "-c", filepath.Join(c.Dir, "gateway.yaml"))
		time.Sleep(time.Duration(n) * 60 * time.Millisecond)
		asked := time.Now()
		if err := c.Gateway.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		harness.Await(t, 10*time.Second, "the process to end", c.Gateway.Ended)
		// Before it listens for signals, it dies by them.
		if took, code := time.Since(asked), c.Gateway.Cmd.ProcessState.ExitCode(); took > harness.Longer(time.Second) ||
			code > 0 {
			t.Errorf("it ended with %d after %s; want 0 at once", code, took)
		}
	}
	c.Run()
	c.Counted(1)
}

// TestAStopWhileTheStartHangs: here it waits for a ledger that another process holds.
func TestAStopWhileTheStartHangs(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	path := filepath.Join(c.Dir, "state/ledger.db")
	harness.WriteSecret(t, path, "")
	lockLedger(t, path)
	c.Gateway = harness.Start(t, harness.Sluice, "gateway", "-c", filepath.Join(c.Dir, "gateway.yaml"))
	harness.Await(t, 20*time.Second, "the ledger to be opened", func() bool { return c.Gateway.HasOpen("ledger.db") })
	time.Sleep(time.Second)
	if text := c.Gateway.Err.String(); c.Gateway.Ended() || strings.Contains(text, "the gateway runs") {
		t.Fatal("the start does not wait for the ledger: ", text)
	}
	endsWell(t, c.Gateway)
}

// TestASecondSignal ends a process at once that is busy ending.
func TestASecondSignal(t *testing.T) {
	t.Parallel()
	c := storeHangs(t, "")
	if err := c.Gateway.Cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	asked := time.Now()
	_ = c.Gateway.Cmd.Process.Signal(os.Interrupt)
	harness.Await(t, 10*time.Second, "the process to end", c.Gateway.Ended)
	if took, code := time.Since(asked), c.Gateway.Cmd.ProcessState.ExitCode(); took > harness.Longer(time.Second) ||
		code != -1 {
		t.Errorf("a second signal ended it after %s with %d; want that it dies of it", took, code)
	}
}

// TestReadyzBesideALockedLedger: health is answered within two seconds, and says what
// does not answer.
func TestReadyzBesideALockedLedger(t *testing.T) {
	t.Parallel()
	c := ledgerLocked(t)
	client := &http.Client{Timeout: harness.Longer(2 * time.Second)}
	harness.Await(t, 20*time.Second, "the ledger not to be ready", func() bool {
		for _, path := range []string{"/readyz", "/healthz"} {
			resp, err := client.Get(c.Admin + path)
			if err != nil {
				t.Fatalf("%s took more than two seconds: %v", path, err)
			}
			_ = resp.Body.Close()
		}
		_, hints := c.Ready()
		return strings.Contains(hints["ledger"], "ledger")
	})
	if _, hints := c.Ready(); len(hints) != 1 {
		t.Errorf("only the ledger is locked, and it says %v", hints)
	}
}

// TestOtherDaemonsStop: the open data, with clients that do not read, and the whole town,
// also while it starts.
func TestOtherDaemonsStop(t *testing.T) {
	t.Parallel()
	t.Run("open data", func(t *testing.T) {
		c := harness.Found(t, harness.Small())
		c.Run()
		p := harness.Start(t, harness.Sluice, "opendata", "-c", filepath.Join(c.Dir, "opendata.yaml"))
		addr := strings.TrimPrefix(p.Find(`http=(http://\S+)`)[1], "http://")
		for range 20 {
			deaf(t, addr, strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n", 100))
		}
		deaf(t, addr, "GET / HTTP/1.1\r\n")
		endsWell(t, p)
	})
	for name, ready := range map[string]bool{"the town": true, "the town, while it starts": false} {
		t.Run(name, func(t *testing.T) {
			p := harness.Start(t, harness.Sluice, "up", "--demo", "--allow-swap", "--json", "--http",
				harness.FreeAddr(t), "--mqtt",
				harness.FreeAddr(t), "--admin", harness.FreeAddr(t))
			if ready {
				p.Find(`"admin":`)
			} else {
				harness.Await(t, 20*time.Second, "a database to be opened", func() bool { return p.HasOpen(".db") })
			}
			endsWell(t, p)
		})
	}
}

// withStage starts a city's gateway with a fault in it.
func withStage(t *testing.T, stage string) *harness.City {
	t.Helper()
	bin := harness.WithFaults(t)
	c := harness.Found(t, harness.Small())
	c.Gateway = harness.StartWith(t, []string{harness.FaultVariable + "=" + stage}, bin, "gateway", "-c",
		filepath.Join(c.Dir, "gateway.yaml"))
	c.Admin = "http://" + c.Gateway.Find(`the gateway runs.*admin=(\S+)`)[1]
	return c
}
