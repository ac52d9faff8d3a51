package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"sluice/test/samples"
)

// calls are system calls that a disk or a full file system can refuse. write is not
// among them: the Go runtime wakes itself by it, and ends where it fails.
var calls = []string{"fsync", "fdatasync", "pwrite64", "renameat,rename,renameat2", "openat", "ftruncate",
	"unlinkat,unlink"}

// diskFaults let the kernel refuse one kind of call, from the Nth on, once or for
// a while: strace injects the error. Afterwards the gateway starts without.
func diskFaults(t *trial) {
	probe, err := launch(nil, "strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace=fsync", "true")
	if err == nil {
		<-probe.done
	}
	if err != nil || probe.exit() != 0 {
		t.skipped = "ptrace is not allowed here"
		return
	}
	t.worlds(t.listening, func(w *world) error {
		w.kill()
		w.watch()
		nth := 1 + w.rnd.IntN(60)
		when := []string{fmt.Sprint(nth), fmt.Sprintf("%d..%d", nth, nth+3)}[w.rnd.IntN(2)]
		what := fmt.Sprintf("%s:error=%s:when=%s", calls[w.rnd.IntN(len(calls))],
			[]string{"EIO", "ENOSPC"}[w.rnd.IntN(2)], when)
		trace := filepath.Join(w.dir, "trace")
		p, err := launch([]string{"SLUICE_TORTURE_SEEN=" + w.seen}, "strace", "-f", "-qq", "-o", trace, "-e",
			"trace="+strings.Split(what, ":")[0], "-e", "inject="+what,
			w.h.bin, "gateway", "-c", filepath.Join(w.dir, "gateway.yaml"))
		if err != nil {
			return err
		}
		w.gateway, w.admin = p, ""
		w.up(w.patience)
		if err := w.play(func(int) error { return nil }); err != nil {
			return fmt.Errorf("under %s: %w", what, err)
		}
		if raw, _ := os.ReadFile(trace); !strings.Contains(string(raw), "INJECTED") {
			w.Trials-- // it never came to that call
		}
		if len(w.notes) > 0 {
			w.note("by then under %s", what)
		}
		return nil
	})
}

// The moods of the path to the store.
const (
	open int32 = iota
	refuses
	hangs
)

// storeAway puts a real InfluxDB behind a door that opens, refuses with 503 or
// hangs, and kills the database besides. All must be there in the end.
func storeAway(t *trial) {
	dir := t.scratch("influx")
	addr := freeAddr()
	conf := filepath.Join(dir, "influxdb.conf")
	err := os.WriteFile(conf, []byte(samples.Influx(dir, freeAddr(), addr)), 0o600)
	if err != nil {
		t.row.wrong("%v", err)
		return
	}
	db, err := influx(conf, addr)
	if err != nil {
		t.row.wrong("%v", err)
		return
	}
	defer func() { db.kill() }()
	var mood atomic.Int32
	target, _ := url.Parse("http://" + addr)
	proxy := httputil.NewSingleHostReverseProxy(target)
	door := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch mood.Load() {
		case refuses:
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		case hangs:
			select {
			case <-r.Context().Done():
			case <-time.After(3 * time.Second):
			}
			rw.WriteHeader(http.StatusGatewayTimeout)
			return
		}
		proxy.ServeHTTP(rw, r)
	}))
	defer door.Close()
	t.worlds(func(seed uint64) (*world, error) {
		mood.Store(open)
		if err := ask(addr, "DROP DATABASE city; CREATE DATABASE city"); err != nil {
			return nil, err
		}
		w, err := found(t.h, seed, "", door.URL)
		if err != nil {
			return w, err
		}
		return w, w.open()
	}, func(w *world) error {
		again := 2 + w.rnd.IntN(2)
		how := w.rnd.IntN(4)
		return w.play(func(part int) error {
			switch {
			case part == 1 && how < 3:
				mood.Store([]int32{open, refuses, hangs}[how])
			case part == 1:
				w.h.kills.Add(1)
				db.kill()
				if db, err = influx(conf, addr); err != nil {
					return err
				}
			case part == again:
				if w.rnd.IntN(2) == 0 {
					w.Trials++
					if err := w.crash(); err != nil {
						return err
					}
				}
				mood.Store(open)
			}
			return nil
		})
	})
}

// ask has a database do something.
func ask(addr, what string) error {
	resp, err := http.PostForm("http://"+addr+"/query", url.Values{"q": {what}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body) // it gives up what is not read to its end
	return err
}

func influx(conf, addr string) (*process, error) {
	p, err := launch(nil, "influxd", "-config", conf)
	if err != nil {
		return nil, err
	}
	for range 3600 { // three minutes: it works for as many seconds, of which a busy machine gives it few
		if resp, err := http.Get("http://" + addr + "/ping"); err == nil {
			_ = resp.Body.Close()
			return p, ask(addr, "CREATE DATABASE city")
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, fmt.Errorf("influxd does not answer: %s", p.last(3))
}
