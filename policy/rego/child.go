package rego

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sluice/policy/bundle"
)

// Bounds of the child that evaluates rules. It may not write files, hold many
// open, or live on while nobody asks.
const (
	childMemory = 1 << 30 // bytes of data
	childCPU    = 120     // seconds in all
	childFiles  = 32      // open at once
	// childGarbage is how many percent the heap may grow between two collections: answers
	// to thousands of questions are garbage, and a third of the time went into it.
	childGarbage = 400
	childIdle    = time.Minute
	childStart   = 5 * time.Second // to start and to compile
)

// Child evaluates rules in a process of its own: the same binary with a hidden
// verb. A rule that takes all memory or time takes the child with it and nothing
// else; that is an error, and nothing is permitted.
//
// Questions and answers are JSON values on its standard input and output:
//
//	{"bundle": {"id", "modules", "data"}}           -> {"value": whether some rule may look at owners}
//	{"id": ID, "query": QUERY, "input": INPUT}      -> {"value": VALUE} or {"code", "error"}
//	{"id": ID, "query": QUERY, "inputs": [INPUT]}   -> {"value": [VALUE]} or {"code", "error"}
//	{"test": {"id", "modules", "data"}}             -> {"value": REPORT} or {"code", "error"}
//	{"taste": BYTES}                                -> {"value": true} or {"code", "error"}
type Child struct {
	command []string

	mu   sync.Mutex
	p    *running    // nil while there is none; guarded by mu
	idle *time.Timer // ends it; guarded by mu
}

// running is a child process.
type running struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	enc    *json.Encoder
	dec    *json.Decoder
	loaded map[string]json.RawMessage // what was said of each bundle
}

// NewChild makes an Evaluator that runs a command line, which must end in Serve.
func NewChild(command ...string) *Child { return &Child{command: command} }

type question struct {
	Bundle *Version `json:"bundle,omitempty"`
	ID     string   `json:"id,omitempty"`
	Query  string   `json:"query,omitempty"`
	Input  any      `json:"input,omitempty"`
	Inputs []any    `json:"inputs,omitempty"`
	Test   *Version `json:"test,omitempty"`
	Taste  []byte   `json:"taste,omitempty"`
}

type reply struct {
	Value json.RawMessage `json:"value,omitempty"`
	Code  Code            `json:"code,omitempty"`
	Error string          `json:"error,omitempty"`
}

var errDied = errors.New("the rules' process died, so nothing is permitted; look for a rule that takes all memory")

// Ask has the child answer one question; see Evaluator.
func (c *Child) Ask(ctx context.Context, b *Version, query string, input any) (json.RawMessage, error) {
	most := evalTimeout
	if query != AskCharter {
		most = askTimeout
	}
	return c.askTwice(ctx, b, question{ID: b.ID, Query: query, Input: input}, most)
}

// AskEach has the child answer many; see Evaluator.
func (c *Child) AskEach(
	ctx context.Context, b *Version, query string, inputs []any,
) (answers []json.RawMessage, err error) {
	raw, err := c.askTwice(ctx, b, question{ID: b.ID, Query: query, Inputs: inputs}, eachTimeout)
	if err != nil {
		return nil, err
	}
	return answers, WithCode(WrongType, json.Unmarshal(raw, &answers))
}

func (c *Child) askTwice(ctx context.Context, b *Version, q question, most time.Duration) (json.RawMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, err := c.try(ctx, b, q, most)
	if CodeOf(err) == Died && ctx.Err() == nil {
		raw, err = c.try(ctx, b, q, most) // it may have been killed from outside
	}
	c.soon()
	return raw, err
}

// Taste reads a bundle in the child, which it can end and no more, and says whether
// that went well. What is poison there is not read here.
func (c *Child) Taste(ctx context.Context, packed []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.p == nil {
		if err := c.start(); err != nil {
			return WithCode(Died, fmt.Errorf("the rules' process cannot be started: %w", err))
		}
	}
	_, err := c.exchange(ctx, question{Taste: packed}, childStart)
	c.soon()
	return err
}

// soon ends the child when nobody has asked for some time.
func (c *Child) soon() {
	if c.p != nil && c.idle == nil {
		c.idle = time.AfterFunc(childIdle, c.rest)
	} else if c.idle != nil {
		c.idle.Reset(childIdle)
	}
}

func (c *Child) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}

// Close ends the child.
func (c *Child) Close() error {
	c.rest()
	return nil
}

func (c *Child) end() {
	if c.p != nil {
		_ = c.p.in.Close()
		_ = c.p.cmd.Process.Kill() // it may be gone already
		_ = c.p.cmd.Wait()
		c.p = nil
	}
}

func (c *Child) try(ctx context.Context, b *Version, q question, most time.Duration) (json.RawMessage, error) {
	if c.p == nil {
		if err := c.start(); err != nil {
			return nil, WithCode(Died, fmt.Errorf("the rules' process cannot be started: %w", err))
		}
	}
	said, loaded := c.p.loaded[b.ID]
	if !loaded {
		var err error
		if said, err = c.exchange(ctx, question{Bundle: b}, childStart); err != nil {
			return nil, err
		}
		c.p.loaded[b.ID] = said
	}
	if q.Query == "" {
		return said, nil
	}
	return c.exchange(ctx, q, most)
}

