package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/test/raced"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/books"
	"sluice/firmware-sim/device"
	"sluice/gateway"
	"sluice/gateway/config"
	"sluice/opendata"
	"sluice/test/ports"
)

// TestStories runs testdata/*.txt, a story for each verb: the way that it is meant, and the
// mistakes that are made first. What the stories know beside testscript's own commands:
//
//	exits CODE PROGRAM ARG...   the program ends with this code
//	example                     ./policy and ./register.yaml of the example city
//	council                     ./policy with three members, keys/anna, keys/bru and keys/carla, and small quorums
//	released                    ./gateway.yaml, ./policy and ./state of a gateway that has released two hours
//	watched                     ./gateway.yaml of a gateway that runs until the story ends, and to which sensors send
//	serve DIR                   serves what is in a state directory at $URL, until the story ends
//	servers                     three servers of the engine that machines share, in ./nats and $NATS
//	signers KEY                 ./allowed_signers with who has the key
//	ear                         a device, for certify: a program
func TestStories(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keygen"); err != nil && os.Getenv("CI") != "" {
		t.Fatal(err) // elsewhere the stories of motions are skipped
	}
	var once onceReleased
	t.Cleanup(func() { _ = os.RemoveAll(once.dir) })
	testscript.Run(t, testscript.Params{
		Files: stories(t), RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LC_ALL", "C")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"example":  func(ts *testscript.TestScript, _ bool, _ []string) { example(ts) },
			"council":  func(ts *testscript.TestScript, _ bool, _ []string) { foundCouncil(ts) },
			"released": func(ts *testscript.TestScript, _ bool, _ []string) { once.copyTo(ts) },
			"watched":  watched,
			"serve":    serve,
			"servers":  func(ts *testscript.TestScript, _ bool, _ []string) { servers(t, ts) },
			"signers":  allowedSigners,
		},
	})
}

// several is a story in which something runs beside the verb that is told of, or the verb itself does
// several things at a time.
var several = regexp.MustCompile(`(?m)&$|^(watched|serve|servers)\b|` +
	`sluice (up|gateway|opendata|doctor|cluster (move|status)|sensor (certify|watch)|policy (simulate|studio))\b`)

// stories are those that this build tells: with the race detector those that have anything for it, since a
// verb that only reads and writes files takes three times as long under it.
func stories(t *testing.T) (files []string) {
	t.Helper()
	all, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(all) < 30 {
		t.Fatalf("there are %d stories (%v)", len(all), err)
	}
	for _, file := range all {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if raced.Turn(several.Match(raw)) {
			files = append(files, file)
		}
	}
	return files
}

// exits runs a program that ends with a code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("it ends with %d; want %d", got, want)
	}
}

// example copies the example city.
func example(ts *testscript.TestScript) {
	ts.Check(os.CopyFS(ts.Getenv("WORK"), os.DirFS("../../configs/portalba")))
}

// foundCouncil is the example city with a council that has keys, as ssh-keygen makes them.
func foundCouncil(ts *testscript.TestScript) {
	example(ts)
	roster := "version: 1\nmembers:\n"
	ts.Check(os.MkdirAll(ts.MkAbs("keys"), 0o700))
	for _, id := range []string{"anna", "bru", "carla"} {
		ts.Check(ts.Exec("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", id, "-f", ts.MkAbs("keys/"+id)))
		roster += fmt.Sprintf("  - {id: %s, name: %s, keys: [%q]}\n", id, strings.ToUpper(id[:1])+id[1:],
			strings.TrimSpace(ts.ReadFile("keys/"+id+".pub")))
	}
	ts.Check(os.WriteFile(ts.MkAbs("policy/council.yaml"), []byte(roster), 0o600))
	charter := regexp.MustCompile(`quorums: .*`).ReplaceAllString(ts.ReadFile("policy/charter.yaml"),
		"quorums: {enact: 2, weaken: 2, charter: 2, roster: 2, suspend: 1}")
	ts.Check(os.WriteFile(ts.MkAbs("policy/charter.yaml"),
		[]byte(strings.Replace(charter, "notice_days: 14", "notice_days: 0", 1)), 0o600))
}

// serve is an open-data server over ./state; its address is $URL.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: serve DIR")
	}
	dir := ts.MkAbs(args[0])
	cfg := opendata.Config{HTTP: "127.0.0.1:0",
		Store: opendata.Store{SQLite: &opendata.SQLite{Path: filepath.Join(dir, "store.db")}}}
	reader, err := openReader(cfg.Store)
	ts.Check(err)
	s, err := opendata.Open(cfg, reader, books.Dir(filepath.Join(dir, "public")), slog.New(slog.DiscardHandler))
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- errors.Join(s.Run(ctx), reader.Close()) }()
	ts.Defer(func() {
		cancel()
		ts.Check(<-done)
	})
	ts.Setenv("URL", "http://"+s.Addr())
}

// onceReleased is a directory with the state of a gateway that has released something, made
// when the first story wants it.
type onceReleased struct {
	made sync.Once
	dir  string
	err  error
}

func (o *onceReleased) copyTo(ts *testscript.TestScript) {
	o.made.Do(func() {
		if o.dir, o.err = os.MkdirTemp("", "sluice-stories-"); o.err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			o.err = releaseHours(ctx, o.dir)
		}
	})
	ts.Check(o.err)
	ts.Check(os.CopyFS(ts.Getenv("WORK"), os.DirFS(o.dir)))
}

