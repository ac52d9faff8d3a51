package mqtt

import "slices"

// A SUBSCRIBE has so many filters and bytes of them at most: brokers bound packets,
// and a register may name a hundred thousand topics.
const (
	filtersAtOnce = 500
	bytesAtOnce   = 32 << 10
)

// packed are filters at QoS 1, a SUBSCRIBE each.
func packed(topics []string) (out []map[string]byte) {
	bytes := 0
	for _, t := range topics {
		if n := len(out); n == 0 || len(out[n-1]) == filtersAtOnce || bytes+len(t) > bytesAtOnce {
			out, bytes = append(out, make(map[string]byte)), 0
		}
		out[len(out)-1][t] = 1
		bytes += len(t)
	}
	return out
}

// markers is the filter on which markers come: where others are shared it is, too, and with nobody.
func (c *Config) markers() string {
	if c.Shared {
		return "$share/" + c.ClientID + "/" + c.Marker
	}
	return c.Marker
}

// follows are the filters now.
func (c *Client) follows() []string {
	if list := c.topics.Load(); list != nil {
		return *list
	}
	return c.cfg.Topics
}

// Follow exchanges the filters. Where they are others, the connection is made anew;
// the session stays, and what comes of a topic that is not followed any more is of
// nobody. One caller at a time.
func (c *Client) Follow(topics []string) {
	before := c.follows()
	c.topics.Store(&topics)
	if slices.Equal(topics, before) {
		return
	}
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		c.renewing.Store(true)
		_ = conn.Close() // it is lost, and comes again
	}
}
