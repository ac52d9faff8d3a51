package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
)

// looking is a look that has begun.
func looking(i *Ingest) *look {
	i.shapes.now = &look{forms: make(map[string]Form), alike: make(map[string]int), until: time.Now().Add(time.Hour)}
	return i.shapes.now
}

// canaries are values, addresses, plates and names that no structure may hold.
var canaries = []string{"3141592653", "02005e100001", "02-00-5e-10-00-01", "1234BCD", "1234-BCD", "AB123CD", "anna@",
	"deadbeef", "rue", "elsewhere"}

// TestUnfitShapes: of what fits no sensor, and of what a sensor sends in another shape, a look
// shows how it is built, once, and no value, key that is data, or name in a topic.
func TestUnfitShapes(t *testing.T) {
	v := newTown(t, tmpfs(t))
	defer v.i.journal.log.Close()
	v.sends("scan-a", `no look, no structure`)
	l := looking(v.i)
	send := func(topic, payload string) {
		v.now = v.now.Add(time.Second)
		v.i.reception.dispatch(&intake.Message{Topic: topic, Payload: []byte(payload), Received: v.now})
	}
	for n := range 3 {
		send(fmt.Sprintf("rue/02005e10000%d/elsewhere", n), `{"battery":3141592653,"uptime":1,"plate_1234BCD":{"tag":"1234-BCD"},`+
			`"seen":{"02005e100001":[{"rssi":-1}],"02-00-5e-10-00-01":[]},"AB123CD":"anna@city.example"}`)
	}
	send("rue/deadbeef", "1234BCD")
	send("rue/deadbeef", "\xa1\x67battery\x18\x64")
	v.sends("scan-a", `{"fields":{"device":"1234BCD","rssi":"3141592653"}}`)
	v.now = v.now.Add(time.Second)
	v.sends("scan-a", `[{"fields":{"device":"x","rssi":"1"}},{"fields":{"device":"y","rssi":"2"}}]`)
	v.sends("scan-a", `{"fields":{"device":"1234BCD","rssi":1000}}`) // E202: its shape is right
	v.sends("home-1", `{"fields":{"device":"1234BCD","rssi":"3141592653"}}`)
	got := ""
	for _, f := range l.forms {
		got += fmt.Sprintf("%+v\n", f)
	}
	for _, want := range []string{
		"{Sensor: Code:E001 Levels:3 Format:json Values:[{Pointer:/* Type:string} {Pointer:/*/tag Type:string} " +
			"{Pointer:/battery Type:number} {Pointer:/seen/* Type:array} {Pointer:/seen/*/0/rssi Type:number} " +
			"{Pointer:/uptime Type:number}] More:false}",
		"{Sensor: Code:E001 Levels:2 Format:other Values:[] More:false}",
		"{Sensor: Code:E001 Levels:2 Format:cbor Values:[{Pointer:/battery Type:number}] More:false}",
		"{Sensor:scan-a Code:E101 Levels:5 Format:json Values:[{Pointer:/fields/device Type:string} " +
			"{Pointer:/fields/rssi Type:string}] More:false}",
		"{Sensor:scan-a Code:E101 Levels:5 Format:json Values:[{Pointer:/0/fields/device Type:string} " +
			"{Pointer:/0/fields/rssi Type:string}] More:false}",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("there is no\n%s in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\n"); n != 5 || l.more {
		t.Errorf("%d forms, more: %v", n, l.more)
	}
	for _, c := range canaries {
		if strings.Contains(got, c) {
			t.Errorf("%s is shown in\n%s", c, got)
		}
	}
}

// TestLooksAreBounded: a flood of what is unknown is looked at a hundred times, fifty forms, eight
// MiB.
func TestLooksAreBounded(t *testing.T) {
	v := newTown(t, tmpfs(t))
	defer v.i.journal.log.Close()
	send := func(n int, topic, payload string) {
		m := &intake.Message{Topic: topic, Payload: []byte(payload), Received: v.now.Add(time.Duration(n))}
		v.i.reception.dispatch(m)
	}
	l := looking(v.i)
	for n := range 1000 {
		send(n, "a/b", "7")
	}
	if !l.more || l.bytes != 1000 || len(l.forms) != 1 {
		t.Errorf("%d forms of %d bytes, more: %v", len(l.forms), l.bytes, l.more)
	}
	l = looking(v.i)
	for n := range 100 {
		send(n, "a"+strings.Repeat("/b", n), "7")
	}
	if !l.more || len(l.forms) != maxForms {
		t.Errorf("%d forms, more: %v", len(l.forms), l.more)
	}
	l = looking(v.i)
	long := `"` + strings.Repeat("x", 1<<20) + `"`
	for n := range 20 {
		send(n, "a/b", long)
	}
	if !l.more || len(l.forms) != 1 {
		t.Errorf("%d forms, more: %v", len(l.forms), l.more)
	}
	l.until = time.Time{}
	v.i.shapes.expire()
	if v.i.shapes.now != nil {
		t.Error("a look that nobody ends goes on")
	}
}

// TestStructures: a look ends with its time or with whoever looks, is one at a time, and leaves
// nothing behind.
func TestStructures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := still(t, footfall(t, 1))
		ended := make(chan struct{})
		go func() { // ingest's goroutine
			defer close(ended)
			for l := range i.shapes.takes {
				i.shapes.now = l
				i.shapes.unfit(&intake.Message{Topic: "a/b", Payload: []byte("7")}, nil, fault.New(fault.UnknownTopic))
			}
		}()
		begun := time.Now()
		first := make(chan *Structures)
		go func() {
			s, _ := i.Structures(t.Context(), time.Hour)
			first <- s
		}()
		synctest.Wait()
		if _, err := i.Structures(t.Context(), time.Second); !errors.Is(err, ErrLooking) {
			t.Errorf("somebody else who looks is told %v", err)
		}
		if s := <-first; len(s.Forms) != 1 || time.Since(begun) != MaxLook {
			t.Errorf("after %v: %+v", time.Since(begun), s)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if _, err := i.Structures(ctx, MaxLook); err == nil {
			t.Error("who looks no more is answered")
		}
		close(i.shapes.takes)
		<-ended
		if i.shapes.now != nil {
			t.Error("a look that has ended goes on")
		}
	})
}
