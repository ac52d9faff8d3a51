package opendata

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/program"
)

// TestOpenDataAsAnotherUser serves a stopped gateway's store and books as a user
// who may write nothing there.
func TestOpenDataAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	c := harness.Found(t, harness.Small())
	c.Run()
	c.Connect()
	c.Tick(harness.Ten)
	c.Send("gate-1", harness.Gate(1, harness.Ten, 5))
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	for dir := c.Dir; dir != os.TempDir(); dir = filepath.Dir(dir) { // testing keeps them to itself
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(c.Dir, "sluice")
	raw, err := os.ReadFile(harness.Sluice)
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Write(bin, raw); err != nil {
		t.Fatal(err)
	}
	serve := func() *harness.Process {
		t.Helper()
		p := &harness.Process{T: t, Cmd: exec.Command(bin, "opendata", "-c", filepath.Join(c.Dir, "opendata.yaml")),
			Done: make(chan error, 1)}
		p.Cmd.Stdout, p.Cmd.Stderr = &p.Out, &p.Err
		p.Cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := p.Cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { p.Done <- p.Cmd.Wait() }()
		t.Cleanup(p.Kill)
		c.Opendata = p.Find(`http=(http://\S+)`)[1]
		return p
	}
	look := func(when string) {
		t.Helper()
		if got := c.FirstHour("gates", "passed"); got != 5 {
			t.Errorf("%s: passed is %v; want 5", when, got)
		}
		if status, _, body := harness.Answer(t, c.Opendata+"/api/v1/sensors"); status != 200 ||
			!strings.Contains(string(body), "gate-1") {
			t.Errorf("%s: the sensors are not there: %d", when, status)
		}
	}
	p := serve()
	look("beside the gateway")
	if code := c.Gateway.Stop(5 * time.Second); code != 0 {
		t.Errorf("SIGINT gave exit code %d; want 0", code)
	}
	look("after the gateway has stopped")
	p.Kill()
	serve()
	look("started while the gateway is stopped")
}
