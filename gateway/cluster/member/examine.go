package member

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/settings"
	"sluice/perm"
)

// Looked is how the servers are, as far as a machine may see it.
type Looked struct {
	// Away are the servers that do not answer, HOST:PORT each.
	Away []string
	// Up is how many of those that the configuration names let this machine in.
	Up int
	// Findings are what is wrong with how they are set up.
	Findings []settings.Finding
	// Soon is what will be wrong with those that let this machine in.
	Soon []settings.Finding
}

// fix says how to mend that a server does not let this machine in with a file of its credentials; empty where the error
// says it.
func (c *Config) fix(err error, file string) string {
	switch {
	case errors.Is(err, engine.ErrCertificate) && c.CA == "":
		return "name in cluster: ca the file nats-ca.crt, from member/ of what sluice cluster nats wrote"
	case errors.Is(err, engine.ErrCertificate):
		return "see that server's certificate (server.crt), this machine's clock, and whether " + c.CA +
			" (cluster: ca) is the servers' ca.crt"
	case errors.Is(err, engine.ErrCredentials):
		return c.file(file) + " must be the " + file + " from member/ of what sluice cluster nats wrote, whose " +
			"public half, U..., is among the users in the servers' nats.conf"
	}
	return "see the servers' own logs"
}

// hint is an error of connecting, with what to do.
func (c *Config) hint(err error, file string) error {
	if errors.As(err, new(*perm.Error)) || !errors.Is(err, engine.ErrRefused) {
		return fmt.Errorf("%s: %w", file, err)
	}
	return fmt.Errorf("%s: %w; %s", file, err, c.fix(err, file))
}

// refused is the finding that a server, or all, do not let this machine in.
func (c *Config) refused(of string, err error, file string) settings.Finding {
	if w := (*perm.Error)(nil); errors.As(err, &w) {
		return settings.Finding{Of: of, What: w.Path + " " + w.What, Fix: w.Fix, Lost: true}
	}
	return settings.Finding{Of: of, What: err.Error(), Fix: c.fix(err, file), Lost: errors.Is(err, engine.ErrRefused)}
}

// glance is how long one server has to answer. A gateway that starts does not wait for it.
const glance = 5 * time.Second

// Look connects as the machine would, to each server by itself, and looks at all of them and at these logs. It changes
// nothing. A finding about what cannot be seen while servers are away is left out.
func Look(ctx context.Context, c Config, single bool, logs []engine.Spec) Looked {
	l := c.Knock(ctx)
	if l.Up == 0 {
		return l
	}
	from := settings.Sources{Single: single, Logs: logs, Slow: glance}
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
			l.Findings = append(l.Findings, c.refused(one.file, err, one.file))
			continue
		}
		defer conn.Close()
		*one.conn = conn
	}
	l.Findings = append(l.Findings, settings.Examine(ctx, from)...)
	return l
}

// endsSoon is how long before its end a server's certificate is worth a word.
const endsSoon = 14 * 24 * time.Hour

// ending is what to say of a server whose certificate ends at an instant; zero where that is not known.
func ending(host string, end time.Time) []settings.Finding {
	if end.IsZero() || time.Until(end) > endsSoon {
		return nil
	}
	return []settings.Finding{{Of: host,
		What: "its certificate ends on " + end.Format(time.DateOnly) + ", and from then on no machine reaches it",
		Fix:  "give it another of the same authority and restart it, one server after the other"}}
}

// Knock tries each server by itself.
func (c *Config) Knock(ctx context.Context) (l Looked) {
	errs := make([]error, len(c.NATS))
	ends := make([]time.Time, len(c.NATS))
	var all sync.WaitGroup
	for i, address := range c.NATS {
		all.Go(func() {
			reach := c.reach("data.nk")
			reach.URLs, reach.Patience = []string{address}, glance
			conn, err := engine.Dial(ctx, reach)
			if errs[i] = err; err == nil {
				ends[i] = conn.Until()
				conn.Close()
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		host := strings.TrimPrefix(c.NATS[i], "tls://")
		switch {
		case errors.As(err, new(*perm.Error)): // a file of this machine, and the same for all
			l.Findings = []settings.Finding{c.refused("this machine", err, "data.nk")}
			return l
		case err == nil:
			l.Up++
			l.Soon = append(l.Soon, ending(host, ends[i])...)
		case errors.Is(err, engine.ErrAway):
			l.Away = append(l.Away, host)
		default:
			l.Findings = append(l.Findings, c.refused(host, err, "data.nk"))
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
