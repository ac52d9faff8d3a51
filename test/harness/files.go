package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/ports"
)

// Alter rewrites a file.
func Alter(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(raw), 0o600); err != nil {
		t.Fatal(err)
	}
}

// FreePort is a port that nobody listens on.
func FreePort(t *testing.T) string { return strings.Split(FreeAddr(t), ":")[1] }

// Read is a file's text.
func Read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// AppendTo writes at the end of a file.
func AppendTo(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(Read(t, path)+text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// RemoveAll removes a file or a directory.
func RemoveAll(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// NewHeld listens, so that an address is taken.
func NewHeld(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Unmarshal decodes JSON.
func Unmarshal(t *testing.T, raw []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("%v in %.300s", err, raw)
	}
}

// Files reads every file under a directory, names too.
func Files(t *testing.T, dir string, into *bytes.Buffer) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone in between
		}
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		into.WriteString(path)
		into.Write(raw)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// HTTPGet is the body that an address answers with.
func HTTPGet(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// Write writes a file and the directories above it.
func Write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// WriteSecret writes what the gateway wants others not to read.
func WriteSecret(t *testing.T, path, text string) {
	t.Helper()
	Write(t, path, text)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// FreeAddr is an address of the loopback that nobody listens on.
func FreeAddr(t *testing.T) string {
	t.Helper()
	addr, err := ports.Addr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// Get asks an address and reads all of the answer.
func Get(t *testing.T, url string) (int, http.Header, []byte) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, body
}

// Answer asks the open data until what it says is another than that it is held up.
func Answer(t *testing.T, url string) (status int, header http.Header, body []byte) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(time.Second) {
		if status, header, body = Get(t, url); !HeldUp(status) || time.Since(begun) > Patience {
			return status, header, body
		}
		t.Logf("GET %s: the store cannot be read just now", url)
	}
}

// GetJSON asks the open data for JSON, which must be answered with 200.
func GetJSON(t *testing.T, url string, v any) {
	t.Helper()
	status, _, body := Answer(t, url)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", url, status, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}

// NoError fails the test where there is an error.
func NoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Remove removes a file, which must be there.
func Remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// Want fails the test where an output does not match a pattern.
func Want(t *testing.T, out, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(out) {
		t.Errorf("there is no %s in\n%s", pattern, Tail(out))
	}
}
