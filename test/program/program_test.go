package program

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// TestWriteBesideForks: what was written can be run at once while others begin processes.
func TestWriteBesideForks(t *testing.T) {
	dir, stop := t.TempDir(), make(chan bool)
	var others sync.WaitGroup
	for range 4 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = exec.Command("true").Run()
				}
			}
		})
	}
	for n := range 150 {
		path := filepath.Join(dir, strconv.Itoa(n))
		if err := Write(path, []byte("#!/bin/sh\nexit 0\n")); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command(path).Run(); err != nil {
			t.Errorf("what was written cannot be run: %v", err)
			break
		}
	}
	close(stop)
	others.Wait()
}
