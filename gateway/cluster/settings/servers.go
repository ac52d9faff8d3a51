package settings

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sluice/gateway/cluster/engine"
)

// varz is what a server says of itself, by the account of the system and by its monitoring endpoint alike
// (nats-server, server/monitor.go, Varz).
type varz struct {
	ServerName string   `json:"server_name"`
	Version    string   `json:"version"`
	MaxPayload int      `json:"max_payload"`
	Tags       []string `json:"tags"`
	MQTT       struct {
		Port int `json:"port"`
	} `json:"mqtt"`
	Cluster struct {
		Name        string `json:"name"`
		TLSRequired bool   `json:"tls_required"`
	} `json:"cluster"`
	TLSRequired bool `json:"tls_required"`
	JetStream   struct {
		Config *struct {
			SyncAlways bool   `json:"sync_always"`
			UniqueTag  string `json:"unique_tag"`
			MaxStore   int64  `json:"max_storage"`
		} `json:"config"`
		Stats struct {
			Store int64 `json:"storage"`
		} `json:"stats"`
	} `json:"jetstream"`
}

// three run where there is more than one machine; mostServers are listened to.
const three, mostServers = 3, 16

// servers looks at each server.
func (e *examination) servers() {
	all, err := e.varzs()
	if err != nil {
		e.note("servers", err.Error(),
			"name credentials of the account of the system, or each server's monitoring address")
		return
	}
	zones := map[string]string{}
	for _, v := range all {
		e.server(v)
		zone := v.zone()
		if other := zones[zone]; zone != "" && other != "" {
			e.lost(v.ServerName, "it is in the zone of "+other+": what takes one away takes both",
				"give each server a tag of its own (server_tags), and jetstream unique_tag")
		}
		zones[zone] = v.ServerName
	}
	if len(all) < three && !e.Single {
		e.note("servers", fmt.Sprintf("%d of %d answer", len(all), three),
			"three run, on three machines: start what does not answer")
	}
}

// server looks at one.
func (e *examination) server(v varz) {
	of := v.ServerName
	js := v.JetStream.Config
	switch {
	case older(v.Version):
		e.lost(of, "it is of version "+v.Version, upgrade)
	case js == nil:
		e.lost(of, "it has no JetStream: it is not configured, or it was switched off since its disk was full",
			"make room on its disk and restart it, or copy the part jetstream of configs/nats.conf")
		return
	}
	if js != nil && !js.SyncAlways {
		e.lost(of, "it acknowledges what is not on its disk yet",
			"set sync_interval: always in jetstream, and restart it")
	}
	if js != nil && v.zone() == "" && !e.Single {
		e.lost(of, "nothing keeps replicas in different zones",
			"set unique_tag in jetstream, and a tag that begins so in server_tags, as configs/nats.conf does")
	}
	if js != nil && js.MaxStore > 0 && v.JetStream.Stats.Store > js.MaxStore/10*8 {
		e.note(of, fmt.Sprintf("of the %d MiB that it may keep %d are taken: when it is full nothing is acknowledged",
			js.MaxStore>>20, v.JetStream.Stats.Store>>20), "make room on its disk, raise max_file_store in "+
			"jetstream, and restart it")
	}
	if v.MQTT.Port != 0 {
		e.lost(of, "it takes MQTT, and would keep payloads in clear", "take mqtt out of its configuration")
	}
	if v.MaxPayload < engine.MaxPayload {
		e.lost(of, fmt.Sprintf("max_payload is %d: longer entries are refused", v.MaxPayload),
			fmt.Sprintf("set max_payload: %d or more", engine.MaxPayload))
	}
	if !v.TLSRequired || v.Cluster.Name != "" && !v.Cluster.TLSRequired {
		e.note(of, "connections to it are not encrypted",
			"set tls, for clients and in cluster, as configs/nats.conf does")
	}
}

// zone is the tag that sets the server apart from the others; empty where none does.
func (v *varz) zone() string {
	if v.JetStream.Config == nil || v.JetStream.Config.UniqueTag == "" {
		return ""
	}
	for _, tag := range v.Tags {
		if strings.HasPrefix(tag, v.JetStream.Config.UniqueTag) {
			return tag
		}
	}
	return ""
}

// varzs asks all servers, by the account of the system or one by one.
func (e *examination) varzs() ([]varz, error) {
	if e.System == nil && len(e.Monitors) == 0 {
		return nil, errors.New("the servers were not looked at: there is no way to ask them")
	}
	if e.System == nil {
		return e.monitored()
	}
	known := map[string]varz{}
	for begun := time.Now(); ; {
		err := e.pinged(known)
		if err != nil && (len(known) == 0 || errors.Is(err, errNoVarz)) {
			return nil, err
		}
		if err != nil || len(known) >= three || e.Single || time.Since(begun) >= e.Slow {
			break
		}
	}
	return slices.SortedFunc(maps.Values(known), func(a, b varz) int {
		return cmp.Compare(a.ServerName, b.ServerName)
	}), nil
}

var errNoVarz = errors.New("a server answers with something else than what it is")

// pinged asks all servers by the account of the system and adds who answers.
func (e *examination) pinged(known map[string]varz) error {
	var answers [][]byte
	err := e.System.AskAll(e.ctx, "$SYS.REQ.SERVER.PING.VARZ", nil, func(one []byte) bool {
		answers = append(answers, one)
		return len(answers) == mostServers
	})
	if err != nil {
		return err
	}
	for _, raw := range answers {
		var a struct{ Data *varz }
		if err := json.Unmarshal(raw, &a); err != nil || a.Data == nil {
			return errNoVarz
		}
		known[a.Data.ServerName] = *a.Data
	}
	return nil
}

func (e *examination) monitored() (all []varz, err error) {
	for i, at := range e.Monitors {
		if i == mostServers {
			break
		}
		v, err := monitor(e.ctx, at)
		if err != nil {
			return nil, fmt.Errorf("monitoring address %d: %w", i+1, err)
		}
		all = append(all, *v)
	}
	return all, nil
}

// monitor reads one server's monitoring endpoint.
func monitor(ctx context.Context, at string) (*varz, error) {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("it is not http://HOST:PORT")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath("varz").String(), nil)
	if err != nil {
		return nil, errors.New("it is not http://HOST:PORT")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, errors.New("it does not answer")
	}
	defer resp.Body.Close()
	var v varz
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&v); err != nil || v.ServerName == "" {
		return nil, errors.New("it answers with something else than /varz of nats-server")
	}
	return &v, nil
}
