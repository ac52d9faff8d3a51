package listener

import "testing"

// TestEndingAsksForNoLockTwice: the library's own way to end the clients of a listener locks
// its list for reading twice (Clients.GetByListener of mochi-mqtt 2.7.9), and waits for ever
// when somebody who leaves asks to write in between. So it is not used, and all clients are
// ended all the same.
func TestEndingAsksForNoLockTwice(t *testing.T) {
	s := open(t, Config{})
	var sensors []*sensor
	for _, id := range []string{"a", "b", "c"} {
		c := s.dial()
		c.send(hello(5, 2, id, "", ""))
		c.want(0x20)
		sensors = append(sensors, c)
	}
	d, ok := s.l.server.Listeners.Get("mqtt")
	if !ok {
		t.Fatal("there is no listener")
	}
	d.Close(func(string) { t.Error("the library's way to end clients is used") })
	for _, c := range sensors {
		// DISCONNECT, server shutting down (MQTT 5 section 3.14.2.1)
		if body := c.want(0xe0); len(body) == 0 || body[0] != 0x8b {
			t.Errorf("it ended with %x", body)
		}
	}
}
