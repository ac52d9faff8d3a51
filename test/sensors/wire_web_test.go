package sensors

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	mqtt "github.com/eclipse/paho.mqtt.golang"

	"sluice/test/harness"
)

// TestWireWebSocket connects by WebSocket with clients of MQTT 3.1.1 and 5 that are not ours, in
// the clear and by TLS.
func TestWireWebSocket(t *testing.T) {
	t.Parallel()
	documented(t, "Where the city says so, by WebSocket as well, `ws://` or `wss://` with any path: the subprotocol "+
		"is `mqtt`, frames are binary, and extensions are not used.",
		"| a WebSocket's origin | none, or the address itself |")
	for name, secured := range map[string]bool{"in the clear": false, "by TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := harness.Found(t, harness.Small())
			secrets := c.Passwords()
			web, scheme, more := harness.FreeAddr(t), "ws", ""
			var trust *tls.Config
			if secured {
				ca := harness.NewAuthority(t, c.Dir)
				ca.Issue("server", "localhost")
				ca.Issue("gate", "gate-1")
				scheme, more = "wss", ", tls: {cert: server.crt, key: server.key, client_ca: ca.crt}"
				trust = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the server's is of this test
			}
			c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
				fmt.Sprintf("listen: {websocket: %q, passwords: passwords%s}", web, more))
			c.Edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
			c.Run()
			c.Gateway.Find(`the gateway runs.*websocket=` + web)
			const topic, reading = "city/v1/acme/gate-1/up", `{"fields":{"passed":1}}`

			_, port, _ := strings.Cut(web, ":")
			old := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(scheme + "://localhost:" + port + "/any/path").
				SetClientID("old").SetUsername("gate-1").SetPassword(secrets["gate-1"]).SetTLSConfig(trust).
				SetHTTPHeaders(http.Header{"Origin": {"http://localhost:" + port}})) // as Python's paho does
			if token := old.Connect(); !token.WaitTimeout(harness.Patience) || token.Error() != nil {
				t.Fatal(token.Error())
			}
			defer old.Disconnect(100)
			if token := old.Publish(topic, 1, false, reading); !token.WaitTimeout(harness.Patience) ||
				token.Error() != nil {
				t.Fatal(token.Error())
			}
			f := fiveOver(t, harness.WebSocket(t, scheme+"://"+web, trust),
				&paho.Connect{Username: "gate-1", Password: []byte(secrets["gate-1"])})
			if code, why := f.told(topic, reading); code != 0 || why != "" {
				t.Errorf("it is told %#x %q", code, why)
			}
			if code, why := f.told("city/v1/acme/wifi-1/up", reading); code != 0x87 || !strings.HasPrefix(why, "E003") {
				t.Errorf("of another's topic it is told %#x %q", code, why)
			}
			c.Received(3)
			c.Codes(map[string]float64{"E003": 1})

			if secured {
				own, err := tls.LoadX509KeyPair(filepath.Join(c.Dir, "gate.crt"), filepath.Join(c.Dir, "gate.key"))
				harness.NoError(t, err)
				shows := trust.Clone()
				shows.Certificates = []tls.Certificate{own}
				f := fiveOver(t, harness.WebSocket(t, scheme+"://"+web, shows), &paho.Connect{})
				for at, want := range map[string]byte{topic: 0, "city/v1/acme/wifi-1/up": 0x87} {
					if code, why := f.told(at, reading); code != want {
						t.Errorf("by its certificate it is told %#x %q of %s", code, why, at)
					}
				}
			}

			page := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(scheme + "://localhost:" + port).
				SetUsername("gate-1").SetPassword(secrets["gate-1"]).SetTLSConfig(trust).SetConnectRetry(false).
				SetHTTPHeaders(http.Header{"Origin": {"https://evil.example"}}))
			if token := page.Connect(); !token.WaitTimeout(harness.Patience) || token.Error() == nil {
				t.Error("a page of another site comes in")
				page.Disconnect(100)
			}
			c.Adds()
		})
	}
}

// TestWireWebSocketOfATown: up says where sensors connect by WebSocket, and they do.
func TestWireWebSocketOfATown(t *testing.T) {
	t.Parallel()
	d := harness.StartDemo(t, t.TempDir(), "--websocket", "127.0.0.1:0")
	url := d.Find(`"websocket":"(ws://[^"]+)"`)[1]
	d.Find(`"event":"replayed"`)
	f := fiveOver(t, harness.WebSocket(t, url, nil), &paho.Connect{})
	if code, why := f.told("city/v1/demo/yours-noise/up", `{"fields":{"laeq":"loud"}}`); code != 0x99 ||
		why != "E101 /fields/laeq: send the type that the kind names: numbers as numbers, not as text" {
		t.Errorf("it is told %#x %q", code, why)
	}
	if code, why := f.told("city/v1/demo/yours-noise/up", `{"fields":{"laeq":71.5}}`); code != 0 || why != "" {
		t.Errorf("it is told %#x %q", code, why)
	}
	addr := strings.TrimPrefix(url, "ws://")
	endless := harness.DialWire(t, addr)
	endless.Send([]byte("GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 4<<10)))
	if took := endless.CutOff(8 * time.Second); took > harness.Longer(8*time.Second) {
		t.Errorf("a request of more than 4 KiB is cut off after %s", took)
	}
	w := harness.DialWire(t, addr)
	w.Send([]byte("GET / HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Origin: http://evil.example\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Protocol: mqtt\r\n\r\n"))
	answer := make([]byte, 13)
	harness.NoError(t, w.SetReadDeadline(time.Now().Add(harness.Patience)))
	if _, err := w.Read(answer); err != nil || !bytes.Equal(answer, []byte("HTTP/1.1 403 ")) {
		t.Errorf("a name that was made to lead here is answered %q (%v)", answer, err)
	}
}
