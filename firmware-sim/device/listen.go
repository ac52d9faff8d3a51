package device

import (
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Listen subscribes to a topic, such as a sensor's feedback, and calls a function with each payload,
// in a goroutine of its own. It fails if the broker refuses, or does not answer in 15 seconds.
func (l *Link) Listen(topic string, take func(payload []byte)) error {
	t := l.client.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { take(m.Payload()) })
	if !t.WaitTimeout(15*time.Second) || t.Error() != nil {
		return fmt.Errorf("subscribing to %s: %w", topic, orTimeout(t.Error()))
	}
	return nil
}
