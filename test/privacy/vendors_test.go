package privacy

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/vendors"
)

// TestVendorCanaries sends the messages of all folders to a gateway that says all it can, the hostile ones among them:
// none of their canaries, and no identity of a device, is in any byte that it writes or says.
func TestVendorCanaries(t *testing.T) {
	t.Parallel()
	folders := vendors.Folders(t)
	bin := harness.WithFaults(t) // which has feedback sooner
	files := harness.Small()
	vendors.Settle(files, folders)
	c := harness.Found(t, files)
	for _, file := range []string{"gateway.yaml", "opendata.yaml"} {
		harness.AppendTo(t, filepath.Join(c.Dir, file), "log: {level: debug}\n")
	}
	c.Gateway = harness.Start(t, bin, "gateway", "-c", filepath.Join(c.Dir, "gateway.yaml"))
	c.Admin = "http://" + c.Gateway.Find(`the gateway runs.*admin=(\S+)`)[1]
	c.Serve()
	c.Connect()
	c.Tick(harness.Ten.Add(10 * time.Minute))
	heard := harness.Listen(t, c.Mqtt, "city/v1/+/+/feedback")
	var list []string
	for _, f := range folders {
		list = append(list, f.Canaries()...)
		if len(f.Device) >= 8 { // shorter ones are words
			list = append(list, f.Device)
		}
		for _, m := range f.Messages {
			c.Link.Publish(m.Topic, m.Body, false)
		}
	}
	harness.NoError(t, c.Link.Flush())
	harness.Await(t, harness.Patience, "feedback", func() bool { return strings.Contains(heard.String(), `"codes"`) })
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()

	var said bytes.Buffer
	harness.Files(t, filepath.Join(c.Dir, "state"), &said)
	for _, u := range []string{
		c.Admin + "/metrics", c.Admin + "/healthz", c.Admin + "/readyz", c.Admin + "/debug/sensors",
		c.Opendata + "/", c.Opendata + "/sensors",
		c.Opendata + "/api/v1/sensors", c.Opendata + "/api/v1/streams", c.Opendata + "/api/v1/decisions",
		c.Opendata + "/api/v1/streams/ttn-v3/observations", c.Opendata + "/api/v1/streams/openmqttgateway/observations",
	} {
		body, err := harness.HTTPGet(u)
		harness.NoError(t, err)
		said.Write(body)
	}
	built := lookedAt(c, folders)
	if bytes.Count(built, []byte(`"sensor":null`)) < 10 {
		t.Errorf("of what fits no sensor a technician is shown %s", built)
	}
	said.WriteString(c.Gateway.Out.String() + c.Gateway.Err.String() + heard.String())
	if !bytes.Contains(said.Bytes(), []byte(`"status":"published"`)) {
		t.Error("nothing was published, so nothing could show")
	}
	for _, x := range list {
		if bytes.Contains(built, []byte(x)) && x != "canary" { // a plain word is a key like any other (decision 43)
			t.Errorf("%q shows in a structure", x)
		}
		if at := bytes.Index(said.Bytes(), []byte(x)); at >= 0 {
			t.Errorf("%q shows: %q", x, said.Bytes()[max(0, at-60):min(said.Len(), at+60)])
		}
	}
}

// lookedAt is how a technician is shown all messages, which come again and again meanwhile where
// no sensor is registered.
func lookedAt(c *harness.City, folders []vendors.Folder) []byte {
	c.T.Helper()
	structures := make(chan []byte, 1)
	go func() {
		body, _ := harness.HTTPGet(c.Admin + "/debug/structures?seconds=3")
		structures <- body
	}()
	for {
		for _, f := range folders {
			for _, m := range f.Messages {
				c.Link.Publish("nobody/"+m.Topic, m.Body, false)
			}
		}
		harness.NoError(c.T, c.Link.Flush())
		select {
		case built := <-structures:
			return built
		default:
		}
	}
}
