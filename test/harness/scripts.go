package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// scripts is the process that runs test/browser's scripts for all tests of a package, with one browser: to start
// both for each script takes as long as many scripts do. It ends when this process does, which held its input.
var scripts struct {
	sync.Mutex
	in      io.Writer
	last    int
	waiting map[int]chan<- answered
	ended   error // why it runs no more
}

// answered is what a script said, and the code it ended with.
type answered struct {
	ID   int
	Code int
	Said string
}

// script runs one of test/browser's scripts and returns what it says.
func script(installed string, args []string) (string, error) {
	answer := make(chan answered, 1)
	if err := ask(installed, args, answer); err != nil {
		return "", err
	}
	a, ok := <-answer
	if !ok {
		return "", scripts.ended
	}
	if a.Code != 0 {
		return a.Said, fmt.Errorf("it ends with %d", a.Code)
	}
	return a.Said, nil
}

func ask(installed string, args []string, answer chan<- answered) error {
	scripts.Lock()
	defer scripts.Unlock()
	if scripts.in == nil {
		if err := beginScripts(installed); err != nil {
			return err
		}
	}
	if scripts.ended != nil {
		return scripts.ended
	}
	scripts.last++
	line, err := json.Marshal(map[string]any{"id": scripts.last, "args": args})
	if err != nil {
		return err
	}
	scripts.waiting[scripts.last] = answer
	_, err = scripts.in.Write(append(line, '\n'))
	return err
}

func beginScripts(installed string) error {
	c := exec.Command("node", "scripts.js")
	c.Dir = "../browser"
	c.Env = append(os.Environ(), "NODE_PATH="+installed)
	var errs bytes.Buffer
	c.Stderr = &errs
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	scripts.in, scripts.waiting = in, map[int]chan<- answered{}
	go func() {
		for lines := json.NewDecoder(out); ; {
			var a answered
			if lines.Decode(&a) != nil {
				break
			}
			scripts.Lock()
			scripts.waiting[a.ID] <- a
			delete(scripts.waiting, a.ID)
			scripts.Unlock()
		}
		_ = c.Process.Kill() // it may have said what is no answer, and wait for the next script
		err := errors.Join(c.Wait(), errors.New(errs.String()))
		scripts.Lock()
		defer scripts.Unlock()
		scripts.ended = err
		for _, w := range scripts.waiting {
			close(w)
		}
		scripts.waiting = nil
	}()
	return nil
}