// gates is a city with one turnstile, which is about nobody.
var gates = map[string]string{
	"policy/charter.yaml": "city: {id: smallville, name: Smallville, timezone: Europe/Madrid, languages: [en]}\n" +
		"purposes: [counting]\n" +
		"min_units: 3\nepsilon_per_day: {device: 1}\ndelta_per_day: 0.01\nmax_contributions: 4\n" +
		"sunset_max: P1Y\nquorums: {enact: 1, weaken: 1, charter: 1, roster: 1, suspend: 1}\n",
	"policy/council.yaml": "version: 1\nmembers: []\n",
	"policy/kinds.yaml":   "kinds:\n  gate:\n    fields: [{name: passed, type: int, class: measurement}]\n",
	"policy/zones.geojson": `{"type":"FeatureCollection","features":[{"type":"Feature","id":"square","properties":{},
		"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}}]}`,
	"policy/decisions/1.yaml": `decision: "1"
title: {en: Gates}
stream: gates
purpose: counting
applies_to: {kinds: [gate], zones: [square]}
unit: {none: "a turnstile counts turns"}
keep: [passed]
publish:
  every: PT1H
  lateness: PT2M
  measures:
    - {name: passed, of: sum(passed)}
from: 2026-01-01
until: 2026-12-31
review: 2026-06-01
`,
	"register.yaml": "sensors:\n  - {id: gate-1, owner: acme, kind: gate, zone: square, registered: 2026-01-01}\n",
	"gateway.yaml": `gateway: edge-1
dir: state
keys: memory
allow_swap: true
simulation: true
time: {topic: clock}
register: register.yaml
policy: {dir: policy}
listen: {mqtt: 127.0.0.1:1883}
admin: 127.0.0.1:0
`,
}

// releaseHours runs a gateway in this process until it has released two hours.
func releaseHours(ctx context.Context, dir string) error {
	for name, text := range gates {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	cfg, err := config.Read(filepath.Join(dir, "gateway.yaml"))
	if err != nil {
		return err
	}
	addr, err := ports.Addr()
	if err != nil {
		return err
	}
	cfg.Listen.MQTT = addr
	g, err := gateway.Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- errors.Join(g.Run(running), g.Close()) }()
	err = sendHours(ctx, addr, filepath.Join(dir, "state", "public", "releases.jsonl"))
	stop()
	return errors.Join(err, <-done)
}

// sendHours sends two hours of readings, and waits until they are in the public books.
func sendHours(ctx context.Context, addr, released string) error {
	link, err := device.Connect("tcp://"+addr, "story")
	if err != nil {
		return err
	}
	defer link.Close()
	ten := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for hour := range 2 {
		at := ten.Add(time.Duration(hour) * time.Hour)
		if err := link.Tick("clock", at); err != nil {
			return err
		}
		link.Publish("city/v1/acme/gate-1/up",
			fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"passed":7}}`, at.Format(time.RFC3339), hour), false)
	}
	if err := link.Tick("clock", ten.Add(2*time.Hour+5*time.Minute)); err != nil {
		return err
	}
	for ; ; time.Sleep(20 * time.Millisecond) {
		if raw, err := os.ReadFile(released); err == nil && bytes.Count(raw, []byte("\n")) == 2 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// leastHelp is how many characters of an answer a story checks at least: fewer are in other
// answers as well.
const leastHelp = 20

// helpful is the length of the longest pattern among the checks that follow a command.
func helpful(lines []string) (longest int) {
	for _, line := range lines {
		pattern, ok := strings.CutPrefix(line, "stderr '")
		if !ok {
			if pattern, ok = strings.CutPrefix(line, "stdout '"); !ok {
				return longest
			}
		}
		longest = max(longest, len(strings.TrimSuffix(pattern, "'")))
	}
	return longest
}

// TestEveryVerbHasAStory: each verb is used in stories as it is meant, and with three
// mistakes at least, each with the line that helps.
func TestEveryVerbHasAStory(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	done, mistakes := map[string]int{}, map[string]int{}
	all := helped(t)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(raw), "\n-- ")
		lines := append(strings.Split(script, "\n"), "")
		for i, line := range lines {
			words := strings.Fields(line)
			switch {
			case len(words) > 1 && words[0] == "exec" && words[1] == "sluice":
				done[verbOf(all, words[2:])]++
			case len(words) > 2 && words[0] == "exits" && words[2] == "sluice":
				if helpful(lines[i+1:]) < leastHelp {
					t.Errorf("%s:%d: the line that helps is not checked", path, i+1)
				}
				if words[1] != "0" {
					mistakes[verbOf(all, words[3:])]++
				}
			}
		}
	}
	for name, v := range all {
		if len(v.below) == 0 && (done[name] == 0 || mistakes[name] < 3) {
			t.Errorf("sluice %s is used %d times as it is meant, and %d times with a mistake", name, done[name],
				mistakes[name])
		}
	}
}

// verbOf is the verb that a command line is of.
func verbOf(all map[string]verb, words []string) string {
	name := ""
	for _, w := range words {
		if !all[name].below[w] {
			break
		}
		name = strings.TrimPrefix(name+" "+w, " ")
	}
	return name
}
