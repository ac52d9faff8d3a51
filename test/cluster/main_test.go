// Package cluster tests with the real programs how several machines are one city: gateways that share three
// nats-servers, each with its own roles, of which any may die.
package cluster

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
