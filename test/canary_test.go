package test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/firmware-sim/device"
)

// canaries are 10,000 planted identifiers that occur nowhere else: addresses,
// plates, tokens and names.
func canaries(seed uint64) (out []string) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	letters := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "BCDFGHJKLMNPQRSTVWXZ"[rnd.IntN(20)]
		}
		return string(b)
	}
	for len(out) < 10_000 {
		n := rnd.Uint64()
		out = append(out,
			fmt.Sprintf("02:c4:%02x:%02x:%02x:%02x", byte(n), byte(n>>8), byte(n>>16), byte(n>>24)),
			fmt.Sprintf("%04d-%s-%s", n%10000, letters(3), letters(4)),
			fmt.Sprintf("tok_%016x", n),
			fmt.Sprintf("%s %s", letters(6), letters(9)))
	}
	return out
}

// aviary is a city on all parts, in which canaries are planted.
type aviary struct {
	*city
	db       *influxd
	broker   *mosquitto
	listen   string // where sensors connect to the gateway itself
	bin      string
	list     []string
	feedback *output
	released bool // something is in the store
}

func newAviary(t *testing.T, bin string, seed uint64, influx bool) *aviary {
	t.Helper()
	a := &aviary{bin: bin, list: canaries(seed), feedback: &output{}}
	a.broker = newMosquitto(t, quietMosquitto(t))
	a.city = found(t, everything())
	if influx {
		a.db = newInflux(t)
		a.keepIn(a.db.url)
	}
	a.listen = a.mqtt
	path := filepath.Join(a.dir, "gateway.yaml")
	write(t, path,
		strings.Replace(read(t, path), "listen:", fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}\nlisten:", a.broker.addr),
			1))
	appendTo(t, path, "log: {level: debug}\n")
	appendTo(t, filepath.Join(a.dir, "opendata.yaml"), "log: {level: debug}\n")
	return a
}

// quietMosquitto are the lines of configs/mosquitto.conf that say what it logs
// and keeps.
func quietMosquitto(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(read(t, "../configs/mosquitto.conf")) {
		for _, key := range []string{"log_type", "connection_messages", "persistence", "autosave"} {
			if strings.HasPrefix(line, key) {
				b.WriteString(line)
			}
		}
	}
	if !strings.Contains(b.String(), "connection_messages false") {
		t.Error("configs/mosquitto.conf lets mosquitto log client ids")
	}
	return b.String()
}

// fly starts the gateway with an environment variable for its faults.
func (a *aviary) fly(fault string) {
	a.t.Helper()
	a.gateway = startWith(a.t, []string{faultVariable + "=" + fault}, a.bin, "gateway", "-c",
		filepath.Join(a.dir, "gateway.yaml"))
	a.admin = "http://" + a.gateway.find(`the gateway runs.*admin=(\S+)`)[1]
}

// plant sends every canary as a value, in an unknown field, as a key, in a topic
// and in a broken message, through both ways in, and some as client ids.
func (a *aviary) plant(at time.Time) {
	a.t.Helper()
	stamp := at.Format(time.RFC3339)
	for way, addr := range []string{a.broker.addr, a.listen} {
		link := publisher(a.t, addr, "planter")
		for i, x := range a.list {
			if i%2 != way {
				continue
			}
			link.Publish("city/v1/acme/wifi-1/up",
				fmt.Appendf(nil,
					`{"ts":%q,"seq":%d,"boot":%q,"fields":{"device":%[3]q,"rssi":-50,"note":%[3]q,%[3]q:1},%[3]q:{}}`,
					stamp, i, x), false)
			switch i % 14 / 2 {
			case 0:
				link.Publish("city/v1/acme/"+x+"/up", []byte(`{"fields":{"passed":1}}`), false)
			case 1:
				link.Publish("city/v1/acme/gate-1/up", fmt.Appendf(nil, `{"fields":{"passed":%q`, x), false)
			case 2:
				link.Publish("city/v1/acme/gate-1/up", fmt.Appendf(nil, `{"ts":%q,"fields":{"passed":%[1]q}}`, x),
					false)
			case 3:
				link.Publish("city/v1/acme/gate-1/hb", fmt.Appendf(nil, `{"ts":%q}`, x), false)
			case 4:
				link.Publish("city/v1/acme/wifi-1/up",
					fmt.Appendf(nil, `[{"bn":%q,"n":"device","vs":%[1]q,%[1]q:1}]`, x), false)
			case 5:
				link.Publish("city/v1/acme/road-1/up",
					fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"vehicle":%q}}`, stamp, i, x), false)
			case 6:
				link.Publish("city/v1/acme/track-1/up",
					fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"tag":%q,"lat":0.5,"lon":0.5}}`, stamp, i, x), false)
			}
			if i%100 == way {
				if guest, err := device.Connect("tcp://"+addr, x); err == nil {
					guest.Publish("city/v1/acme/gate-1/up", []byte(x), false)
					guest.Close()
				}
			}
		}
		if err := link.Flush(); err != nil {
			a.t.Fatal(err)
		}
	}
}

