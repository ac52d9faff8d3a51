package ports

import (
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestAddr: however many ask at once, each gets an address of its own where it can
// listen, which the system gives to nobody.
func TestAddr(t *testing.T) {
	var (
		mu   sync.Mutex
		seen = map[string]bool{}
		all  sync.WaitGroup
	)
	for range 200 {
		all.Go(func() {
			addr, err := Addr()
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[addr] {
				t.Errorf("%s is handed out twice", addr)
			}
			seen[addr] = true
		})
	}
	all.Wait()
	lowest := 32768
	if raw, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if n, err := strconv.Atoi(strings.Fields(string(raw))[0]); err == nil && n > last {
			lowest = n
		}
	}
	for addr := range seen {
		port, err := strconv.Atoi(strings.TrimPrefix(addr, "127.0.0.1:"))
		if err != nil || port >= lowest {
			t.Errorf("%s is of those that the system hands out", addr)
		}
		// Another process finds the name taken.
		if l, err := net.Listen("unix", name(port)); err == nil {
			t.Errorf("%s is not kept", addr)
			_ = l.Close()
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Errorf("nobody can listen at %s: %v", addr, err)
			continue
		}
		_ = l.Close()
	}
}
