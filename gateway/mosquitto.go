package gateway

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
}

// readMosquitto reads mosquitto.conf and what it includes; later lines win.
func readMosquitto(path string) (mosquitto, error) {
	m := mosquitto{inflight: 20} // mosquitto's own defaults
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
		switch key {
		case "persistence":
			m.persistence = value == "true"
		case "log_type":
			m.loud = m.loud || value == "all" || value == "debug"
		case "max_inflight_messages":
			if m.inflight, err = strconv.Atoi(value); err != nil {
				return fmt.Errorf("%s: max_inflight_messages is not a number", path)
			}
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
	}
	return nil
}
