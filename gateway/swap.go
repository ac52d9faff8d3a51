package gateway

import (
	"os"
	"path/filepath"
	"strings"
)

// clearSwap lists swap that is neither encrypted nor memory: what is in memory
// could be written there in clear.
func clearSwap() []string {
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
