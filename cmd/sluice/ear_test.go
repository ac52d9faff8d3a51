package main

import (
	"fmt"
	"os"
	"strings"
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

// signers writes allowed_signers with one who may sign, of KEY.pub.
func signers(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: signers KEY")
	}
	ts.Check(os.WriteFile(ts.MkAbs("allowed_signers"), []byte("lab@example.org "+ts.ReadFile(args[0]+".pub")), 0o600))
}
