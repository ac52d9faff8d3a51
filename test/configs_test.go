package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestConfigs tries every example in configs/ as a city would use it.
func TestConfigs(t *testing.T) {
	t.Parallel()
	t.Run("dashboard", func(t *testing.T) {
		t.Parallel()
		c := found(t, small())
		c.run()
		c.connect()
		c.tick(ten)
		c.send("gate-1", gate(1, ten, 1))
		c.tick(ten.Add(4 * 3600e9))
		metrics := c.metrics() + "sluice_policy_refused_total{} sluice_budget_left_ratio{}"
		var board struct {
			Panels []struct{ Targets []struct{ Expr string } }
		}
		if err := json.Unmarshal([]byte(read(t, "../configs/grafana/sluice.json")), &board); err != nil {
			t.Fatal(err)
		}
		shown := map[string]bool{}
		for _, p := range board.Panels {
			for _, target := range p.Targets {
				for _, name := range regexp.MustCompile(`(sluice|process)_[a-z_]+`).FindAllString(target.Expr, -1) {
					shown[name] = true
					if !strings.Contains(metrics, name) {
						t.Errorf("the dashboard shows %s, and there is no such metric", name)
					}
				}
			}
		}
		for _, m := range regexp.MustCompile(`(?m)^# TYPE (sluice_\w+) `).FindAllStringSubmatch(metrics, -1) {
			if !shown[m[1]] && !shown[m[1]+"_sum"] {
				t.Errorf("the dashboard does not show %s", m[1])
			}
		}
	})
	t.Run("mosquitto.conf", func(t *testing.T) {
		t.Parallel()
		need(t, "mosquitto")
		dir := t.TempDir()
		out, err := exec.Command(sluice, "sensor", "acl", "--register", "../configs/portalba/register.yaml", "--dir",
			dir).Output()
		if err != nil || len(strings.Fields(string(out))) < 20 {
			t.Fatalf("sensor acl: %v\n%s", err, out)
		}
		addr := freeAddr(t)
		_, port, _ := strings.Cut(addr, ":")
		conf := filepath.Join(dir, "mosquitto.conf")
		write(t, conf,
			strings.NewReplacer("listener 1883", "listener "+port+" 127.0.0.1", "/etc/mosquitto/sluice",
				dir).Replace(read(t, "../configs/mosquitto.conf"))+"user root\n")
		p := start(t, "mosquitto", "-c", conf)
		await(t, 10e9, "mosquitto to take configs/mosquitto.conf", func() bool { return listens(addr) })
		if text := p.err.String(); strings.Contains(text, "Error") {
			t.Errorf("mosquitto says %s", text)
		}
		// Who is in the file gets in; a second run keeps the passwords.
		user, password, _ := strings.Cut(strings.TrimSpace(strings.Split(string(out), "\n")[0]), " ")
		publisherAs(t, addr, user, password)
		again, err := exec.Command(sluice, "sensor", "acl", "--register", "../configs/portalba/register.yaml", "--dir",
			dir).Output()
		if err != nil || len(again) > 0 {
			t.Errorf("a second run: %v, new passwords %s", err, again)
		}
		if info, err := os.Stat(filepath.Join(dir, "passwords")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the password file can be read by others: %v, %v", info.Mode(), err)
		}
	})
	t.Run("systemd", func(t *testing.T) {
		t.Parallel()
		need(t, "systemd-analyze")
		for _, unit := range []string{"sluice-gateway.service", "sluice-opendata.service"} {
			dir := t.TempDir()
			path := filepath.Join(dir, unit)
			write(t, path, strings.Replace(read(t, "../configs/systemd/"+unit), "/usr/local/bin/sluice", sluice, 1))
			if out, err := exec.Command("systemd-analyze", "verify", path).CombinedOutput(); err != nil ||
				strings.Contains(string(out), unit) {
				t.Errorf("%s: %v\n%s", unit, err, out)
			}
			if out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20",
				path).CombinedOutput(); err != nil {
				t.Errorf("%s is not hardened: %v\n%s", unit, err, tail(string(out)))
			}
		}
	})
	t.Run("limits", func(t *testing.T) {
		t.Parallel()
		compose := read(t, "../configs/compose.yaml")
		for unit, lines := range map[string][]string{
			"sluice-gateway.service": {"LimitNOFILE=65536", "MemoryMax=2G", "MemoryHigh=1792M", "OOMPolicy=continue",
				"TasksMax=256", "MemorySwapMax=0"},
			"sluice-opendata.service": {"LimitNOFILE=8192", "MemoryMax=1536M", "TasksMax=256", "MemorySwapMax=0"},
		} {
			text := read(t, "../configs/systemd/"+unit)
			for _, line := range lines {
				if !strings.Contains(text, "\n"+line+"\n") {
					t.Errorf("%s does not say %s", unit, line)
				}
			}
		}
		if !strings.Contains(compose, "mem_limit: 256m") || !strings.Contains(compose, "pids_limit: 256") {
			t.Error("the gateway's container has no limits")
		}
	})
	t.Run("compose.yaml", func(t *testing.T) {
		t.Parallel()
		var file struct {
			Services map[string]struct {
				Image   string   `yaml:"image"`
				Volumes []string `yaml:"volumes"`
				Command []string `yaml:"command"`
			} `yaml:"services"`
		}
		if err := yaml.Unmarshal([]byte(read(t, "../configs/compose.yaml")), &file); err != nil {
			t.Fatal(err)
		}
		for name, s := range file.Services {
			if s.Image == "" || strings.HasSuffix(s.Image, ":latest") {
				t.Errorf("service %s has no pinned image", name)
			}
			for _, v := range s.Volumes {
				from, _, _ := strings.Cut(v, ":")
				if strings.HasPrefix(from, "./") {
					if _, err := os.Stat(filepath.Join("../configs", from)); err != nil {
						t.Errorf("service %s mounts what is not there: %v", name, err)
					}
				}
			}
		}
		if len(file.Services) != 4 {
			t.Errorf("%d services; want 4", len(file.Services))
		}
	})
	t.Run("gateway.yaml with each line behind #", func(t *testing.T) {
		t.Parallel()
		text := read(t, "../configs/gateway.yaml")
		for _, line := range strings.Split(text, "\n") {
			on, commented := strings.CutPrefix(line, "# ")
			key, _, isKey := strings.Cut(on, ":")
			if !commented || !isKey || strings.Contains(key, " ") || key == strings.ToUpper(key[:1])+key[1:] {
				continue
			}
			dir := t.TempDir()
			changed := strings.Replace(text, line, on, 1)
			for _, old := range strings.Split(text, "\n") { // the same key is there once
				if strings.HasPrefix(old, key+":") {
					changed = strings.Replace(changed, old, "#", 1)
				}
			}
			path := filepath.Join(dir, "gateway.yaml")
			write(t, path, changed)
			cmd := exec.Command(sluice, "doctor", "-c", path, "--json")
			out, _ := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code == 3 || !strings.Contains(string(out), "findings") {
				t.Errorf("with %q the file is refused (%d)", on, code)
			}
		}
	})
}
