package harness

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Node runs one of test/browser's scripts with the libraries that make tools installed, and returns
// what it says. One that ends with a failure has failed the test, with what it said.
func Node(t *testing.T, args ...string) string {
	t.Helper()
	out, err := script(libraries(t), args)
	if err != nil {
		t.Errorf("%s: %v\n%s", args[0], err, out)
	}
	return out
}

// NodeFails is Node for a script that must end with a failure.
func NodeFails(t *testing.T, args ...string) string {
	t.Helper()
	out, err := script(libraries(t), args)
	if err == nil {
		t.Errorf("%s finds nothing", args[0])
	}
	return out
}

// Chromium is the browser for a test's pages. Where it is installed, that is the one without a window of its own, which
// draws and runs the same pages by the same engine in half the time; what prints for users starts the whole browser
// in its own tests.
func Chromium(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("chromium-headless-shell"); err == nil {
		return path
	}
	Need(t, "chromium")
	path, err := exec.LookPath("chromium")
	NoError(t, err)
	return path
}

// libraries are where make tools installs what the browser's scripts need.
func libraries(t *testing.T) string {
	t.Helper()
	installed, err := filepath.Abs(filepath.Join("..", "..", ".tools", "browser", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	Need(t, "node")
	if _, err := os.Stat(filepath.Join(installed, "playwright-core")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the browser's test libraries are not installed: make tools")
		}
		t.Skip("the browser's test libraries are not installed: make tools")
	}
	return installed
}

// Tool runs a program in test/browser. One that ends with a failure has failed the
// test, with what it said.
func Tool(t *testing.T, args ...string) string {
	t.Helper()
	installed := libraries(t)
	if strings.Contains(args[0], "/") {
		args[0] = filepath.Join(installed, args[0])
	}
	c := exec.Command(args[0], args[1:]...)
	c.Dir = "../browser"
	c.Env = append(os.Environ(), "NODE_PATH="+installed)
	out, err := c.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		t.Errorf("%s: %v\n%s", strings.Join(args[:2], " "), err, out)
	}
	return string(out)
}
