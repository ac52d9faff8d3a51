package mqtt

import (
	"strconv"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// What mosquitto says of itself (mosquitto(8), "Broker status"): how many messages it
// has dropped since its start, of all clients, because a queue was full; and how long
// it has run. It says the first only when it has changed, and the second before it, at each
// interval: so what it has dropped is known as of one interval once it says the next.
const (
	topicDropped = "$SYS/broker/publish/messages/dropped"
	topicUptime  = "$SYS/broker/uptime"
	// longestWait is how long a broker may be waited for to say it anew: mosquitto's
	// sys_interval is 10 s where it is not set, and it takes two of a second more.
	longestWait = 30 * time.Second
)

// dropped is what is known of messages that the broker has dropped.
type dropped struct {
	mu      sync.Mutex
	offered bool      // the broker lets us read it; guarded by mu
	refused bool      // it has ended a connection that asked; guarded by mu
	begun   bool      // it has begun to say it on this connection; guarded by mu
	fresh   bool      // the number is of after the connection was made; guarded by mu
	number  int64     // guarded by mu
	said    int       // how often it was said to the end, on all connections; guarded by mu
	since   time.Time // when the connection was made; guarded by mu
}

// ask subscribes. A broker that has nothing of the kind refuses, or does not care; one
// that ends the connection is not asked again.
func (d *dropped) ask(client paho.Client, wait func(func() paho.Token) (paho.Token, error)) error {
	d.mu.Lock()
	refused := d.refused
	d.offered, d.begun, d.fresh, d.since = false, false, false, time.Now()
	d.mu.Unlock()
	if refused {
		return nil
	}
	token, err := wait(func() paho.Token {
		return client.SubscribeMultiple(map[string]byte{topicDropped: 0, topicUptime: 0}, nil)
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.refused = true
		return err
	}
	d.offered = true
	for _, qos := range token.(*paho.SubscribeToken).Result() {
		d.offered = d.offered && qos != 0x80
	}
	return nil
}

// take reads a message on one of the topics.
func (d *dropped) take(topic string, payload []byte, retained bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch topic {
	case topicUptime:
		if retained {
			return
		}
		if d.begun {
			d.fresh = true
			d.said++
		}
		d.begun = true
	case topicDropped:
		if n, err := strconv.ParseInt(string(payload[:min(len(payload), 20)]), 10, 64); err == nil && n >= 0 {
			d.number = n
		}
	}
}

// status is the number, how often it was said, whether it is of after the connection was made,
// and whether that is still to come.
func (d *dropped) status() (number int64, said int, known, waits bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// A broker that has never dropped anything does not say so.
	return d.number, d.said, d.offered && d.fresh, d.offered && !d.fresh && time.Since(d.since) < longestWait
}
