package main

import (
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// count is a subscriber at QoS 1 that does nothing but count.
func count(broker string) {
	var n atomic.Int64
	o := paho.NewClientOptions().AddBroker("tcp://" +
		broker).SetClientID("counter").SetCleanSession(false).SetOrderMatters(true)
	c := paho.NewClient(o)
	if t := c.Connect(); t.Wait() && t.Error() != nil {
		fmt.Println(t.Error())
		os.Exit(1)
	}
	if t := c.Subscribe("city/v1/#", 1, func(paho.Client, paho.Message) { n.Add(1) }); t.Wait() && t.Error() != nil {
		fmt.Println(t.Error())
		os.Exit(1)
	}
	fmt.Println("ready")
	for n.Load() < readings {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond) // the last acknowledgements go out
	fmt.Println("counted", n.Load())
	select {}
}

// empty is the embedded broker with a hook that does nothing.
func empty(addr string) {
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	err := s.AddHook(new(nothing), nil)
	if err == nil {
		err = s.AddListener(listeners.NewTCP(listeners.Config{ID: "t", Address: addr}))
	}
	if err == nil {
		err = s.Serve()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	select {}
}

type nothing struct{ mochi.HookBase }

func (*nothing) ID() string { return "nothing" }

func (*nothing) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck || b == mochi.OnPublish
}

func (*nothing) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

func (*nothing) OnACLCheck(*mochi.Client, string, bool) bool { return true }

func (*nothing) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) { return pk, nil }
