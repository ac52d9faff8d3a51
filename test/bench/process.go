package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"sluice/test/ports"
)

const patience = 2 * time.Minute

// process is one that is measured.
type process struct {
	cmd  *exec.Cmd
	addr string // of a broker
	http string // of a gateway's admin
	out  lines
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }

func (l *lines) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func (b *bench) start(name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	return p, p.cmd.Start()
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// says waits for a text.
func (p *process) says(text string) error {
	return wait(func() bool {
		return strings.Contains(p.out.String(), text)
	}, "a process to say "+text+"; it says "+p.out.String())
}

func wait(ok func() bool, what string) error {
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("waited in vain for " + what)
		}
	}
	return nil
}

// cpu is user and system time so far, in seconds: proc_pid_stat(5), in ticks of
// a hundredth.
func (p *process) cpu() float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

func (p *process) resident() float64 { return p.status("VmRSS") }
func (p *process) peak() float64     { return p.status("VmHWM") }

// status is a line of proc_pid_status(5), in MiB.
func (p *process) status(key string) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(key + `:\s+(\d+) kB`).FindSubmatch(raw)
	if m == nil {
		return 0
	}
	kib, _ := strconv.ParseFloat(string(m[1]), 64)
	return kib / 1024
}

// mosquitto starts a broker with the sizes of configs/mosquitto.conf.
func (b *bench) mosquitto() (*process, error) {
	addr, err := ports.Addr()
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(addr, ":")
	conf := filepath.Join(b.dir, "mosquitto.conf")
	text := "listener " + port + " 127.0.0.1\nallow_anonymous true\npersistence false\n" +
		"max_inflight_messages 1000\nmax_queued_messages 1000000\nuser root\nlog_type error\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, err
	}
	p, err := b.start("mosquitto", "-c", conf)
	if err != nil {
		return nil, fmt.Errorf("mosquitto: %w; install it with apt-get install mosquitto", err)
	}
	p.addr = addr
	return p, wait(func() bool {
		c, err := net.Dial("tcp", addr)
		return err == nil && c.Close() == nil
	}, "mosquitto")
}

// gateway starts one with a stream that counts devices.
func (b *bench) gateway(name, way, every string) (*process, error) {
	return b.run(name, way, city(way, every))
}

// run starts one of these files, and waits until it runs.
func (b *bench) run(name, way string, files map[string]string) (*process, error) {
	dir := filepath.Join(b.dir, name)
	for file, text := range files {
		to := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	p, err := b.start(b.sluice, "gateway", "-c", filepath.Join(dir, "gateway.yaml"))
	if err != nil {
		return nil, err
	}
	if err := p.says("the gateway runs"); err != nil {
		return nil, err
	}
	if strings.HasPrefix(way, "mqtt") {
		if err := p.says("the broker is there"); err != nil {
			return nil, err
		}
	}
	m := regexp.MustCompile(`admin=(\S+)`).FindStringSubmatch(p.out.String())
	p.http = "http://" + m[1]
	return p, nil
}

// received waits until all readings are in windows: none may be refused.
func (p *process) received(n int) error {
	want := fmt.Sprintf("sluice_readings_open %v\n", strconv.FormatFloat(float64(n), 'g', -1, 64))
	last := ""
	err := wait(func() bool {
		resp, err := http.Get(p.http + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		last = regexp.MustCompile(`(?m)^sluice_rea.*$`).FindString(string(raw))
		return strings.Contains(string(raw), want)
	}, "all readings to be counted")
	if err != nil {
		return fmt.Errorf("%w: %s; the process says %s", err, last, p.out.String())
	}
	return nil
}

// city is a gateway's files.
func city(way, every string) map[string]string {
	var reg strings.Builder
	reg.WriteString("sensors:\n")
	for i := range sensors {
		fmt.Fprintf(&reg, "  - {id: counter-%d, owner: bench, kind: counter, zone: %s, registered: 2026-01-01}\n", i,
			[]string{"square", "park"}[i%2])
	}
	return map[string]string{
		"gateway.yaml": "gateway: bench\ndir: state\nsimulation: true\ntime: {topic: bench/clock}\n" +
			"register: register.yaml\npolicy: {dir: policy}\nadmin: 127.0.0.1:0\n" + way + "\n",
		"register.yaml":       reg.String(),
		"policy/council.yaml": "version: 1\nmembers: []\n",
		"policy/zones.geojson": `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"square","properties":{},
 "geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}},
{"type":"Feature","id":"park","properties":{},
 "geometry":{"type":"Polygon","coordinates":[[[2,0],[3,0],[3,1],[2,1],[2,0]]]}}]}`,
		"policy/charter.yaml": `city: {id: bench, name: Bench, timezone: UTC, languages: [en]}
purposes: [bench]
min_units: 3
epsilon_per_day: {device: 1}
delta_per_day: 1e-5
max_contributions: 4
sunset_max: P1Y
`,
		"policy/kinds.yaml": `kinds:
  counter:
    units: [{field: device, stands_for: device}]
    fields:
      - {name: device, type: string, class: identifier}
      - {name: rssi, type: int, class: measurement}
      - {name: channel, type: int, class: measurement}
      - {name: vendor, type: string, class: free-text}
      - {name: frame, type: string, class: free-text}
      - {name: level, type: float, class: measurement}
`,
		"policy/decisions/d.yaml": `decision: "1"
title: {en: Devices}
stream: devices
purpose: bench
applies_to: {kinds: [counter], zones: [square, park]}
unit: {field: device, stands_for: device}
keep: [device, rssi]
where: [{field: rssi, op: ">=", value: -85}]
publish: {every: ` + every + `, lateness: PT2M, by: [zone], measures: [{name: devices, of: distinct(unit)}]}
protect: {min_units: 10, epsilon: 1, delta: 1e-6, max_contributions: 2}
forget_after: P1D
from: 2026-01-01
until: 2026-12-31
`,
	}
}
