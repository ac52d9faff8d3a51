package mqtt

import (
	"log/slog"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
)

func open(t *testing.T, broker string) *Client {
	t.Helper()
	return openWith(t, broker, slog.New(slog.DiscardHandler))
}

func openWith(t *testing.T, broker string, log *slog.Logger) *Client {
	t.Helper()
	c, err := Open(Config{
		Broker: broker, ClientID: "test", Topics: []string{"city/v1/#"}, Marker: "city/v1/test/marker",
		Queue: intake.New(),
		Now:   time.Now, Fail: func(err error) { t.Error(err) }, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNobodyThere(t *testing.T) {
	c := open(t, "tcp://127.0.0.1:1")
	time.Sleep(100 * time.Millisecond)
	if s := c.Status(); s.Up || s.Connection != 0 || s.Problem == "" {
		t.Errorf("without a broker the status is %+v", s)
	}
	if c.Publish("a", nil) == nil {
		t.Error("a publication went out to nobody")
	}
	c.Ack([]intake.Message{{QoS: 1, ID: 3}}) // of another way in
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestRefusedAddresses(t *testing.T) {
	for _, broker := range []string{"", "localhost:1883", "http://h", "tcp://", "::"} {
		if _, err := Open(Config{Broker: broker}); err == nil {
			t.Errorf("%q was taken for a broker", broker)
		}
	}
}
