package opendata

import (
	"syscall"

	"sluice/opendata/broadcast"
)

// seats are for the listeners of all cities, by the files that the process may open too.
func (s *Server) seats(cfg Config) int {
	listeners := cfg.listeners()
	if few := room(cfg); few < listeners {
		s.log.Warn("the process may not open enough files for all listeners of /api/v1/live", "listeners",
			listeners, "room", few, "fix", "raise LimitNOFILE= of the unit, or lower live: listeners")
		listeners = few
	}
	return listeners
}

// room is for how many listeners the process may open files, besides connections, those of
// MQTT too, and the store.
func room(cfg Config) int {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil || files.Cur > 1<<30 {
		return maxListeners
	}
	taken := connections + reserved
	if cfg.brokers() > 0 {
		taken += connections
	}
	return max(1, int(files.Cur)-taken)
}

// brokers is how many cities have one.
func (c *Config) brokers() (n int) {
	all := []City{{MQTT: c.MQTT}}
	if len(c.Books.Cities) > 0 {
		all = c.Books.Cities
	}
	for i := range all {
		if m := all[i].MQTT; m.Listen != "" || m.WebSocket {
			n++
		}
	}
	return n
}

// reserved are files for everything but connections.
const reserved = 200

// openMQTT listens for MQTT, and serves it over WebSocket, where the configuration says so.
func (c *city) openMQTT(cfg Config, base string, at site) (err error) {
	if cfg.MQTT.Listen == "" && !cfg.MQTT.WebSocket {
		return nil
	}
	c.mqtt, err = broadcast.Listen(broadcast.Config{Addr: cfg.MQTT.Listen, Connections: at.mqtt,
		PerAddress: cfg.perAddress, URL: base, Zone: c.pages.Zone, Changed: c.live.Changed, Log: c.log}, c.source)
	if err == nil && cfg.MQTT.WebSocket {
		c.mux.HandleFunc("/mqtt", c.mqtt.Handler(cfg.perAddress(at.loopback)))
	}
	return err
}

// MQTT is the address where the only city's broker for reading listens; empty for none.
func (s *Server) MQTT() string {
	if s.alone == nil || s.alone.mqtt == nil {
		return ""
	}
	return s.alone.mqtt.Addr()
}
