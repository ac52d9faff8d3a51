package privacy

import (
	"bytes"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

// aviary is a city on all parts, in which canaries are planted.
type aviary struct {
	*harness.City
	db       *harness.Influxd
	broker   *harness.Mosquitto
	listen   string // where sensors connect to the gateway itself
	bin      string
	list     []string
	feedback *harness.Output
	released bool // something is in the store
}

func newAviary(t *testing.T, bin string, seed uint64, influx bool) *aviary {
	t.Helper()
	a := &aviary{bin: bin, list: harness.Canaries(seed), feedback: &harness.Output{}}
	a.broker = harness.NewMosquitto(t, quietMosquitto(t))
	a.City = harness.Found(t, harness.Everything())
	if influx {
		a.db = harness.NewInflux(t)
		a.KeepIn(a.db.Url)
	}
	a.listen = a.Mqtt
	path := filepath.Join(a.Dir, "gateway.yaml")
	harness.Write(t, path,
		strings.Replace(harness.Read(t, path), "listen:",
			fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}\nlisten:", a.broker.Addr),
			1))
	harness.AppendTo(t, path, "log: {level: debug}\n")
	harness.AppendTo(t, filepath.Join(a.Dir, "opendata.yaml"), "log: {level: debug}\n")
	return a
}

// quietMosquitto are the lines of configs/mosquitto.conf that say what it logs
// and keeps.
func quietMosquitto(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(harness.Read(t, "../../configs/mosquitto.conf")) {
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
	a.T.Helper()
	a.Gateway = harness.StartWith(a.T, []string{harness.FaultVariable + "=" + fault}, a.bin, "gateway", "-c",
		filepath.Join(a.Dir, "gateway.yaml"))
	a.Admin = "http://" + a.Gateway.Find(`the gateway runs.*admin=(\S+)`)[1]
}

// plant sends every canary as a value, in an unknown field, as a key, in a topic
// and in a broken message, through both ways in, and some as client ids.
func (a *aviary) plant(at time.Time) {
	a.T.Helper()
	stamp := at.Format(time.RFC3339)
	for way, addr := range []string{a.broker.Addr, a.listen} {
		link := harness.Publisher(a.T, addr, "planter")
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
			a.T.Fatal(err)
		}
	}
}

// listenIn collects feedback of all sensors.
func (a *aviary) listenIn() {
	a.T.Helper()
	conn := harness.DialRaw(a.T, a.broker.Addr, "listener-in")
	p := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	p.Topics, p.Qoss, p.MessageID = []string{"city/v1/+/+/feedback"}, []byte{0}, 1
	conn.Put(p)
	go func() { _, _ = ReadFrom(a.feedback, conn) }()
}

