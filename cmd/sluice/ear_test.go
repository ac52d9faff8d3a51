package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/firmware-sim/device"
)

// ear is a device for stories of certify, with the entry that it finds in its environment: it sends a level
// ten times a second and a heartbeat every second, until it is killed. `ear undeclared` sends a field besides
// that its kind has not.
func ear() {
	secret, err := os.ReadFile(os.Getenv("SLUICE_PASSWORD_FILE"))
	if err != nil {
		panic(err)
	}
	link, err := device.ConnectAs(os.Getenv("SLUICE_SERVER"), "ear", os.Getenv("SLUICE_USER"),
		strings.TrimSpace(string(secret)))
	if err != nil {
		panic(err)
	}
	boot, more := time.Now().UnixNano(), ""
	if len(os.Args) > 1 && os.Args[1] == "undeclared" {
		more = `,"CANARY":1`
	}
	for seq := 0; ; seq++ {
		now := time.Now().UTC().Format(time.RFC3339Nano)
		link.Publish(os.Getenv("SLUICE_READINGS"),
			fmt.Appendf(nil, `{"ts":%q,"seq":%d,"boot":"%d","fields":{"laeq":61.5%s}}`, now, seq, boot, more), false)
		if seq%10 == 0 {
			link.Publish(os.Getenv("SLUICE_HEARTBEATS"), fmt.Appendf(nil, `{"ts":%q,"every":"PT1S"}`, now), false)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestCertifyIsStopped: a run that is stopped has no report, and is not taken for one that passed.
func TestCertifyIsStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	var out, said bytes.Buffer
	entered := writerFunc(func(p []byte) (int, error) {
		stop() // once it says what to enter
		return out.Write(p)
	})
	code := Main(ctx, []string{"sensor", "certify", "--kind", "noise-meter", "--device", "x", "--listen", "127.0.0.1:0",
		"--out", dir}, entered, &said)
	if code != exitFailed || !strings.Contains(said.String(), "so there is no report") ||
		!strings.Contains(out.String(), "Enter into the device") || strings.Contains(out.String(), "not tried") {
		t.Errorf("%d\n%s\n%s", code, out.String(), said.String())
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("%d files are left (%v)", len(files), err)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// allowedSigners writes allowed_signers with one who may sign, of KEY.pub.
func allowedSigners(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: signers KEY")
	}
	ts.Check(os.WriteFile(ts.MkAbs("allowed_signers"), []byte("lab@example.org "+ts.ReadFile(args[0]+".pub")), 0o600))
}
