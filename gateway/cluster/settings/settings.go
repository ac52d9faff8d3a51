// Package settings finds what is wrong with the servers of the engine: each setting with which they lose what they have
// acknowledged, or keep what must not be kept. A machine that joins looks, and so does sluice doctor.
//
// What can be seen, and by whom:
//
//	a client of the account for data       how its own logs are kept; the version of the server it is connected to
//	a client of the account for keys       that its account has no JetStream, and which account that is
//	a client of the account of the system  of every server: version, sync_interval, tags, payload, MQTT ($SYS VARZ);
//	                                       of every account: JetStream, imports and exports
//	the monitoring endpoint, /varz         the same of one server as the system's account says of all
//
// The configuration file is read by nobody here: servers say what they run with, and a file can have been changed
// since. Nothing tells whether a disk does what it is told, nor whether the log traces what passes.
package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/gateway/cluster/engine"
)

// Finding is one thing that is wrong.
type Finding struct {
	Of   string // a server, a log or an account
	What string
	Fix  string
	Lost bool // something acknowledged can be lost, or a key kept; else it was only not to be seen, or is unwise
}

// Sources are from where the settings are seen. What is nil or empty is not looked at, and that is a finding.
type Sources struct {
	Data, Keys, System *engine.Conn
	Slow               time.Duration // for how long all are asked again by System while one is missing
	Monitors           []string      // http://HOST:PORT of each server, where there is no System
	Logs               []engine.Spec // what must be kept, and how
	Single             bool          // one server is enough: a simulation
}

// Least is the first version whose order of syncing is known to hold.
var least = [3]int{2, 15, 2}

// Examine looks at all that can be seen. No finding means that nothing is wrong.
func Examine(ctx context.Context, s Sources) []Finding {
	e := &examination{ctx: ctx, Sources: s}
	e.servers()
	e.logs()
	e.keys()
	return e.found
}

type examination struct {
	Sources
	ctx   context.Context // of the one call that it lasts for
	found []Finding
}

func (e *examination) lost(of, what, fix string) {
	e.found = append(e.found, Finding{of, what, fix, true})
}

func (e *examination) note(of, what, fix string) {
	e.found = append(e.found, Finding{of, what, fix, false})
}

// logs looks at the logs as a client sees them.
func (e *examination) logs() {
	if e.Data == nil {
		e.note("logs", "they were not looked at: there are no credentials for data", "name them")
		return
	}
	if v := e.Data.Version(); older(v) {
		e.lost("servers", "the one that is reached is of version "+v, upgrade)
	}
	for _, spec := range e.Logs {
		wrong, err := e.Data.Differs(e.ctx, spec)
		if err != nil {
			e.note(spec.Name, err.Error(), "see the servers' own logs")
		}
		for _, what := range wrong {
			e.lost(spec.Name, what, "mend the stream with the servers' own tool (nats stream edit); never delete it: "+
				"what is in it is nowhere else")
		}
	}
}

// keys looks at the account that keys go through: none of what passes there may be kept.
func (e *examination) keys() {
	if e.Keys == nil {
		e.note("keys", "their account was not looked at: there are no credentials for keys", "name them")
		return
	}
	raw, err := e.Keys.Ask(e.ctx, "$JS.API.INFO", nil)
	var is struct {
		Error struct {
			ErrCode int `json:"err_code"`
		}
	}
	switch {
	case err == nil && json.Unmarshal(raw, &is) == nil && is.Error.ErrCode == 0:
		e.lost("keys", "their account has JetStream: a stream there would keep keys on disks", noJetStream)
	case err != nil && !errors.Is(err, engine.ErrAway):
		e.note("keys", err.Error(), "see the servers' own logs")
	}
	keys, data := accountOf(e.ctx, e.Keys), accountOf(e.ctx, e.Data)
	if keys != "" && keys == data {
		e.lost("keys", "they go through the account for data, where a log can keep them", noJetStream)
	}
	if e.System == nil || keys == "" || keys == data {
		return
	}
	raw, err = e.System.Ask(e.ctx, "$SYS.REQ.ACCOUNT."+keys+".INFO", nil)
	var account struct {
		Data struct {
			JetStream        bool              `json:"jetstream_enabled"`
			Exports, Imports []json.RawMessage // of its own; those of the system are not among them
		}
	}
	if err != nil || json.Unmarshal(raw, &account) != nil {
		e.note("keys", "the servers do not say what their account exports", "see the servers' own logs")
		return
	}
	if account.Data.JetStream {
		e.lost("keys", "their account has JetStream: a stream there would keep keys on disks", noJetStream)
	}
	if len(account.Data.Exports) > 0 {
		e.lost("keys", "their account exports subjects, which a log of another account can keep",
			"take exports out of the account for keys")
	}
}

const noJetStream = "give keys an account of their own without JetStream, as configs/nats.conf does"

// accountOf is the account that a connection is in; empty where that is not said.
func accountOf(ctx context.Context, c *engine.Conn) string {
	if c == nil {
		return ""
	}
	raw, err := c.Ask(ctx, "$SYS.REQ.USER.INFO", nil)
	var is struct{ Data struct{ Account string } }
	if err != nil || json.Unmarshal(raw, &is) != nil || strings.ContainsAny(is.Data.Account, " .*>") {
		return ""
	}
	return is.Data.Account
}

// older reports whether a version is before the first that holds, or none.
func older(version string) bool {
	var v [3]int
	plain, _, early := strings.Cut(version, "-") // a -RC is before the version itself
	if _, err := fmt.Sscanf(plain, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		return true
	}
	n := slices.Compare(v[:], least[:])
	return n < 0 || n == 0 && early
}

var upgrade = fmt.Sprintf("install nats-server %d.%d.%d or later", least[0], least[1], least[2])
