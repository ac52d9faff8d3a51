// Package influx keeps released observations in InfluxDB, 2.x or 1.8 with Flux.
//
//	measurement  the stream's id; in a simulation sim_ and the id
//	tags         cell, measure, every, gateway (which points of earlier versions have not)
//	timestamp    start of the window, in nanoseconds
//	fields       status, reason, epsilon, decision, policy, mechanism, scale, threshold,
//	             unit, zone, category (text), stop (ns), ledger (int), simulation (bool)
//	             on every point; value, low, high (float) only when published
//
// The two numbers of an epoch (see store.EpochCell) are points of its last window, with the
// cell ZONE/ and the measures units_epoch and units_bounded; every is the epoch's length.
//
// InfluxDB has no null, and no stand-in number is ever written. A point is known
// by its measurement, tags and time, so writing it again changes nothing. Only
// the blocking write interface is used: the other loses data silently.
package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/api/write"
	influxlog "github.com/influxdata/influxdb-client-go/v2/log"

	"sluice/perm"
	"sluice/store"
)

// Config names a bucket. With InfluxDB 1.8 the bucket is DATABASE/RETENTION and
// the token USER:PASSWORD, or none.
type Config struct {
	URL       string `yaml:"url"`
	Org       string `yaml:"org"`
	Bucket    string `yaml:"bucket"`
	TokenFile string `yaml:"token_file"`
}

// Check refuses what cannot be a bucket.
func (c *Config) Check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil:
		return errors.New("url is http://HOST:PORT or https://HOST:PORT; the token has a file of its own")
	case c.Bucket == "" || strings.ContainsAny(c.Bucket, "\"\\\n\r$"):
		return errors.New("bucket is missing; with InfluxDB 1.8 it is DATABASE/RETENTION, e.g. sluice/autogen")
	}
	return nil
}

const (
	timeout   = 10 * time.Second
	simPrefix = "sim_"
)

// Store reads and writes one bucket.
type Store struct {
	client influxdb2.Client
	writer api.WriteAPIBlocking
	url    string
	token  string
	org    string
	bucket string
}

// silence turns off the library's own logging: errors are returned and logged once. The
// library's logger is a global, so this is done once, before any client.
var silence = sync.OnceFunc(func() { influxlog.Log = nil })

// Open creates a client; it does not connect yet.
func Open(c Config) (*Store, error) {
	token := ""
	if c.TokenFile != "" {
		raw, err := perm.Read(c.TokenFile, perm.Secret)
		if err != nil {
			return nil, fmt.Errorf("store: influx: token_file: %w", err)
		}
		token = strings.TrimSpace(string(raw))
	}
	silence()
	o := influxdb2.DefaultOptions().SetPrecision(time.Nanosecond).SetHTTPClient(&http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// No proxy: the environment is not read.
		Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
			ResponseHeaderTimeout: timeout},
	})
	client := influxdb2.NewClientWithOptions(c.URL, token, o)
	return &Store{client, client.WriteAPIBlocking(c.Org, c.Bucket), c.URL, token, c.Org, c.Bucket}, nil
}

// Close closes the connections.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

// Write stores observations in one request. After any error, even of a partial write, all
// of them may be written again.
func (s *Store) Write(ctx context.Context, list []store.Observation) error {
	points := make([]*write.Point, len(list))
	for i, o := range list {
		if strings.HasPrefix(o.Stream, simPrefix) {
			return fmt.Errorf("%w: influx: a stream's id must not begin with %s", store.ErrRefused, simPrefix)
		}
		points[i] = point(o)
	}
	err := s.writer.WritePoint(ctx, points...)
	var e *influxhttp.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e) && slices.Contains(refusals, e.StatusCode):
		return fmt.Errorf("%w: %w", store.ErrRefused, explain(err))
	}
	return explain(err)
}

// refusals are InfluxDB's answers to points that it rejects, or to too many.
var refusals = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}

// Remove leaves points to InfluxDB, which removes them when the bucket's retention is over;
// nobody is shown them meanwhile. See docs/operations.md, and Kept.
func (s *Store) Remove(context.Context, string, string, []string, time.Time, int) (int, error) {
	return 0, nil
}

func point(o store.Observation) *write.Point {
	name := o.Stream
	if o.Simulation {
		name = simPrefix + name
	}
	fields := map[string]any{
		"status": string(o.Status), "reason": o.Reason, "epsilon": o.Epsilon, "decision": o.Decision,
		"policy":    o.Policy,
		"mechanism": o.Mechanism, "scale": o.Scale, "threshold": o.Threshold, "unit": o.Unit, "zone": o.Zone,
		"category": o.Category,
		"stop":     o.End.UnixNano(), "ledger": o.Ledger, "simulation": o.Simulation,
	}
	if o.Value != nil {
		fields["value"], fields["low"], fields["high"] = *o.Value, *o.Low, *o.High
	}
	tags := map[string]string{"cell": o.Cell, "measure": o.Measure, "every": o.Every}
	if o.Gateway != "" {
		tags["gateway"] = o.Gateway
	}
	return write.NewPoint(name, tags, fields, o.Start)
}

// explain adds to an error answer what to do about it.
func explain(err error) error {
	var e *influxhttp.Error
	if !errors.As(err, &e) || e.StatusCode == 0 {
		return errors.New("influx does not answer; start it, or mend the store's url")
	}
	hint, status := "see InfluxDB's own log", e.StatusCode
	if status == http.StatusInternalServerError && strings.Contains(e.Message, "no database") {
		status = http.StatusNotFound // InfluxDB 1.8, to a query
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = "check token_file: it must be allowed to read and write the bucket"
	case http.StatusNotFound:
		hint = "check org and bucket; with InfluxDB 1.8, make the database and set flux-enabled = true"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		hint = "InfluxDB refuses some points; check the bucket's retention and that nobody else writes to it"
	}
	return fmt.Errorf("influx answers %d; %s", e.StatusCode, hint)
}
