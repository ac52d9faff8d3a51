// Package ports hands out addresses on loopback for programs under test that cannot be
// asked which port they got: one that starts again where it was, or a broker.
//
// A port that the system has chosen and that is closed again is soon somebody else's. These
// are below the range from which the system chooses (ip_local_port_range in Linux's ip(7)),
// and each is one program's until that ends.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// first and last bound the ports; Linux chooses from 32768 on, and well-known servers are
// below 10000.
const first, last = 15000, 32000

var (
	mu   sync.Mutex
	mine []net.Listener // guarded by mu; open until the program ends
)

// Addr is an address where nothing listens, and that nobody else gets who asks here, in
// whatever process of the machine.
func Addr() (string, error) {
	for range 1000 {
		port := first + rand.IntN(last-first)
		lock, err := net.Listen("unix", name(port))
		if err != nil {
			continue // somebody has it
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		if l, err := net.Listen("tcp", addr); err != nil || l.Close() != nil {
			_ = lock.Close() // somebody who does not ask here has it
			continue
		}
		mu.Lock()
		mine = append(mine, lock)
		mu.Unlock()
		return addr, nil
	}
	return "", errors.New("no port is free: does this system have abstract sockets (unix(7))?")
}

// name is of a socket that is in no directory, and ends with its program.
func name(port int) string { return fmt.Sprintf("@sluice-test-port-%d", port) }
