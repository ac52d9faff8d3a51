package bench

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Note is what the gateway told the device: a code, where, how often, and what to do.
type Note struct {
	Code    string `json:"code"`
	Pointer string `json:"pointer"`
	Count   int64  `json:"count"` // at least
	Fix     string `json:"fix"`
}

// place is what notes are added up by.
type place struct{ code, pointer string }

// maxNotes bounds how many places are told apart: as many codes as there are, at each field of a kind.
const maxNotes = 2000

// listen reads the device's feedback, as the device could: over MQTT, with its own password.
func (b *Bench) listen() error {
	topic := b.Sensor.FeedbackTopic()
	heard := make(chan error, 1)
	o := mqtt.NewClientOptions().AddBroker("tcp://" + b.MQTT()).SetClientID("bench-ear").SetUsername(b.Sensor.ID).
		SetPassword(b.Password).SetAutoReconnect(true).SetOnConnectHandler(func(c mqtt.Client) {
		token := c.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { b.hear(m.Payload()) })
		<-token.Done()
		select {
		case heard <- token.Error():
		default: // it was cut off, and connected again
		}
	})
	b.ear = mqtt.NewClient(o)
	b.ear.Connect()
	select {
	case err := <-heard:
		return err
	case <-time.After(10 * time.Second):
		return errors.New("the bench's own gateway does not answer")
	}
}

// hear adds one message of feedback.
func (b *Bench) hear(payload []byte) {
	var message struct {
		Codes []Note `json:"codes"`
	}
	if json.Unmarshal(payload, &message) != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range message.Codes {
		at := place{n.Code, n.Pointer}
		old, known := b.notes[at]
		if !known && len(b.notes) == maxNotes {
			continue
		}
		n.Count += old.Count
		b.notes[at] = n
	}
}

// Notes are all notes until now, by code and pointer.
func (b *Bench) Notes() []Note {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Values(b.notes), func(x, y Note) int {
		return cmp.Or(cmp.Compare(x.Code, y.Code), cmp.Compare(x.Pointer, y.Pointer))
	})
}
