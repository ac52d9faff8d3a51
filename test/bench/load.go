package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// inFlight bounds publications without their PUBACK.
const inFlight = 2000

// at is the hour in which all readings are.
var at = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// load publishes n readings, as fast as they are acknowledged or at a rate, and
// returns when all are. It writes MQTT 3.1.1 by hand to leave the CPU to others.
func load(addr string, n, rate int, of func(int) (sensor int, payload []byte)) error {
	conn, err := dial(addr, "load")
	if err != nil {
		return err
	}
	defer conn.Close()
	slots := make(chan struct{}, inFlight)
	failed := make(chan error, 1)
	go func() { failed <- acks(conn, n, slots) }()
	w := bufio.NewWriterSize(conn, 32<<10)
	begun := time.Now()
	for i := range n {
		if rate > 0 && i%100 == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
			time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		}
		select {
		case slots <- struct{}{}:
		default:
			if err := w.Flush(); err != nil {
				return err
			}
			select {
			case slots <- struct{}{}:
			case err := <-failed:
				return errors.Join(errors.New("the load was not acknowledged"), err)
			}
		}
		sensor, payload := of(i)
		topic := fmt.Sprintf("city/v1/bench/counter-%d/up", sensor)
		if _, err := w.Write(publish(uint16(i%65000)+1, topic, payload)); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return <-failed
}

// acks reads n PUBACKs.
func acks(conn net.Conn, n int, slots <-chan struct{}) error {
	r := bufio.NewReader(conn)
	b := make([]byte, 4)
	for range n {
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		if b[0] != 0x40 {
			return errors.New("the broker sent what is no PUBACK")
		}
		<-slots
	}
	return nil
}

func dial(addr, id string) (net.Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	connect := append([]byte{0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, byte(len(id))}, id...)
	if _, err := conn.Write(connect); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
		return nil, err
	}
	return conn, nil
}

func publish(id uint16, topic string, payload []byte) []byte {
	b := make([]byte, 0, 8+len(topic)+len(payload))
	b = append(b, 0x32)
	b = binary.AppendUvarint(b, uint64(2+len(topic)+2+len(payload)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(topic)))
	b = append(b, topic...)
	b = binary.BigEndian.AppendUint16(b, id)
	return append(b, payload...)
}

// few is the nth reading: of another device each time, and again after all have come.
func few(n int) (sensor int, payload []byte) { return n % sensors, reading(n, n%people) }

// many is the same of a million devices, every second of which comes again at a
// sensor in the other zone.
func many(n int) (sensor int, payload []byte) {
	return (n + n/million) % sensors, reading(n, n%million)
}

func reading(n, who int) []byte {
	b := fmt.Appendf(nil,
		`{"ts":"2026-03-02T10:%02d:%02d.%03dZ","seq":%d,"fields":{"device":"02:00:5e:%02x:%02x:%02x",`+
			`"rssi":-%d,"channel":11,"vendor":"Example Devices of the Street Ltd.",`+
			`"frame":"probe request","level":12.5}}`,
		n/sensors/1000/60%14, n/sensors/1000%60, n/sensors%1000, n/sensors, who>>16, who>>8&0xff, who&0xff, 40+who%40)
	for len(b) < 250 {
		b = append(b, ' ')
	}
	return b
}

// tick sets the gateway's clock past all readings, within what is not late.
func tick(addr string) error {
	conn, err := dial(addr, "clock")
	if err != nil {
		return err
	}
	defer conn.Close()
	tick := at.Add(14 * time.Minute).Format(time.RFC3339)
	if _, err := conn.Write(publish(1, "bench/clock", []byte(tick))); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 4))
	return err
}