// listenIn collects feedback of all sensors.
func (a *aviary) listenIn() {
	a.t.Helper()
	conn := dialRaw(a.t, a.broker.addr, "listener-in")
	p := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	p.Topics, p.Qoss, p.MessageID = []string{"city/v1/+/+/feedback"}, []byte{0}, 1
	conn.put(p)
	go func() { _, _ = a.feedback.ReadFrom(conn) }()
}

// ReadFrom collects what a connection says.
func (o *output) ReadFrom(c interface{ Read([]byte) (int, error) }) (int64, error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		_, _ = o.Write(buf[:n])
		if err != nil {
			return 0, err
		}
	}
}

// gather is every byte that the city has written or said.
func (a *aviary) gather(processes ...*process) []byte {
	a.t.Helper()
	var said bytes.Buffer
	for _, u := range []string{
		a.admin + "/metrics", a.admin + "/healthz", a.admin + "/readyz", a.opendata + "/", a.opendata + "/sensors",
		a.opendata + "/privacy",
		a.opendata + "/api/v1/streams", a.opendata + "/api/v1/sensors", a.opendata + "/api/v1/ledger",
		a.opendata + "/api/v1/decisions",
		a.opendata + "/api/v1/streams/devices/observations?limit=1000",
		a.opendata + "/api/v1/streams/traffic/observations?format=csv", a.opendata + "/streams/devices",
		a.opendata + "/api/v1/streams/devices/observations?cell=" + url.QueryEscape(a.list[0]),
	} {
		if resp, err := httpGet(u); err == nil {
			said.Write(resp)
		}
	}
	files(a.t, a.dir, &said)
	if a.db != nil {
		for _, q := range []string{"SELECT * FROM /.*/", "SHOW SERIES"} {
			resp, err := httpGet(a.db.url + "/query?db=city&q=" + url.QueryEscape(q))
			if err != nil || a.released && !bytes.Contains(resp, []byte("sim_")) {
				a.t.Errorf("InfluxDB does not say what it has: %v %.200s", err, resp)
			}
			said.Write(resp)
		}
		files(a.t, filepath.Dir(a.db.conf), &said)
		processes = append(processes, a.db.p)
	}
	for _, p := range append(processes, a.broker.p) {
		said.WriteString(p.out.String() + p.err.String())
	}
	said.WriteString(a.feedback.String())
	return said.Bytes()
}

// life is one run through everything: canaries planted, a kill, releases,
// feedback, SIGQUIT. It returns what was written and said.
func (a *aviary) life(fault string) []byte {
	a.t.Helper()
	a.fly(fault)
	a.serve()
	a.mqtt = a.broker.addr
	a.connect()
	a.listenIn()
	a.brokerUp(true)
	a.tick(ten)
	a.at(ten)
	a.plant(ten)
	first := a.gateway
	said := a.gather(first)
	a.gateway.kill()
	a.fly(fault)
	a.brokerUp(true)
	a.plant(ten.Add(time.Minute)) // much of it again, in the middle of which:
	await(a.t, 30*time.Second, "feedback", func() bool { return strings.Contains(a.feedback.String(), `"codes"`) })
	a.tick(ten.Add(2 * time.Hour))
	a.at(ten.Add(2 * time.Hour))
	a.stored()
	a.released = true
	said = append(said, a.gather(first, a.gateway)...)
	second := a.gateway
	if err := second.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		a.t.Fatal(err)
	}
	err := <-second.done
	second.done <- err
	if code := second.cmd.ProcessState.ExitCode(); code != 70 ||
		!strings.Contains(second.err.String(), "ingest.(*Ingest).run(...)") {
		a.t.Errorf("SIGQUIT gave exit code %d and\n%s", code, tail(second.err.String()))
	}
	return append(said, second.err.String()...)
}

// TestCanaries plants 10,000 identifiers and looks for them, in more than twenty
// encodings, in every byte that was written or said.
//
// Eight hexadecimal digits of a hash can be there by chance; such a finding is
// believed only when a second life with other canaries has one too. With some
// 1.5 million prefixes and about twenty hexadecimal words in what is said, chance
// raises a false alarm in about one of 170 lives, and in both of two about once in
// 30,000 runs.
func TestCanaries(t *testing.T) {
	t.Parallel()
	bin := withFaults(t)
	for attempt := range 2 {
		a := newAviary(t, bin, uint64(time.Now().UnixNano()), true)
		said := a.life("")
		if !bytes.Contains(said, []byte(`"status":"published"`)) {
			t.Fatal("nothing was published, so nothing could show")
		}
		found := newSieve(a.list).catch(said)
		if len(found) == 0 {
			return
		}
		sure := false
		for _, f := range found {
			t.Logf("attempt %d: %s", attempt+1, f)
			sure = sure || f.sure
		}
		if sure || attempt == 1 {
			t.Fatalf("%d identifiers were found in %d bytes", len(found), len(said))
		}
	}
}

