package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/test/ports"
)

// Kinds of listener.
const (
	passwords = "passwords"
	secure    = "TLS"
	anyone    = "anyone"
)

const (
	honestSensors = 20
	honestRate    = 20 // readings a second of each
	rogues        = 4
)

// gate is a gateway that is measured.
type gate struct {
	dir, kind, addr, admin string
	cmd                    *exec.Cmd
	out                    lines
	secrets                map[string]string
	acked                  atomic.Int64 // readings of all but the honest
	others                 samples
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }

func (l *lines) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func openGate(ctx context.Context, sluice, kind string) (*gate, error) {
	dir, err := os.MkdirTemp("", "sluice-bench-abuse-")
	if err != nil {
		return nil, err
	}
	g := &gate{dir: dir, kind: kind, secrets: make(map[string]string)}
	if err := g.files(sluice); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	g.cmd = exec.CommandContext(ctx, sluice, "gateway", "-c", filepath.Join(dir, "gateway.yaml"))
	g.cmd.Stdout, g.cmd.Stderr = &g.out, &g.out
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; build it with make build", err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if m := regexp.MustCompile(`the gateway runs.*admin=(\S+)`).FindStringSubmatch(g.out.String()); m != nil {
			g.admin = "http://" + m[1]
			return g, nil
		}
		if time.Now().After(deadline) {
			g.close()
			return nil, errors.New("the gateway did not start: " + g.out.String())
		}
	}
}

func (g *gate) files(sluice string) error {
	var reg strings.Builder
	reg.WriteString("sensors:\n")
	for _, id := range everybody() {
		fmt.Fprintf(&reg, "  - {id: %s, owner: bench, kind: counter, zone: square, registered: 2026-01-01}\n", id)
	}
	addr, err := ports.Addr()
	if err != nil {
		return err
	}
	g.addr = addr
	listen := map[string]string{
		passwords: "listen: {mqtt: %q, passwords: passwords}\n", anyone: "listen: {mqtt: %q}\n",
		secure: "listen: {mqtt: %q, passwords: passwords, tls: {cert: server.crt, key: server.key}}\n",
	}[g.kind]
	files := map[string]string{
		"gateway.yaml": "gateway: bench\ndir: state\nkeys: memory\nsimulation: true\ntime: wall\n" +
			"register: register.yaml\npolicy: {dir: policy}\nadmin: 127.0.0.1:0\n" + fmt.Sprintf(listen, g.addr),
		"register.yaml":       reg.String(),
		"policy/council.yaml": "version: 1\nmembers: []\n",
		"policy/zones.geojson": `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"square","properties":{},
 "geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}}]}`,
		"policy/charter.yaml": "city: {id: bench, name: Bench, timezone: UTC, languages: [en]}\n" +
			"purposes: [bench]\nmin_units: 3\nepsilon_per_day: {device: 1}\ndelta_per_day: 1e-5\n" +
			"max_contributions: 4\nsunset_max: P9Y\n",
		"policy/kinds.yaml": "kinds:\n  counter:\n    fields: [{name: passed, type: int, class: measurement}]\n",
		"policy/decisions/d.yaml": `decision: "1"
title: {en: Gates}
stream: gates
purpose: bench
applies_to: {kinds: [counter], zones: [square]}
unit: {none: "a turnstile counts turns"}
keep: [passed]
publish: {every: PT1H, lateness: PT2M, measures: [{name: passed, of: sum(passed)}]}
from: 2026-01-01
until: 2034-12-31
`,
	}
	for name, text := range files {
		to := filepath.Join(g.dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return err
		}
	}
	if g.kind == secure {
		if err := certificate(g.dir); err != nil {
			return err
		}
	}
	out, err := exec.Command(sluice, "sensor", "acl", "--register", filepath.Join(g.dir, "register.yaml"), "--dir",
		g.dir).Output()
	if err != nil {
		return fmt.Errorf("sluice sensor acl: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if id, secret, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			g.secrets[id] = secret
		}
	}
	return nil
}

func everybody() (ids []string) {
	for n := range honestSensors {
		ids = append(ids, fmt.Sprintf("honest-%d", n))
	}
	for n := range rogues {
		ids = append(ids, rogue(n))
	}
	for n := range busySensors {
		ids = append(ids, busy(n))
	}
	for n := range floods {
		ids = append(ids, flood(n))
	}
	return ids
}

func rogue(n int) string { return fmt.Sprintf("rogue-%d", n%rogues) }

func certificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "server.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}),
			0o600),
		os.WriteFile(filepath.Join(dir, "server.key"),
			pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

// dial connects, and speaks TLS where the gateway does.
func (g *gate) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", g.addr)
	if err != nil || g.kind != secure {
		return c, err
	}
	return tls.Client(c, &tls.Config{InsecureSkipVerify: true}), nil //nolint:gosec // our own, on loopback
}

func (g *gate) close() {
	_ = g.cmd.Process.Kill() // it may be over
	_ = g.cmd.Wait()
	_ = os.RemoveAll(g.dir)
}

// resident is VmRSS of proc_pid_status(5), in MiB.
func (g *gate) resident() float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	kib, _ := strconv.ParseFloat(strings.Fields(rest + " 0")[0], 64)
	return kib / 1024
}

// watch is the most that it has until ctx ends.
func (g *gate) watch(ctx context.Context) (most float64) {
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		most = max(most, g.resident())
		select {
		case <-ctx.Done():
			tick.Stop()
			return most
		case <-tick.C:
		}
	}
}

// received is how many readings the gateway says that it has received.
func (g *gate) received() (int64, error) {
	resp, err := http.Get(g.admin + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`(?m)^sluice_received_total (\S+)$`).FindSubmatch(raw)
	if m == nil {
		return 0, errors.New("there is no sluice_received_total")
	}
	n, err := strconv.ParseFloat(string(m[1]), 64)
	return int64(n), err
}
