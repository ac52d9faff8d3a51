package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/test/ports"
)

// largest prints when a gateway with the most sensors is ready, when a change of its register is
// live, and what memory both take.
func (b *bench) largest() error {
	addr, err := ports.Addr()
	if err != nil {
		return err
	}
	const most = 100_000
	way := fmt.Sprintf("listen: {mqtt: %q}", addr)
	files := city(way, "PT1H")
	var reg strings.Builder
	reg.WriteString(files["register.yaml"])
	for i := range most - sensors - 1 {
		fmt.Fprintf(&reg, "  - {id: more-%06d, owner: bench, kind: counter, zone: %s, registered: 2026-01-01, "+
			"contact: street@city.example, purpose: {en: \"How many pass\"}}\n", i, []string{"square", "park"}[i%2])
	}
	files["register.yaml"] = reg.String()
	begun := time.Now()
	g, err := b.run("largest", way, files)
	if err != nil {
		return err
	}
	defer g.stop()
	fmt.Printf("  %-64s %6.1f s (target 10), at most %.1f MiB\n", "ready with 100,000 sensors",
		time.Since(begun).Seconds(), g.peak())
	begun = time.Now()
	reg.WriteString("  - {id: one-more, owner: bench, kind: counter, zone: park, registered: 2026-01-01}\n")
	if err := os.WriteFile(filepath.Join(b.dir, "largest", "register.yaml"), []byte(reg.String()), 0o644); err != nil {
		return err
	}
	if err := g.says("read anew"); err != nil {
		return err
	}
	fmt.Printf("  %-64s %6.1f s (target 10), at most %.1f MiB (target 1024)\n",
		"one more is live after its register was saved", time.Since(begun).Seconds(), g.peak())
	return nil
}
