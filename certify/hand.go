package certify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Person is told what to do.
type Person struct{ Out io.Writer }

// Connect says what to enter into the device.
func (p Person) Connect(_ context.Context, e Entry) error {
	scheme := e.scheme()
	beats := cmp.Or(e.Beats, "none")
	if e.HeartbeatsWanted != "" {
		beats += "  (its kind asks for one every " + e.HeartbeatsWanted + ")"
	}
	_, err := fmt.Fprintf(p.Out, "Enter into the device:\n\n  Server     %s\n  User       %s\n"+
		"  Password   %s  (shown this once)\n  Readings   %s, at QoS 1\n  Heartbeats %s\n"+
		"  Feedback   %s, if it can read\n\nand switch it on. "+
		"Once you will be asked to take its power away.\n\n",
		servers(scheme, e.Addr), e.User, e.Password, e.Readings, beats, e.FeedbackTopic)
	return err
}

// scheme is that of the address.
func (e Entry) scheme() string {
	switch {
	case e.Web && e.TLS:
		return "wss"
	case e.Web:
		return "ws"
	case e.TLS:
		return "tls"
	}
	return "tcp"
}

// servers are the addresses where a device can connect: those of this machine for one that names none.
func servers(scheme, addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsUnspecified() {
		return scheme + "://" + addr
	}
	var list []string
	all, _ := net.InterfaceAddrs() // none is as good as an error
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			list = append(list, scheme+"://"+net.JoinHostPort(n.IP.String(), port))
		}
	}
	if len(list) == 0 {
		return scheme + "://" + addr
	}
	return strings.Join(list, " or ")
}

// Restart says that the device is to be switched off and on.
func (p Person) Restart(context.Context) error {
	_, err := fmt.Fprint(p.Out, "\nTake the device's power away for ten seconds, and give it back.\n\n")
	return err
}

// Command is a device that is a program, for tests and a vendor's own machines: a command of the shell with the
// entry in its environment, as SLUICE_SERVER, SLUICE_USER, SLUICE_PASSWORD_FILE, SLUICE_READINGS and
// SLUICE_HEARTBEATS. A restart kills it, and all that it has started, and starts it again.
type Command struct {
	Line string
	Err  io.Writer // where its output goes

	dir string
	env []string
	cmd *exec.Cmd
}

// Connect starts the command.
func (c *Command) Connect(ctx context.Context, e Entry) (err error) {
	if c.dir, err = os.MkdirTemp("", "sluice-device-"); err != nil {
		return err
	}
	secret := filepath.Join(c.dir, "password")
	if err := os.WriteFile(secret, []byte(e.Password+"\n"), 0o600); err != nil {
		return err
	}
	c.env = append(os.Environ(), "SLUICE_SERVER="+e.scheme()+"://"+e.Addr, "SLUICE_USER="+e.User,
		"SLUICE_PASSWORD_FILE="+secret, "SLUICE_READINGS="+e.Readings, "SLUICE_HEARTBEATS="+e.Beats)
	return c.start(ctx)
}

func (c *Command) start(ctx context.Context) error {
	if c.cmd != nil {
		return errors.New("the device's command runs already")
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", c.Line)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, c.Err, c.Err
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the device's command does not start: %w", err)
	}
	c.cmd = cmd
	return nil
}

// Restart kills the command and starts it again.
func (c *Command) Restart(ctx context.Context) error {
	c.kill()
	return c.start(ctx)
}

func (c *Command) kill() {
	if c.cmd == nil {
		return
	}
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	_ = c.cmd.Wait()
	c.cmd = nil
}

// Close kills the command and removes the password.
func (c *Command) Close() error {
	c.kill()
	if c.dir == "" {
		return nil
	}
	return os.RemoveAll(c.dir)
}
