// Package zzfail is put into the gateway by a build overlay and by nothing else:
// it fails, stalls or kills the process at a named durable step.
package zzfail

import (
	"database/sql"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The variables: faults are NAME|KIND|NTH, separated by semicolons; names that
// were reached are appended to the file of Seen.
const (
	Faults = "SLUICE_TORTURE_FAULTS"
	Seen   = "SLUICE_TORTURE_SEEN"
)

// File and Result are named for files that do not import what they are of.
type (
	File   = os.File
	Result = sql.Result
)

var points struct {
	sync.Mutex
	once sync.Once
	hits map[string]int
	kind map[string]string
	nth  map[string]int
}

func load() {
	points.hits, points.kind, points.nth = map[string]int{}, map[string]string{}, map[string]int{}
	for _, f := range strings.Split(os.Getenv(Faults), ";") {
		if part := strings.Split(f, "|"); len(part) == 3 {
			points.kind[part[0]] = part[1]
			points.nth[part[0]], _ = strconv.Atoi(part[2])
		}
	}
}

// at passes a point. An error is one that the step itself could have had.
func at(name string) error {
	points.once.Do(load)
	points.Lock()
	points.hits[name]++
	hit, kind, nth := points.hits[name], points.kind[name], points.nth[name]
	points.Unlock()
	if hit == 1 {
		say("reached " + name)
	}
	if kind == "" || hit < nth || hit > nth+2 || hit > nth && kind != "eio" && kind != "enospc" {
		return nil
	}
	say("fired " + name + " " + kind)
	switch kind {
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "stall":
		time.Sleep(1500 * time.Millisecond)
	case "eio":
		return syscall.EIO
	case "enospc":
		return syscall.ENOSPC
	}
	return nil
}

func say(line string) {
	path := os.Getenv(Seen)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(line + "\n")
	_ = f.Close()
}

// E wraps a step that gives an error.
func E(name string, do func() error) error {
	if err := at(name + ":before"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = at(name + ":after")
	}
	return err
}

// V wraps a step that gives nothing.
func V(name string, do func()) {
	_ = at(name + ":before")
	do()
	_ = at(name + ":after")
}

// T wraps a step that gives a value and an error.
func T[V any](name string, do func() (V, error)) (V, error) {
	if err := at(name + ":before"); err != nil {
		var none V
		return none, err
	}
	v, err := do()
	if err == nil {
		_ = at(name + ":after") // an error here would lose the value: kills and stalls only
	}
	return v, err
}
