package ingest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/release"
	"sluice/plan"
	"sluice/register/access"
	"sluice/test/stalls"
)

// TestWhoIsToldAtTheDoor: acknowledgements of MQTT 5 say why nothing counted where sensors show
// who they are, and in a simulation; a gateway by wall time that asks nobody tells nobody.
func TestWhoIsToldAtTheDoor(t *testing.T) {
	passwords, err := access.ParsePasswords("passwords", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		listen Listen
		exact  bool
		want   bool
	}{
		"anybody":                         {Listen{}, false, false},
		"anybody, in a simulation":        {Listen{}, true, true},
		"who has a password":              {Listen{Passwords: passwords}, false, true},
		"behind a certificate of its own": {Listen{TLS: &tls.Config{}}, false, false},
		"who has a certificate": {Listen{TLS: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}}, false,
			true},
	} {
		s := newSources(&Config{Exact: x.exact})
		if got := s.tells(x.listen.identifies()); got != x.want {
			t.Errorf("%s is told: %v", name, got)
		}
	}
	for _, exact := range []bool{true, false} {
		dir := inMemory(t)
		i, err := Open(Config{
			Dir: filepath.Join(dir, "checkpoint"), Keys: filepath.Join(dir, "keys"), Register: still(t).cfg.Register,
			Listen: Listen{Addr: "127.0.0.1:0"}, Exact: exact, Feedback: time.Hour, Now: time.Now,
			Log: slog.New(slog.DiscardHandler),
		}, []Version{{Digest: "v", Location: time.UTC}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- i.Run(ctx, make(chan release.Batch), make(chan release.Key)) }()
		c, err := net.Dial("tcp", i.Addr())
		if err != nil {
			t.Fatal(err)
		}
		const hello, publish = "\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01x",
			"\x32\x08\x00\x01x\x00\x07\x00{}"
		if _, err := c.Write([]byte(hello + publish)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		in, told := bufio.NewReader(c), byte(0)
		for kind := byte(0); kind != 0x40; {
			var head [2]byte
			if _, err := io.ReadFull(in, head[:]); err != nil {
				t.Fatal(err)
			}
			body := make([]byte, head[1])
			if _, err := io.ReadFull(in, body); err != nil {
				t.Fatal(err)
			}
			if kind = head[0]; kind == 0x40 && len(body) > 2 {
				told = body[2]
			}
		}
		if want := map[bool]byte{true: 0x87}[exact]; told != want {
			t.Errorf("in a simulation %v: an unknown topic is answered %#x; want %#x", exact, told, want)
		}
		_ = c.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestOpenKnowsTheTime: a gateway by wall time has its time before its ways are open, and
// runs by the one that it believes.
func TestOpenKnowsTheTime(t *testing.T) {
	dir := inMemory(t)
	reg := still(t).cfg.Register
	var up, jump atomic.Int64
	cfg := Config{
		Dir: filepath.Join(dir, "checkpoint"), Keys: filepath.Join(dir, "keys"), Register: reg, Future: time.Minute,
		Feedback: time.Hour,
		Now:      func() time.Time { return noon.Add(time.Duration(up.Load() + jump.Load())) },
		Uptime:   func() time.Duration { return time.Duration(up.Load()) }, Log: slog.New(slog.DiscardHandler),
	}
	i, err := Open(cfg, []Version{{Digest: "v", Location: time.UTC, Streams: []*plan.Stream{footfall(t, 2)}}})
	if err != nil {
		t.Fatal(err)
	}
	if now := i.Report().Now; !now.Equal(noon) || i.windows.streams["footfall"].next.IsZero() {
		t.Errorf("when it is open it is %s there, and the stream begins at %s", now, i.windows.streams["footfall"].next)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx, make(chan release.Batch), make(chan release.Key)) }()
	wait := func(what string, ok func() bool) {
		t.Helper()
		stalls.Until(t, 20*time.Second, what, ok)
	}
	up.Store(int64(time.Minute))
	wait("time to go on", func() bool { return !i.Report().Now.Before(noon.Add(time.Minute)) })
	jump.Store(int64(365 * 24 * time.Hour))
	wait("the jump to be said", func() bool { return strings.Contains(i.Clock(), "jumped ahead") })
	up.Store(int64(2 * time.Minute))
	wait("time to go on in doubt", func() bool { return !i.Report().Now.Before(noon.Add(2 * time.Minute)) })
	if now := i.Report().Now; now.After(noon.Add(time.Hour)) {
		t.Errorf("a jump is believed: it is %s", now)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestAPolicyWaitsForTheFirstTick: while windows are open and nobody knows the time, a
// policy is not taken; it would be in force from the end of the last of them.
func TestAPolicyWaitsForTheFirstTick(t *testing.T) {
	i := unborn(t, noon.AddDate(9, 0, 0))
	i.cfg.Feedback = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.run(ctx, wall{}) }()
	soon, stop := context.WithTimeout(ctx, 200*time.Millisecond)
	defer stop()
	next := i.routing.versions[0]
	if err := i.Enact(soon, next, atOnce); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before the first tick a policy is taken: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
