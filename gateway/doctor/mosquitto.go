package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mosquitto is what matters here of mosquitto.conf(5).
type mosquitto struct {
	persistence bool
	loud        bool // topics go into its log
	inflight    int
	packet      int  // bytes of a packet, 0 for no bound
	queued      int  // messages for a client that is away, 0 for no bound
	connections bool // who connects goes into its log
	each        bool // listeners have settings of their own
	entrances   []entrance
	// acl and passwords are files; the last that are named.
	acl, passwords string
}

// readMosquitto reads mosquitto.conf and what it includes; later lines win.
func readMosquitto(path string) (mosquitto, error) {
	m := mosquitto{inflight: 20, queued: 1000, connections: true} // mosquitto's own defaults
	return m, m.read(path, 0)
}

func (m *mosquitto) read(path string, depth int) error {
	if depth > 4 {
		return fmt.Errorf("%s: included too deep", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the broker's configuration: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		value = strings.TrimSpace(value)
		if m.access(key, value) {
			continue
		}
		switch key {
		case "persistence":
			m.persistence = value == "true"
		case "log_type":
			m.loud = m.loud || value == "all" || value == "debug"
		case "max_inflight_messages":
			m.inflight, err = strconv.Atoi(value)
		case "max_packet_size":
			m.packet, err = strconv.Atoi(value)
		case "max_queued_messages":
			m.queued, err = strconv.Atoi(value)
		case "include_dir":
			more, err := filepath.Glob(filepath.Join(value, "*.conf"))
			if err != nil {
				return err
			}
			slices.Sort(more)
			for _, file := range more {
				if err := m.read(file, depth+1); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %s is not a number", path, key)
		}
	}
	return nil
}

// access takes a line that says who may come in, and what is written about it.
func (m *mosquitto) access(key, value string) bool {
	switch key {
	case "per_listener_settings":
		m.each = value == "true"
	case "listener":
		m.opens(value)
	case "allow_anonymous":
		m.at().anonymous = value == "true"
	case "acl_file":
		m.at().access, m.acl = true, value
	case "password_file":
		m.passwords = value
	case "connection_messages":
		m.connections = value == "true"
	default:
		return false
	}
	return true
}

// entrance is one section of mosquitto.conf that says who may come in.
type entrance struct {
	name      string
	anonymous bool
	access    bool // it has an acl_file
}

// at is the entrance that a line is about: the listener's own where the file asks for
// settings of each, else the one for all.
func (m *mosquitto) at() *entrance {
	if len(m.entrances) == 0 {
		m.entrances = append(m.entrances, entrance{name: "the broker"})
	}
	if !m.each {
		return &m.entrances[0]
	}
	return &m.entrances[len(m.entrances)-1]
}

// opens begins a listener's section.
func (m *mosquitto) opens(value string) {
	if m.at(); m.each {
		m.entrances = append(m.entrances, entrance{name: "listener " + strings.Join(strings.Fields(value), " ")})
	}
}
