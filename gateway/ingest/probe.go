package ingest

import (
	"context"

	"sluice/gateway/ingest/internal/mqtt"
)

// Probe is what a look at a broker found: a problem, empty for none, and whether
// a stranger without credentials can read or write there.
type Probe struct {
	Problem                       string
	StrangerReads, StrangerWrites bool
}

// LookAt tries a broker as the gateway and as a stranger. It takes no readings.
func LookAt(ctx context.Context, b Broker) Probe {
	p := mqtt.Look(ctx, mqtt.Config{
		Broker: b.URL, ClientID: b.ClientID, Username: b.Username, Password: b.Password, TLS: b.TLS,
		Marker: marker(b.ClientID), Shared: b.shares(),
	})
	return Probe{p.Problem, p.Reads, p.Writes}
}

// marker is the topic of a gateway's messages to itself.
func marker(clientID string) string { return "city/v1/" + clientID + "/marker" }
