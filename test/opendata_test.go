package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOpenDataAsAnotherUser serves a stopped gateway's store and books as a user
// who may write nothing there.
func TestOpenDataAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	c := found(t, small())
	c.run()
	c.connect()
	c.tick(ten)
	c.send("gate-1", gate(1, ten, 5))
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	for dir := c.dir; dir != os.TempDir(); dir = filepath.Dir(dir) { // testing keeps them to itself
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(c.dir, "sluice")
	raw, err := os.ReadFile(sluice)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bin, raw, 0o755); err != nil {
		t.Fatal(err)
	}
	serve := func() *process {
		t.Helper()
		p := &process{t: t, cmd: exec.Command(bin, "opendata", "-c", filepath.Join(c.dir, "opendata.yaml")),
			done: make(chan error, 1)}
		p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { p.done <- p.cmd.Wait() }()
		t.Cleanup(p.kill)
		c.opendata = p.find(`http=(http://\S+)`)[1]
		return p
	}
	look := func(when string) {
		t.Helper()
		if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 5 {
			t.Errorf("%s: passed is %v; want 5", when, got)
		}
		if status, _, body := get(t, c.opendata+"/api/v1/sensors"); status != 200 ||
			!strings.Contains(string(body), "gate-1") {
			t.Errorf("%s: the sensors are not there: %d", when, status)
		}
	}
	p := serve()
	look("beside the gateway")
	if code := c.gateway.stop(5 * time.Second); code != 0 {
		t.Errorf("SIGINT gave exit code %d; want 0", code)
	}
	look("after the gateway has stopped")
	p.kill()
	serve()
	look("started while the gateway is stopped")
}
