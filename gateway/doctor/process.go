package doctor

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"sluice/gateway/admin"
	"sluice/gateway/config"
)

// process asks a gateway that runs with this configuration.
type process struct {
	*findings
	cfg *config.Config
}

// answer is what /readyz says.
type answer struct {
	Ready  bool                   `json:"ready"`
	Checks map[string]admin.Check `json:"checks"`
	Notes  []string               `json:"notes"`
}

// starting reports whether the gateway has only begun: nothing but intake is there yet.
func (a answer) starting() bool {
	_, intake := a.Checks["intake"]
	return !a.Ready && intake && len(a.Checks) == 1
}

func has(checks map[string]admin.Check, name string) bool { _, ok := checks[name]; return ok }

// running asks a gateway that runs with this configuration how it is. One that was
// started a moment ago has ten seconds to be there.
func (d *process) running(ctx context.Context) {
	ready, ok := d.ask(ctx)
	for end := time.Now().Add(10 * time.Second); ok && ready.starting() && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(200 * time.Millisecond)
		ready, ok = d.ask(ctx)
	}
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(ready.Checks)) {
		if c := ready.Checks[name]; !c.OK {
			d.say("gateway", Fail, "it runs, and is not ready: "+name, c.Hint)
		}
	}
	for _, note := range ready.Notes {
		d.say("gateway", Warn, "it runs, and has seen what should not be", note)
	}
	if !ready.Ready {
		return
	}
	d.say("gateway", Fine, "it runs and is ready", "")
}

// ask asks once; it has said so itself where there was no answer.
func (d *process) ask(ctx context.Context) (ready answer, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.cfg.Admin+"/readyz", nil)
	if err != nil {
		d.say("gateway", Warn, "the admin address is none", "mend admin: in the file")
		return ready, false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if !d.taken(ctx) {
			d.say("gateway", Warn, "it does not run", "start it with sluice gateway -c FILE")
		}
		return ready, false
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&ready); err != nil || !ready.starting() &&
		!has(ready.Checks, "policy") {
		d.say("gateway", Fail, "something else answers at the admin address", "choose another with admin: in the file")
		return ready, false
	}
	return ready, true
}

// taken says which of the gateway's addresses it could not have, while it does not
// answer at its own.
func (d *process) taken(ctx context.Context) (found bool) {
	for key, addr := range map[string]string{"listen: mqtt": d.cfg.Listen.MQTT,
		"listen: websocket": d.cfg.Listen.WebSocket, "admin": d.cfg.Admin} {
		if addr == "" {
			continue
		}
		open, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err == nil {
			err = open.Close()
		}
		if err != nil {
			found = true
			d.say("gateway", Fail, "it does not run, and could not listen: "+err.Error(),
				"stop who has that address, or choose another with "+key+": in the file")
		}
	}
	return found
}
