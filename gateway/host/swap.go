package host

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"sluice/gateway/config"
)

// CheckSwap refuses unencrypted swap unless it is allowed. A simulation only warns,
// and not where its clock is simulated too: nobody real is in it.
func CheckSwap(cfg *config.Config, list []string, log *slog.Logger) error {
	switch {
	case len(list) == 0 || cfg.AllowSwap || cfg.Time.Topic != "":
		return nil
	case cfg.Simulation:
		log.Warn("this machine has unencrypted swap, where what is in memory could be written in clear; turn it off, "+
			"encrypt it, or set allow_swap: true", "swap", strings.Join(list, ", "))
		return nil
	}
	return config.Refuse("this machine has unencrypted swap, where what is in memory could be written in clear: %s; "+
		"turn it off with swapoff -a, encrypt it, or set allow_swap: true", strings.Join(list, ", "))
}

// ClearSwap lists swap that is neither encrypted nor memory: what is in memory
// could be written there in clear.
func ClearSwap() []string {
	raw, err := os.ReadFile("/proc/swaps")
	if err != nil {
		return nil // no such system, or none of our business
	}
	return clearSwapIn(string(raw), func(device string) string {
		uuid, err := os.ReadFile(filepath.Join("/sys/class/block", device, "dm/uuid"))
		if err != nil {
			return ""
		}
		return string(uuid)
	})
}

// clearSwapIn reads the text of proc_swaps(5); uuid tells a device mapper's kind.
func clearSwapIn(text string, uuid func(device string) string) (list []string) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range lines[1:] {
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "\t")
		device := filepath.Base(name)
		if strings.HasPrefix(device, "zram") || strings.HasPrefix(uuid(device), "CRYPT-") {
			continue
		}
		list = append(list, name)
	}
	return list
}
