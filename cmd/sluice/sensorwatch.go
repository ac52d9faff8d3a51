package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/admin"
)

// watchEvery is how often sensor watch asks.
const watchEvery = 2 * time.Second

// watchOptions are the flags of sensor watch.
type watchOptions struct {
	file         string
	once, asJSON bool
	shape        bool
	span         time.Duration
}

func watchCommand() *cobra.Command {
	var o watchOptions
	c := &cobra.Command{
		Use:   "watch -c FILE [--shape] [SENSOR...]",
		Short: "Watch what the sensors of a running gateway send, without what they say",
		Args:  cobra.ArbitraryArgs,
		Long: "For technicians, at the gateway's machine: it asks the admin address, which answers there only.\n" +
			"Of sensors about nobody it shows when each was heard last, its rate, and every code with its count; of\n" +
			"those about people only codes of the last full interval, as 1, 10 or 100; of those that stand for a\n" +
			"home how many there are. No value is shown of any.\n\n" +
			"With --shape it listens for a minute, and then shows how messages were built that fit no sensor, or\n" +
			"were refused for their shape: JSON pointers and types, with * for a key that may be data. The gateway\n" +
			"looks at nothing of the kind before or after.\n\n" +
			"On a terminal it refreshes in place; elsewhere it prints each line again that has changed. Exit codes:\n" +
			"0 done, 3 the configuration is refused, 4 the gateway does not answer.",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := readConfig(o.file)
			if err != nil {
				return err
			}
			a, err := newAdminClient(cfg.Admin)
			if err != nil {
				return err
			}
			if !o.shape {
				return o.watch(cmd.Context(), cmd.OutOrStdout(), a, args)
			}
			if len(args) > 0 || o.span < time.Second || o.span > admin.LongestLook {
				return &usageError{"--shape goes with no sensor, and with --for of 1s to 1m"}
			}
			return o.shapes(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), a)
		},
	}
	c.Flags().StringVarP(&o.file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	c.Flags().BoolVar(&o.once, "once", false, "look once")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print what the gateway answers, a line of JSON for each look")
	c.Flags().BoolVar(&o.shape, "shape", false, "show how messages are built that fit no sensor")
	c.Flags().DurationVar(&o.span, "for", admin.LongestLook, "how long --shape listens, a minute at most")
	return c
}

// watch looks again and again, until ctx ends.
func (o *watchOptions) watch(ctx context.Context, out io.Writer, a *adminClient, ids []string) error {
	show := printer(o.once, isTerminal(out))
	path := "/debug/sensors?" + url.Values{"sensor": ids}.Encode()
	for {
		raw, err := a.get(ctx, path)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		var seen admin.Sensors
		if err := json.Unmarshal(raw, &seen); err != nil {
			return unreachable(errors.New("the admin address answers something else than a gateway"))
		}
		missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return known(&seen, id) })
		switch {
		case len(missing) > 0 && len(missing) == len(ids):
		case o.asJSON:
			_, err = out.Write(raw)
		default:
			err = show(out, &seen, time.Now())
		}
		if len(missing) > 0 {
			return errors.Join(err,
				&usageError{fmt.Sprintf("no sensor %+q is shown: it is not in the register that the "+
					"gateway has read, or it is one of those that are only counted", missing[0])})
		}
		if err != nil || o.once {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}

func known(seen *admin.Sensors, id string) bool {
	for i := range seen.Sensors {
		if seen.Sensors[i].ID == id {
			return true
		}
	}
	return false
}

// adminClient asks the admin address of a gateway on this machine.
type adminClient struct{ addr string }

// longestWatch bounds an answer: a hundred thousand sensors, each with some codes.
const longestWatch = 256 << 20

// newAdminClient finds out where to ask: an address of all networks answers on loopback too.
func newAdminClient(addr string) (*adminClient, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "0" {
		return nil, &usageError{"the configuration's admin: names no port; give it one, such as 127.0.0.1:9090"}
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return &adminClient{net.JoinHostPort(host, port)}, nil
}

// get asks for a path by a name of loopback, whatever the configuration calls the machine.
func (a *adminClient) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.addr+path, nil)
	if err != nil {
		return nil, err
	}
	req.Host = "localhost"
	client := http.Client{Transport: &http.Transport{}, Timeout: 2 * time.Minute}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return nil, unreachable(fmt.Errorf("no gateway answers at %s: is it running, with this configuration?", a.addr))
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, longestWatch))
	switch {
	case err != nil:
		return nil, unreachable(fmt.Errorf("the answer of %s breaks off", a.addr))
	case resp.StatusCode == http.StatusNotFound:
		return nil, unreachable(fmt.Errorf("the gateway at %s starts, or is of an older version; try again", a.addr))
	case resp.StatusCode != http.StatusOK:
		return nil, unreachable(errors.New(strings.TrimSpace(string(raw[:min(len(raw), 200)]))))
	}
	return raw, nil
}
