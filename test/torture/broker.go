package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// broker is a real mosquitto, as configs/mosquitto.conf sets it up.
type broker struct {
	addr, conf string
	p          *process
}

func (t *trial) broker() (*broker, error) {
	b := &broker{addr: freeAddr(), conf: filepath.Join(t.scratch("mosquitto"), "mosquitto.conf")}
	_, port, _ := strings.Cut(b.addr, ":")
	text := "listener " + port + " 127.0.0.1\npersistence false\nmax_inflight_messages 1000\nmax_queued_messages " +
		"1000000\nallow_anonymous true\nuser root\n"
	if err := os.WriteFile(b.conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return b, b.start()
}

func (b *broker) start() (err error) {
	if b.p, err = launch(nil, "mosquitto", "-c", b.conf); err != nil {
		return err
	}
	for range 500 {
		if c, err := net.Dial("tcp", b.addr); err == nil {
			return c.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("mosquitto does not listen: %s", b.p.last(3))
}

// behind makes worlds behind a broker.
func (t *trial) behind(b *broker) func(seed uint64) (*world, error) {
	return func(seed uint64) (*world, error) {
		if b.p != nil { // a broker that knows nothing of the world before
			b.p.kill()
		}
		if err := b.start(); err != nil {
			return nil, err
		}
		w, err := found(t.h, seed, b.addr, "")
		if err != nil {
			return w, err
		}
		if err := w.spawn(); err != nil { // first, so that the broker keeps for it
			return w, err
		}
		w.up(w.patience)
		if err := w.until(w.patience, "the broker to be there", w.linked); err != nil {
			return w, err
		}
		w.client = dial(w.mqtt)
		w.tick(start(0))
		if err := w.settled(); err != nil {
			return w, err
		}
		return w, w.serve()
	}
}

// linked says whether the gateway calls its broker ready.
func (w *world) linked() bool {
	raw, err := fetch(w.admin + "/readyz")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(raw), `"broker"`)
	check, _, _ := strings.Cut(rest, "}")
	return strings.Contains(strings.ReplaceAll(check, " ", ""), `"ok":true`)
}

// brokerKills kills the gateway behind a broker, which sends again.
func brokerKills(t *trial) {
	b, err := t.broker()
	if err != nil {
		t.row.wrong("%v", err)
		return
	}
	defer func() { b.p.kill() }()
	t.worlds(t.behind(b), (*world).amidKills)
}

// brokerDies kills the broker itself: what it had not handed on is gone, and must
// be said; the windows around it may be short, never wrong in silence.
func brokerDies(t *trial) {
	b, err := t.broker()
	if err != nil {
		t.row.wrong("%v", err)
		return
	}
	defer func() { b.p.kill() }()
	t.worlds(t.behind(b), func(w *world) error {
		w.strict = false
		stop := w.rnd.IntN(4)
		return w.play(func(part int) error {
			if part != stop {
				return nil
			}
			time.Sleep(time.Duration(w.rnd.IntN(100)) * time.Millisecond)
			w.h.kills.Add(1)
			b.p.kill()
			if err := b.start(); err != nil {
				return err
			}
			return w.until(w.patience, "the broker to be there again", w.linked)
		})
	})
}

// stalls stop the gateway, as a frozen machine does, and let it go on.
func stalls(t *trial) {
	t.worlds(t.listening, func(w *world) error {
		stop := w.rnd.IntN(4)
		return w.play(func(part int) error {
			if part != stop || w.gateway.ended() {
				return nil
			}
			w.gateway.signal(syscall.SIGSTOP)
			time.Sleep(time.Duration(200+w.rnd.IntN(2500)) * time.Millisecond)
			w.gateway.signal(syscall.SIGCONT)
			return nil
		})
	})
}

// rogues connect beside honest sensors: one never reads, one counts at random, one
// sends arrays as large as they may be, one sends what is no MQTT.
func rogues(t *trial) {
	t.worlds(t.listening, func(w *world) error {
		stop := make(chan struct{})
		done := make(chan struct{}, 4)
		for n := range 4 {
			go func() { w.rogue(n, stop); done <- struct{}{} }()
		}
		err := w.play(func(int) error { return nil })
		close(stop)
		for range 4 {
			<-done
		}
		return err
	})
}

func (w *world) rogue(sort int, stop chan struct{}) {
	conn, err := net.DialTimeout("tcp", w.mqtt, time.Second)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	go func() { <-stop; _ = conn.Close() }()
	if sort == 3 {
		_, _ = conn.Write([]byte(strings.Repeat("\xff\x00GET / HTTP/1.1\r\n", 1000)))
		return
	}
	if sort == 0 {
		_ = conn.(*net.TCPConn).SetReadBuffer(2048)
	} else {
		go func() {
			buf := make([]byte, 4096)
			for {
				if _, err := conn.Read(buf); err != nil {
					return
				}
			}
		}()
	}
	if greet(conn, fmt.Sprintf("rogue-%d", sort)) != nil {
		return
	}
	payload := []byte(`{}`)
	if sort == 2 {
		payload = []byte("[" + strings.TrimSuffix(strings.Repeat(`{"seq":1,"fields":{"passed":1}},`, 10_000), ",") +
			"]")
	}
	for id := uint16(1); ; id++ {
		select {
		case <-stop:
			return
		default:
		}
		if sort == 1 {
			payload = []byte(fmt.Sprintf(`{"seq":%d,"boot":"%s","fields":{"passed":1}}`, uint64(id)*7919%65_521,
				canary))
		}
		if _, err := conn.Write(publish(max(id, 1), message{topic: "city/v1/acme/rogue-1/up", payload: payload},
			false)); err != nil {
			return
		}
	}
}
