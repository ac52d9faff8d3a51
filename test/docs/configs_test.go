package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"sluice/test/harness"
)

// TestConfigs tries every example in configs/ as a city would use it.
func TestConfigs(t *testing.T) {
	t.Parallel()
	t.Run("dashboard", func(t *testing.T) {
		t.Parallel()
		c := harness.Found(t, harness.Small())
		c.Run()
		c.Connect()
		c.Tick(harness.Ten)
		c.Send("gate-1", harness.Gate(1, harness.Ten, 1))
		c.Tick(harness.Ten.Add(4 * 3600e9))
		metrics := c.Metrics() + "sluice_policy_refused_total{} sluice_budget_left_ratio{}" +
			// TestWatched sees that machines of a cluster have these.
			"sluice_cluster_leases sluice_cluster_duties sluice_cluster_leases_lost_total " +
			"sluice_cluster_fenced_total sluice_cluster_acknowledge_seconds_sum " +
			"sluice_cluster_acknowledge_seconds_count sluice_cluster_behind_seconds"
		var board struct {
			Panels []struct{ Targets []struct{ Expr string } }
		}
		if err := json.Unmarshal([]byte(harness.Read(t, "../../configs/grafana/sluice.json")), &board); err != nil {
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
		harness.Need(t, "mosquitto")
		dir := t.TempDir()
		out, err := exec.Command(harness.Sluice, "sensor", "acl", "--register", "../../configs/portalba/register.yaml",
			"--dir",
			dir).Output()
		if err != nil || len(strings.Fields(string(out))) < 20 {
			t.Fatalf("sensor acl: %v\n%s", err, out)
		}
		addr := harness.FreeAddr(t)
		_, port, _ := strings.Cut(addr, ":")
		conf := filepath.Join(dir, "mosquitto.conf")
		harness.Write(t, conf,
			strings.NewReplacer("listener 1883", "listener "+port+" 127.0.0.1", "/etc/mosquitto/sluice",
				dir).Replace(harness.Read(t, "../../configs/mosquitto.conf"))+"user root\n")
		p := harness.Start(t, "mosquitto", "-c", conf)
		harness.Await(t, 10e9, "mosquitto to take configs/mosquitto.conf", func() bool { return harness.Listens(addr) })
		if text := p.Err.String(); strings.Contains(text, "Error") {
			t.Errorf("mosquitto says %s", text)
		}
		// Who is in the file gets in; a second run keeps the passwords.
		user, password, _ := strings.Cut(strings.TrimSpace(strings.Split(string(out), "\n")[0]), " ")
		harness.PublisherAs(t, addr, user, password)
		again, err := exec.Command(harness.Sluice, "sensor", "acl", "--register",
			"../../configs/portalba/register.yaml", "--dir",
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
		harness.Need(t, "systemd-analyze")
		for _, unit := range []string{"sluice-gateway.service", "sluice-opendata.service"} {
			dir := t.TempDir()
			path := filepath.Join(dir, unit)
			harness.Write(t, path,
				strings.Replace(harness.Read(t, "../../configs/systemd/"+unit), "/usr/local/bin/sluice", harness.Sluice,
					1))
			if out, err := exec.Command("systemd-analyze", "verify", path).CombinedOutput(); err != nil ||
				strings.Contains(string(out), unit) {
				t.Errorf("%s: %v\n%s", unit, err, out)
			}
			if out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20",
				path).CombinedOutput(); err != nil {
				t.Errorf("%s is not hardened: %v\n%s", unit, err, harness.Tail(string(out)))
			}
		}
	})
	t.Run("limits", func(t *testing.T) {
		t.Parallel()
		compose := harness.Read(t, "../../configs/compose.yaml")
		for unit, lines := range map[string][]string{
			"sluice-gateway.service": {"LimitNOFILE=65536", "MemoryMax=2G", "MemoryHigh=1792M", "OOMPolicy=continue",
				"TasksMax=256", "MemorySwapMax=0"},
			"sluice-opendata.service": {"LimitNOFILE=8192", "MemoryMax=1536M", "TasksMax=256", "MemorySwapMax=0"},
		} {
			text := harness.Read(t, "../../configs/systemd/"+unit)
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
		if err := yaml.Unmarshal([]byte(harness.Read(t, "../../configs/compose.yaml")), &file); err != nil {
			t.Fatal(err)
		}
		for name, s := range file.Services {
			if s.Image == "" || strings.HasSuffix(s.Image, ":latest") {
				t.Errorf("service %s has no pinned image", name)
			}
			for _, v := range s.Volumes {
				from, _, _ := strings.Cut(v, ":")
				if strings.HasPrefix(from, "./") {
					if _, err := os.Stat(filepath.Join("../../configs", from)); err != nil {
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
		text := harness.Read(t, "../../configs/gateway.yaml")
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
			harness.Write(t, path, changed)
			cmd := exec.Command(harness.Sluice, "doctor", "-c", path, "--json")
			out, _ := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code == 3 || !strings.Contains(string(out), "findings") {
				t.Errorf("with %q the file is refused (%d)", on, code)
			}
		}
	})
}
