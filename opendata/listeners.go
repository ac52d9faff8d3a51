package opendata

import (
	"net/http"
	"syscall"

	"sluice/opendata/broadcast"
	"sluice/opendata/live"
)

// liveLimits bound the listeners, by the files that the process may open too.
func (s *Server) liveLimits(cfg Config) live.Limits {
	limits := live.Limits{Listeners: cfg.listeners(), PerAddress: cfg.perAddress(s.loopback())}
	if few := room(); few < limits.Listeners {
		s.log.Warn("the process may not open enough files for all listeners of /api/v1/live", "listeners",
			limits.Listeners, "room", few, "fix", "raise LimitNOFILE= of the unit, or lower live: listeners")
		limits.Listeners = few
	}
	return limits
}

// room is for how many listeners the process may open files, besides connections and the
// store.
func room() int {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil || files.Cur > 1<<30 {
		return maxListeners
	}
	return max(1, int(files.Cur)-connections-reserved)
}

// reserved are files for everything but connections.
const reserved = 200

// openMQTT listens for MQTT, and serves it over WebSocket, where the configuration says so.
func (s *Server) openMQTT(cfg Config, mux *http.ServeMux, base string, zone func(string) (string, bool)) (err error) {
	if cfg.MQTT.Listen == "" && !cfg.MQTT.WebSocket {
		return nil
	}
	s.mqtt, err = broadcast.Listen(broadcast.Config{Addr: cfg.MQTT.Listen, Connections: connections,
		PerAddress: cfg.perAddress, URL: base, Zone: zone, Log: s.log}, s.source)
	if err == nil && cfg.MQTT.WebSocket {
		mux.HandleFunc("/mqtt", s.mqtt.Handler(cfg.perAddress(s.loopback())))
	}
	return err
}

// MQTT is the address where the broker for reading listens; empty for none.
func (s *Server) MQTT() string {
	if s.mqtt == nil {
		return ""
	}
	return s.mqtt.Addr()
}
