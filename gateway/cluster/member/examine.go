package member

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/settings"
)

// Looked is how the servers are, as far as a machine may see it.
type Looked struct {
	// Away are the servers that do not answer, HOST:PORT each.
	Away []string
	// Up is how many of those that the configuration names let this machine in.
	Up int
	// Findings are what is wrong with how they are set up.
	Findings []settings.Finding
}

const letIn = "mend cluster: ca, or name the seed's public half, U..., among the users of the servers, as " +
	"configs/nats.conf does"

// glance is how long one server has to answer.
const glance = 5 * time.Second

// Look connects as the machine would, to each server by itself, and looks at all of them and at these logs. It changes
// nothing. A finding about what cannot be seen while servers are away is left out.
func Look(ctx context.Context, c Config, single bool, logs []engine.Spec) Looked {
	l := c.Knock(ctx)
	if l.Up == 0 {
		return l
	}
	from := settings.Sources{Single: single, Logs: logs}
	for _, one := range []struct {
		file string
		conn **engine.Conn
	}{{"data.nk", &from.Data}, {"keys.nk", &from.Keys}, {"system.nk", &from.System}} {
		if _, err := os.Stat(c.file(one.file)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		reach := c.reach(one.file)
		reach.Patience = glance
		conn, err := engine.Dial(ctx, reach)
		if err != nil {
			l.Findings = append(l.Findings, settings.Finding{Of: one.file, What: err.Error(),
				Fix: letIn, Lost: errors.Is(err, engine.ErrRefused)})
			continue
		}
		defer conn.Close()
		*one.conn = conn
	}
	l.Findings = append(l.Findings, settings.Examine(ctx, from)...)
	return l
}

// Knock tries each server by itself.
func (c *Config) Knock(ctx context.Context) (l Looked) {
	errs := make([]error, len(c.NATS))
	var all sync.WaitGroup
	for i, address := range c.NATS {
		all.Go(func() {
			reach := c.reach("data.nk")
			reach.URLs, reach.Patience = []string{address}, glance
			conn, err := engine.Dial(ctx, reach)
			if errs[i] = err; err == nil {
				conn.Close()
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		host := strings.TrimPrefix(c.NATS[i], "tls://")
		switch {
		case err == nil:
			l.Up++
		case errors.Is(err, engine.ErrAway):
			l.Away = append(l.Away, host)
		default:
			l.Findings = append(l.Findings, settings.Finding{Of: host, What: err.Error(), Fix: letIn, Lost: true})
		}
	}
	return l
}

// Dial connects to the account for data, to look at what is there.
func (c *Config) Dial(ctx context.Context) (*engine.Conn, error) {
	reach := c.reach("data.nk")
	reach.Patience = glance
	return engine.Dial(ctx, reach)
}