// LooksAtOwner has the child say so; see Evaluator.
func (c *Child) LooksAtOwner(ctx context.Context, b *Version) (bool, error) {
	said, err := c.askTwice(ctx, b, question{}, childStart)
	return string(said) != "false", err
}

func (c *Child) start() error {
	cmd := exec.Command(c.command[0], c.command[1:]...)
	cmd.Env, cmd.Dir = []string{}, "/"
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.p = &running{cmd: cmd, in: in, enc: json.NewEncoder(in), dec: json.NewDecoder(out),
		loaded: make(map[string]json.RawMessage)}
	return nil
}

// starving is how many times its deadline a child may take that gets too little of
// a busy machine to have worked for half of it.
const starving = 10

// exchange sends one question and waits for its answer; a child that does not
// give one in time is ended. A child that is kept from working by others is given
// more: the deadline is for what it does, not for what the machine does.
func (c *Child) exchange(ctx context.Context, q question, most time.Duration) (json.RawMessage, error) {
	if raced {
		most *= 10 // the race detector's price
	}
	type outcome struct {
		r   reply
		err error
	}
	p, done := c.p, make(chan outcome, 1)
	began, worked := time.Now(), cpuTime(p.cmd.Process.Pid)
	go func() {
		var o outcome
		if o.err = p.enc.Encode(q); o.err == nil {
			o.err = p.dec.Decode(&o.r)
		}
		done <- o
	}()
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		select {
		case o := <-done:
			switch {
			case o.err != nil:
				c.end()
				return nil, WithCode(Died, errDied)
			case o.r.Error != "":
				return nil, &Problem{o.r.Code, errors.New(o.r.Error)}
			}
			return o.r.Value, nil
		case <-timer.C:
			if cpuTime(p.cmd.Process.Pid)-worked < most/2 && time.Since(began) < starving*most {
				timer.Reset(most / 4)
				continue
			}
			c.end()
			<-done
			return nil, WithCode(Timeout, errTimeout)
		case <-ctx.Done():
			c.end()
			<-done
			return nil, ctx.Err()
		}
	}
}

var errTimeout = errors.New(
	"the rules took too long, so nothing is permitted; look for a rule that goes through too much")

// cpuTime is what a process has worked so far, from proc_pid_stat(5); 0 where
// that cannot be told.
func cpuTime(pid int) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything; what follows are numbers.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100) // USER_HZ is 100 on every Linux
}

// Serve is the child: it answers questions until its input ends. It first takes
// from itself what a rule could do harm with.
func Serve(in io.Reader, out io.Writer) error {
	if err := confine(); err != nil {
		return err
	}
	rules := newLocal()
	bundles := make(map[string]*Version)
	enc, dec := json.NewEncoder(out), json.NewDecoder(in)
	dec.UseNumber()
	for {
		var q question
		if err := dec.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var r reply
		var err error
		if q.Bundle != nil {
			var owners bool
			if owners, err = rules.LooksAtOwner(context.Background(), q.Bundle); err == nil {
				bundles[q.Bundle.ID] = q.Bundle
				r.Value = json.RawMessage(strconv.FormatBool(owners))
			}
		} else if q.Taste != nil {
			if _, err = bundle.ReadOPA(q.Taste); err == nil {
				r.Value = json.RawMessage("true")
			} else {
				err = WithCode(Unreadable, err)
			}
		} else if q.Test != nil {
			r.Value, err = runTests(context.Background(), q.Test)
		} else if b, known := bundles[q.ID]; known && q.Inputs != nil {
			var answers []json.RawMessage
			if answers, err = rules.AskEach(context.Background(), b, q.Query, q.Inputs); err == nil {
				r.Value, err = json.Marshal(answers)
			}
		} else if known {
			r.Value, err = rules.Ask(context.Background(), b, q.Query, q.Input)
		} else {
			err = WithCode(Undefined, ErrUndefined)
		}
		if err != nil {
			r = reply{Code: CodeOf(err), Error: plain(err)}
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
}

// plain is an error without its code, which travels beside it.
func plain(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func confine() error {
	limits := map[int]uint64{unix.RLIMIT_CPU: childCPU, unix.RLIMIT_FSIZE: 0, unix.RLIMIT_CORE: 0,
		unix.RLIMIT_NOFILE: childFiles}
	if !raced {
		limits[unix.RLIMIT_DATA] = childMemory
		debug.SetMemoryLimit(childMemory / 2)
		debug.SetGCPercent(childGarbage)
	}
	// Where a machine's or a container's memory ends, the child goes and not the
	// gateway (proc_pid_oom_score_adj(5)). It is a precaution: not everywhere is there
	// such a file.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0o600)
	for what, most := range limits {
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("confining the rules: %w", err)
		}
	}
	return nil
}