// TestCanariesAreCaught: leaks that are built into the binary are found, so the
// search works.
func TestCanariesAreCaught(t *testing.T) {
	t.Parallel()
	bin := withFaults(t)
	for _, leak := range []string{"log line", "label", "file", "error text", "hash", "encoded"} {
		t.Run(leak, func(t *testing.T) {
			t.Parallel()
			a := newAviary(t, bin, 7, false)
			a.fly(leak)
			a.serve()
			a.mqtt = a.broker.addr
			a.connect()
			a.listenIn()
			a.tick(ten)
			a.link.Publish("city/v1/acme/"+a.list[0]+"/up", fmt.Appendf(nil, `{"fields":{"device":%q}}`, a.list[0]),
				false)
			if err := a.link.Flush(); err != nil {
				t.Fatal(err)
			}
			a.received(1)
			if found := newSieve(a.list[:8]).catch(a.gather(a.gateway)); len(found) == 0 {
				t.Error("the leak was not found")
			}
		})
	}
}

// TestAdminPanicsSayNothing: a bug behind an admin address costs one answer, not
// the process, and says nothing either.
func TestAdminPanicsSayNothing(t *testing.T) {
	t.Parallel()
	bin := withFaults(t)
	for fault, path := range map[string]string{"in metrics": "/metrics", "in readyz": "/readyz"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			c := found(t, small())
			p := startWith(t, []string{faultVariable + "=" + fault}, bin, "gateway", "-c",
				filepath.Join(c.dir, "gateway.yaml"))
			admin := "http://" + p.find(`the gateway runs.*admin=(\S+)`)[1]
			for range 2 {
				status, _, body := get(t, admin+path)
				if status != 500 || strings.Contains(string(body), "Rambla") {
					t.Errorf("%s gives %d %s", path, status, body)
				}
			}
			if status, _, _ := get(t, admin+"/healthz"); status != 200 || strings.Contains(p.err.String(), "Rambla") {
				t.Errorf("after it healthz gives %d, and the log says\n%s", status, p.err.String())
			}
		})
	}
}

// TestPanicsSayNothing lets each stage of a reading's life panic with what it
// holds. The process ends with 70 and says where, and not what.
func TestPanicsSayNothing(t *testing.T) {
	t.Parallel()
	bin := withFaults(t)
	for stage := range stages {
		if !strings.HasPrefix(stage, "panic ") {
			continue
		}
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			a := newAviary(t, bin, 9, false)
			a.fly(stage)
			a.mqtt = a.broker.addr
			if strings.HasSuffix(stage, "listener") {
				a.mqtt = a.listen
			}
			// What is sent before the gateway has subscribed would be nobody's. Some
			// stages do not live to see it.
			await(t, 20*time.Second, "the broker, or the end", func() bool {
				return strings.Contains(a.gateway.err.String(), "the broker is there") || a.gateway.ended()
			})
			conn := dialRaw(t, a.mqtt, "sender")
			p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
			p.Qos = 1
			send := func(id uint16, topic, payload string) {
				p.MessageID, p.TopicName, p.Payload = id, topic, []byte(payload)
				_ = p.Write(conn) // the gateway may be gone
			}
			send(1, clockTopic, ten.Format(time.RFC3339))
			send(2, "city/v1/acme/wifi-1/hb", fmt.Sprintf(`{"ts":%q,"every":"PT60S"}`, ten.Format(time.RFC3339)))
			send(3, "city/v1/acme/wifi-1/up",
				fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"device":%q,"rssi":-50,"note":%q}}`, ten.Format(time.RFC3339),
					a.list[0], a.list[1]))
			send(4, "city/v1/acme/"+a.list[3]+"/up", "{}")
			send(5, clockTopic, ten.Add(2*time.Hour).Format(time.RFC3339))
			select {
			case err := <-a.gateway.done:
				a.gateway.done <- err
			case <-time.After(patience):
				t.Fatal("the process goes on")
			}
			text := a.gateway.err.String()
			if code := a.gateway.cmd.ProcessState.ExitCode(); code != 70 ||
				!strings.Contains(text, "this is a bug of ours (string)") || !strings.Contains(text, ".go:") {
				t.Errorf("it ended with %d and said\n%s", code, tail(text))
			}
			if found := newSieve(a.list[:8]).catch(a.gather(a.gateway)); len(found) > 0 {
				t.Errorf("it says who: %v", found)
			}
		})
	}
}
