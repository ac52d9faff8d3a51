package opendata

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"sluice/books"
	"sluice/test/raced"
)

// TestBrokersShare: the brokers of as many cities as there may be take no more connections together than one does, so
// that they leave files for HTTP.
func TestBrokersShare(t *testing.T) {
	raced.Skip(t)
	cfg, shelves := Config{HTTP: "127.0.0.1:0"}, make([]Shelf, MaxCities)
	for n := range shelves {
		c := City{City: fmt.Sprint("c", n)}
		c.MQTT.WebSocket = true
		cfg.Books.Cities, shelves[n] = append(cfg.Books.Cities, c), Shelf{fault{}, books.Dir(t.TempDir())}
	}
	s, err := OpenSeveral(cfg, shelves, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()) }()
	t.Cleanup(func() { <-ended })
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}, HandshakeTimeout: 20 * time.Second}
	for n := range connections/MaxCities + 1 {
		c, resp, err := d.Dial("ws://"+s.Addr()+"/c/c0/mqtt", nil)
		if err == nil {
			defer c.Close()
		}
		if n < connections/MaxCities {
			if err != nil {
				t.Fatalf("connection %d of one city: %v", n+1, err)
			}
		} else if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("connection %d of one city: %v", n+1, err)
		}
	}
}
