// Package rollcall is what machines of a cluster say of themselves when somebody asks: who they are, what does not work
// there, and what windows wait for. Questions and answers go through the servers and are kept nowhere, so that they
// need one server that machines reach, and no majority.
//
//	question   status, empty
//	answer     Said, in JSON, from each machine
//
// Whoever has the credentials for data can answer. It is for an operator's eyes: nothing is decided by it.
package rollcall

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"sluice/brief"
	"sluice/gateway/cluster/engine"
)

// Said is what one process says. Instants are by its clock.
type Said struct {
	Name string `json:"name"` // in the roster
	// Run tells the process from every other one, and Host is its machine's name.
	Run   string    `json:"run"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"` // when it began
	Now   time.Time `json:"now"`
	// Problems are the parts that do not work, and Waits what windows wait for, as it sees them.
	Problems []Problem `json:"problems"`
	Waits    []Wait    `json:"waits"`
}

// Problem is a part of /readyz that does not work.
type Problem struct {
	Part  string    `json:"part"`
	Since time.Time `json:"since"`
	Hint  string    `json:"hint"`
}

// Wait is what windows wait for.
type Wait struct {
	For   string    `json:"for"` // such as front street-1, partition 3
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
}

const (
	subject = "status"
	// What is taken of answers.
	mostAnswers = 1024
	mostBytes   = 64 << 10
	mostLines   = 64 // of problems, and of waits
)

// Answer answers who asks, until stop is called.
func Answer(ctx context.Context, conn *engine.Conn, say func() Said) (stop func(), err error) {
	return conn.Answer(ctx, subject, func([]byte) []byte {
		raw, err := json.Marshal(say())
		if err != nil {
			return nil
		}
		return raw
	})
}

// Call asks all, and returns what they say, by name and then by when they began; nobody where nobody answers.
func Call(ctx context.Context, conn *engine.Conn) (list []Said, err error) {
	n := 0
	err = conn.AskAll(ctx, subject, nil, func(raw []byte) (enough bool) {
		n++
		var s Said
		if len(raw) <= mostBytes && json.Unmarshal(raw, &s) == nil && s.Name != "" {
			list = append(list, s.brief())
		}
		return n == mostAnswers
	})
	if errors.Is(err, engine.ErrAway) {
		err = nil
	}
	slices.SortFunc(list, func(a, b Said) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return a.Since.Compare(b.Since)
	})
	return list, err
}

// brief bounds what a terminal shows of it.
func (s Said) brief() Said {
	s.Name, s.Run, s.Host = brief.Text(s.Name), brief.Text(s.Run), brief.Text(s.Host)
	s.Problems = s.Problems[:min(len(s.Problems), mostLines)]
	for i, p := range s.Problems {
		s.Problems[i] = Problem{brief.Text(p.Part), p.Since, brief.Text(p.Hint)}
	}
	s.Waits = s.Waits[:min(len(s.Waits), mostLines)]
	for i, w := range s.Waits {
		s.Waits[i] = Wait{brief.Text(w.For), w.Since, brief.Text(w.Why)}
	}
	return s
}

// Twins are the names that several processes answer to, and who they are.
func Twins(list []Said) map[string][]Said {
	twins := make(map[string][]Said)
	for _, s := range list {
		of := twins[s.Name]
		if !slices.ContainsFunc(of, func(o Said) bool { return o.Run == s.Run }) {
			twins[s.Name] = append(of, s)
		}
	}
	for name, of := range twins {
		if len(of) < 2 {
			delete(twins, name)
		}
	}
	return twins
}
