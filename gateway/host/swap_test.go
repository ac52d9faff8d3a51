package host

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"sluice/gateway/config"
)

func TestClearSwap(t *testing.T) {
	const text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" +
		"/dev/zram0                              partition\t1\t0\t100\n" +
		"/dev/dm-1                               partition\t1\t0\t-2\n" +
		"/dev/dm-2                               partition\t1\t0\t-2\n" +
		"/swapfile                               file\t\t1\t0\t-2\n"
	got := clearSwapIn(text, func(device string) string {
		return map[string]string{"dm-1": "CRYPT-PLAIN-swap\n", "dm-2": "LVM-abc"}[device]
	})
	if !slices.Equal(got, []string{"/dev/dm-2", "/swapfile"}) {
		t.Errorf("clear swap is %v; want /dev/dm-2 and /swapfile", got)
	}
	if got := clearSwapIn("Filename Type Size Used Priority\n", nil); len(got) != 0 {
		t.Errorf("without swap there is %v", got)
	}
}

func TestSwapIsMinded(t *testing.T) {
	for _, c := range []struct {
		cfg     config.Config
		refused bool
		warned  bool
	}{
		{config.Config{}, true, false},
		{config.Config{AllowSwap: true}, false, false},
		{config.Config{Simulation: true}, false, true},
		{config.Config{Simulation: true, Time: config.Time{Topic: "clock"}}, false, false},
	} {
		var log strings.Builder
		logger := slog.New(slog.NewTextHandler(&log, nil))
		if err := CheckSwap(&c.cfg, []string{"/swapfile"}, logger); (err != nil) != c.refused ||
			(log.Len() > 0) != c.warned {
			t.Errorf("%+v: %v, logging %q; want refused %v, warned %v", c.cfg, err, log.String(), c.refused, c.warned)
		}
		if err := CheckSwap(&c.cfg, nil, logger); err != nil {
			t.Errorf("without swap: %v", err)
		}
	}
}