// ReadFrom collects what a connection says.
func ReadFrom(o *harness.Output, c interface{ Read([]byte) (int, error) }) (int64, error) {
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
func (a *aviary) gather(processes ...*harness.Process) []byte {
	a.T.Helper()
	var said bytes.Buffer
	for _, u := range []string{
		a.Admin + "/metrics", a.Admin + "/healthz", a.Admin + "/readyz", a.Admin + "/debug/sensors",
		a.Opendata + "/", a.Opendata + "/sensors",
		a.Opendata + "/privacy",
		a.Opendata + "/api/v1/streams", a.Opendata + "/api/v1/sensors", a.Opendata + "/api/v1/ledger",
		a.Opendata + "/api/v1/decisions",
		a.Opendata + "/api/v1/streams/devices/observations?limit=1000",
		a.Opendata + "/api/v1/streams/traffic/observations?format=csv", a.Opendata + "/streams/devices",
		a.Opendata + "/api/v1/streams/devices/observations?cell=" + url.QueryEscape(a.list[0]),
	} {
		if resp, err := harness.HTTPGet(u); err == nil {
			said.Write(resp)
		}
	}
	harness.Files(a.T, a.Dir, &said)
	if a.db != nil {
		for _, q := range []string{"SELECT * FROM /.*/", "SHOW SERIES"} {
			resp, err := harness.HTTPGet(a.db.Url + "/query?db=city&q=" + url.QueryEscape(q))
			if err != nil || a.released && !bytes.Contains(resp, []byte("sim_")) {
				a.T.Errorf("InfluxDB does not say what it has: %v %.200s", err, resp)
			}
			said.Write(resp)
		}
		harness.Files(a.T, filepath.Dir(a.db.Conf), &said)
		processes = append(processes, a.db.P)
	}
	for _, p := range append(processes, a.broker.P) {
		said.WriteString(p.Out.String() + p.Err.String())
	}
	said.WriteString(a.feedback.String())
	return said.Bytes()
}

// life is one run through everything: canaries planted, a kill, releases,
// feedback, SIGQUIT. It returns what was written and said.
func (a *aviary) life(fault string) []byte {
	a.T.Helper()
	a.fly(fault)
	a.Serve()
	a.Mqtt = a.broker.Addr
	a.Connect()
	a.listenIn()
	a.BrokerUp(true)
	a.Tick(harness.Ten)
	a.At(harness.Ten)
	a.plant(harness.Ten)
	first := a.Gateway
	said := a.gather(first)
	a.Gateway.Kill()
	a.fly(fault)
	a.BrokerUp(true)
	a.plant(harness.Ten.Add(time.Minute)) // much of it again, in the middle of which:
	harness.Await(a.T, 30*time.Second, "feedback", func() bool {
		return strings.Contains(a.feedback.String(), `"codes"`)
	})
	a.Tick(harness.Ten.Add(2 * time.Hour))
	a.At(harness.Ten.Add(2 * time.Hour))
	a.Stored()
	a.released = true
	said = append(said, a.gather(first, a.Gateway)...)
	second := a.Gateway
	if err := second.Cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		a.T.Fatal(err)
	}
	err := <-second.Done
	second.Done <- err
	if code := second.Cmd.ProcessState.ExitCode(); code != 70 ||
		!strings.Contains(second.Err.String(), "ingest.(*Ingest).run(...)") {
		a.T.Errorf("SIGQUIT gave exit code %d and\n%s", code, harness.Tail(second.Err.String()))
	}
	return append(said, second.Err.String()...)
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
	bin := harness.WithFaults(t)
	for attempt := range 2 {
		a := newAviary(t, bin, uint64(time.Now().UnixNano()), true)
		said := a.life("")
		if !bytes.Contains(said, []byte(`"status":"published"`)) {
			t.Fatal("nothing was published, so nothing could show")
		}
		found := harness.NewSieve(a.list).Catch(said)
		if len(found) == 0 {
			return
		}
		sure := false
		for _, f := range found {
			t.Logf("attempt %d: %s", attempt+1, f)
			sure = sure || f.Sure
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
	bin := harness.WithFaults(t)
	for _, leak := range []string{"log line", "label", "file", "error text", "hash", "encoded"} {
		t.Run(leak, func(t *testing.T) {
			t.Parallel()
			a := newAviary(t, bin, 7, false)
			a.fly(leak)
			a.Serve()
			a.Mqtt = a.broker.Addr
			a.Connect()
			a.listenIn()
			a.Tick(harness.Ten)
			a.Link.Publish("city/v1/acme/"+a.list[0]+"/up", fmt.Appendf(nil, `{"fields":{"device":%q}}`, a.list[0]),
				false)
			if err := a.Link.Flush(); err != nil {
				t.Fatal(err)
			}
			a.Received(1)
			if found := harness.NewSieve(a.list[:8]).Catch(a.gather(a.Gateway)); len(found) == 0 {
				t.Error("the leak was not found")
			}
		})
	}
}

// TestAdminPanicsSayNothing: a bug behind an admin address costs one answer, not
// the process, and says nothing either.
func TestAdminPanicsSayNothing(t *testing.T) {
	t.Parallel()
	bin := harness.WithFaults(t)
	for fault, path := range map[string]string{"in metrics": "/metrics", "in readyz": "/readyz"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			c := harness.Found(t, harness.Small())
			p := harness.StartWith(t, []string{harness.FaultVariable + "=" + fault}, bin, "gateway", "-c",
				filepath.Join(c.Dir, "gateway.yaml"))
			admin := "http://" + p.Find(`the gateway runs.*admin=(\S+)`)[1]
			harness.Await(t, harness.Patience, "the gateway to have something to count", func() bool {
				_, _, body := harness.Get(t, admin+path)
				return !strings.Contains(string(body), "the gateway starts")
			})
			for range 2 {
				status, _, body := harness.Get(t, admin+path)
				if status != 500 || strings.Contains(string(body), "Rambla") {
					t.Errorf("%s gives %d %s", path, status, body)
				}
			}
			if status, _, _ := harness.Get(t, admin+"/healthz"); status != 200 ||
				strings.Contains(p.Err.String(), "Rambla") {
				t.Errorf("after it healthz gives %d, and the log says\n%s", status, p.Err.String())
			}
		})
	}
}

// TestPanicsSayNothing lets each stage of a reading's life panic with what it
// holds. The process ends with 70 and says where, and not what.
func TestPanicsSayNothing(t *testing.T) {
	t.Parallel()
	bin := harness.WithFaults(t)
	for stage := range harness.Stages {
		if !strings.HasPrefix(stage, "panic ") {
			continue
		}
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			a := newAviary(t, bin, 9, false)
			a.fly(stage)
			a.Mqtt = a.broker.Addr
			if strings.HasSuffix(stage, "listener") {
				a.Mqtt = a.listen
			}
			// What is sent before the gateway has subscribed would be nobody's. Some
			// stages do not live to see it.
			harness.Await(t, 20*time.Second, "the broker, or the end", func() bool {
				return strings.Contains(a.Gateway.Err.String(), "the broker is there") || a.Gateway.Ended()
			})
			conn := harness.DialRaw(t, a.Mqtt, "sender")
			p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
			p.Qos = 1
			send := func(id uint16, topic, payload string) {
				p.MessageID, p.TopicName, p.Payload = id, topic, []byte(payload)
				_ = p.Write(conn) // the gateway may be gone
			}
			send(1, harness.ClockTopic, harness.Ten.Format(time.RFC3339))
			send(2, "city/v1/acme/wifi-1/hb",
				fmt.Sprintf(`{"ts":%q,"every":"PT60S"}`, harness.Ten.Format(time.RFC3339)))
			send(3, "city/v1/acme/wifi-1/up",
				fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"device":%q,"rssi":-50,"note":%q}}`,
					harness.Ten.Format(time.RFC3339),
					a.list[0], a.list[1]))
			send(4, "city/v1/acme/"+a.list[3]+"/up", "{}")
			send(5, harness.ClockTopic, harness.Ten.Add(2*time.Hour).Format(time.RFC3339))
			select {
			case err := <-a.Gateway.Done:
				a.Gateway.Done <- err
			case <-time.After(harness.Patience):
				t.Fatal("the process goes on")
			}
			text := a.Gateway.Err.String()
			if code := a.Gateway.Cmd.ProcessState.ExitCode(); code != 70 ||
				!strings.Contains(text, "this is a bug of ours (string)") || !strings.Contains(text, ".go:") {
				t.Errorf("it ended with %d and said\n%s", code, harness.Tail(text))
			}
			if found := harness.NewSieve(a.list[:8]).Catch(a.gather(a.Gateway)); len(found) > 0 {
				t.Errorf("it says who: %v", found)
			}
		})
	}
}
