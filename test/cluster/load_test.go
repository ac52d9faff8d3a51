package cluster

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"sluice/test/harness"
)

// onTheirWay is how many publications of one sender wait for their PUBACK at most: somewhat fewer than a listener
// bears.
const onTheirWay = 1000

// sender is a client that writes MQTT 3.1.1 by hand, to leave the CPU to those who are measured.
type sender struct{ net.Conn }

// senders connects so many to each of the fronts.
func senders(t *testing.T, each int, fronts ...string) (list []sender) {
	t.Helper()
	for _, addr := range fronts {
		for n := range each {
			conn, err := net.Dial("tcp", addr)
			harness.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			id := fmt.Sprint("sensor-", n)
			hello := []byte{0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, byte(len(id))}
			_, err = conn.Write(append(hello, id...))
			harness.NoError(t, err)
			_, err = io.ReadFull(conn, make([]byte, 4))
			harness.NoError(t, err)
			list = append(list, sender{conn})
		}
	}
	return list
}

// counters are the sensors of a crowd.
const counters = 50

// withCounters is small with them.
func withCounters() map[string]string {
	files := small()
	for n := range counters {
		files["register.yaml"] += fmt.Sprintf(
			"  - {id: counter-%d, owner: acme, kind: wifi-counter, zone: square, registered: 2026-01-01}\n", n)
	}
	return files
}

// pour sends readings of so many devices, each a message of 240 bytes, over all connections, and waits until all are
// acknowledged. Seq goes up from a first one.
func pour(t *testing.T, list []sender, first, readings, devices int) {
	t.Helper()
	at := ten.Add(4 * time.Minute).Format(time.RFC3339)
	var all sync.WaitGroup
	for l, s := range list {
		all.Go(func() {
			err := s.send((readings-l+len(list)-1)/len(list), func(n int, to []byte) (int, []byte) {
				n = first + n*len(list) + l
				return n % counters, fmt.Appendf(to,
					`{"ts":%q,"seq":%d,"fields":{"device":"crowd-%d","rssi":-50,"note":"%0140d"}}`, at, n/counters,
					n%devices, n)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// send publishes n readings, as fast as they are acknowledged, and returns when all are. Each is written behind to.
func (s sender) send(n int, reading func(n int, to []byte) (sensor int, text []byte)) error {
	slots, failed := make(chan struct{}, onTheirWay), make(chan error, 1)
	go func() { failed <- s.acknowledged(n, slots) }()
	w := bufio.NewWriterSize(s, 64<<10)
	var text, topic, head []byte
	for i := range n {
		select {
		case slots <- struct{}{}:
		default:
			if err := w.Flush(); err != nil {
				return err
			}
			select {
			case slots <- struct{}{}:
			case err := <-failed:
				return fmt.Errorf("readings are not acknowledged: %w", err)
			}
		}
		var sensor int
		sensor, text = reading(i, text[:0])
		topic = fmt.Appendf(topic[:0], "city/v1/acme/counter-%d/up", sensor)
		head = binary.AppendUvarint(append(head[:0], 0x32), uint64(2+len(topic)+2+len(text)))
		head = append(binary.BigEndian.AppendUint16(head, uint16(len(topic))), topic...)
		head = binary.BigEndian.AppendUint16(head, uint16(i%65_000)+1)
		if _, err := w.Write(append(head, text...)); err != nil {
			return err
		}
	}
	return errors.Join(w.Flush(), <-failed)
}

// acknowledged reads n PUBACKs.
func (s sender) acknowledged(n int, slots <-chan struct{}) error {
	r := bufio.NewReader(s)
	b := make([]byte, 4)
	for range n {
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		if b[0] != 0x40 {
			return errors.New("the gateway has sent what is no PUBACK")
		}
		<-slots
	}
	return nil
}
