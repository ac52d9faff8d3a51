package admin

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"sluice/gateway/ingest"
	"sluice/internal/crash"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("sluice_"+name, help, labels, nil)
}

// What is shown; docs/operations.md has a row for each.
var (
	receivedTotal = desc("received_total", "Readings received, whatever became of them.")
	readingsTotal = desc("readings_total", "Readings by what became of them.", "state", "code")
	partTotal     = desc("partition_readings_total", "Readings by what became of them, of the partitions of a cluster "+
		"that this machine owns.", "partition", "state", "code")
	partOpen = desc("partition_readings_open", "Readings in windows that are not closed, of such a partition.",
		"partition")
	readingsOpen = desc("readings_open", "Readings in windows that are not closed; with readings_total they are "+
		"readings received.")
	windowsOpen   = desc("windows_open", "Windows that are not closed.")
	outboxRows    = desc("outbox_rows", "Released windows that wait for the store.")
	outboxBytes   = desc("outbox_bytes", "Bytes that wait for the store.")
	releasesTotal = desc("releases_total", "Observations released since the start, by status.", "status")
	commitSeconds = desc("commit_seconds", "Group commits since the start: how many, and seconds in all.")
	policyVersion = desc("policy_version", "How many policy versions this gateway has run.")
	policyUntil   = desc("policy_until_seconds", "The nearest sunset of a decision in force, in seconds since 1970.")
	policyRefused = desc("policy_refused_total", "Policies refused since the start.", "code")
	budgetLeft    = desc("budget_left_ratio", "Share of the charter's budget left after each decision's last "+
		"reservation.", "decision")
	clockSeconds = desc("clock_seconds", "The gateway's clock, in seconds since 1970.")
	storeRefused = desc("store_refused_rows", "Released numbers that the store has refused for good, and that "+
		"are set aside.")
	storeDiffers = desc("store_differs_windows",
		"Windows in which the store differs from the journal, as last compared.", "how")
	clusterLeases = desc("cluster_leases", "Leases that this machine holds.")
	clusterDuties = desc("cluster_duties", "Partitions that this machine counts, and duties that it alone has.")
	clusterLost   = desc("cluster_leases_lost_total", "Leases lost since the start.")
	clusterFenced = desc("cluster_fenced_total", "How often since the start another machine had written where this "+
		"one was to.")
	clusterAck = desc("cluster_acknowledge_seconds",
		"Batches that the servers acknowledged since the start: how many, and seconds in all.")
	clusterWaits  = desc("cluster_waits", "Fronts and partitions that windows wait for, as this machine sees it.")
	clusterBehind = desc("cluster_behind_seconds",
		"By how much the last that was counted of a partition is older than the last that came.", "partition")
	partUp = desc("up", "1 when the part works.", "part")
)

var described = []*prometheus.Desc{
	receivedTotal, readingsTotal, readingsOpen, partTotal, partOpen,
	windowsOpen, releasesTotal, commitSeconds, outboxRows, outboxBytes,
	clockSeconds, policyVersion, policyUntil, policyRefused, budgetLeft, partUp, storeDiffers, storeRefused,
	clusterLeases, clusterDuties, clusterLost, clusterFenced, clusterAck, clusterBehind, clusterWaits,
}

// metrics reads the reports when it is asked; it keeps no numbers of its own.
type metrics struct {
	src      *Sources
	registry *prometheus.Registry
	hour     hourly
}

func newMetrics(src *Sources) *metrics {
	m := &metrics{src: src, registry: prometheus.NewRegistry()}
	m.registry.MustRegister(m)
	if src.Simulation { // bytes received and memory in use tell of each reading
		m.registry.MustRegister(collectors.NewGoCollector(),
			collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range described {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	// The registry calls this in a goroutine of its own.
	defer crash.Catch(func(e *crash.Error) { ch <- prometheus.NewInvalidMetric(partUp, e) })
	r := m.src.Report()
	emit := emitter(func(x prometheus.Metric) { ch <- x })
	if m.src.Simulation {
		m.traffic(emit, r)
	} else {
		for _, x := range m.hour.of(r.Now, func(emit emitter) { m.traffic(emit, r) }) {
			ch <- x
		}
	}
	m.policy(emit, r.Now)
	m.parts(emit)
	if m.src.Cluster != nil {
		m.cluster(emit)
	}
}

// cluster shows what this machine does beside others.
func (m *metrics) cluster(emit emitter) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c := m.src.Cluster()
	emit.gauge(clusterLeases, float64(c.Leases))
	emit.gauge(clusterDuties, float64(c.Duties))
	emit.counter(clusterLost, c.Lost)
	emit.counter(clusterFenced, c.Fenced)
	emit.gauge(clusterWaits, float64(c.Waits))
	for partition, d := range m.src.Behind(ctx) {
		emit.gauge(clusterBehind, d.Seconds(), strconv.Itoa(partition))
	}
}

// emitter takes metrics.
type emitter func(prometheus.Metric)

func (e emitter) counter(d *prometheus.Desc, v int64, labels ...string) {
	e(prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...))
}

func (e emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e(prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
}

// states are readings by what became of them, under labels that come first.
func (e emitter) states(d *prometheus.Desc, r ingest.Report, labels ...string) {
	with := func(state, code string) []string { return append(slices.Clone(labels), state, code) }
	e.counter(d, r.Counted, with("counted", "")...)
	e.counter(d, r.Duplicate, with("duplicate", "E303")...)
	e.counter(d, r.Ignored, with("ignored", "")...)
	e.counter(d, r.Late, with("late", "E302")...)
	for code, n := range r.Refused {
		e.counter(d, n, with("refused", code)...)
	}
}

// hourly is what changes once an hour: when something came tells of people.
type hourly struct {
	mu   sync.Mutex
	hour time.Time           // guarded by mu
	list []prometheus.Metric // guarded by mu
}

// of is what was drawn first in the hour.
func (h *hourly) of(now time.Time, draw func(emitter)) []prometheus.Metric {
	h.mu.Lock()
	defer h.mu.Unlock()
	if hour := now.Truncate(time.Hour); h.list == nil || !hour.Equal(h.hour) {
		h.hour, h.list = hour, nil
		draw(func(x prometheus.Metric) { h.list = append(h.list, x) })
	}
	return h.list
}

// traffic shows what comes in, and what goes out.
func (m *metrics) traffic(emit emitter, r ingest.Report) {
	counter, gauge := emit.counter, emit.gauge
	counter(receivedTotal, r.Received)
	emit.states(readingsTotal, r)
	gauge(readingsOpen, float64(r.Open))
	for n, one := range r.Partitions {
		emit.states(partTotal, one, strconv.Itoa(n))
		gauge(partOpen, float64(one.Open), strconv.Itoa(n))
	}
	gauge(windowsOpen, float64(r.Windows))
	if !r.Now.IsZero() {
		gauge(clockSeconds, float64(r.Now.UnixNano())/1e9)
	}
	emit(prometheus.MustNewConstSummary(commitSeconds, r.Commits, r.CommitTime.Seconds(), nil))
	if m.src.Cluster != nil {
		c := m.src.Cluster()
		emit(prometheus.MustNewConstSummary(clusterAck, c.Batches, c.Acknowledged.Seconds(), nil))
	}
	for status, n := range m.src.Released() {
		counter(releasesTotal, n, string(status))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if rows, bytes, err := m.src.Outbox.Waiting(ctx); err == nil {
		gauge(outboxRows, float64(rows))
		gauge(outboxBytes, float64(bytes))
	}
}

// parts shows what works and what is to be done.
func (m *metrics) parts(emit emitter) {
	gauge := emit.gauge
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, rows, _, err := m.src.Asides.Count(ctx); err == nil {
		gauge(storeRefused, float64(rows))
	}
	lacks, more := m.src.StoreDiffers()
	gauge(storeDiffers, float64(lacks), "missing")
	gauge(storeDiffers, float64(more), "extra")
	for part, c := range m.src.health.ask() {
		v := 1.0
		if !c.OK {
			v = 0
		}
		gauge(partUp, v, part)
	}
}

// policy shows versions, the nearest sunset and what is left of budgets. The
// decisions are a closed list: those of the policy in force.
func (m *metrics) policy(emit emitter, now time.Time) {
	counter, gauge := emit.counter, emit.gauge
	p := m.src.Policy()
	gauge(policyVersion, float64(p.Versions))
	for code, n := range p.Refused {
		counter(policyRefused, int64(n), string(code))
	}
	if len(p.Streams) == 0 {
		return
	}
	var nearest time.Time
	for _, s := range p.Streams {
		if s.InForce(now) && (nearest.IsZero() || s.Until.Before(nearest)) {
			nearest = s.Until
		}
	}
	if !nearest.IsZero() {
		gauge(policyUntil, float64(nearest.Unix()))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	left, err := m.src.Budget.Left(ctx)
	if err != nil {
		return
	}
	for _, s := range p.Streams {
		if ratio, ok := left[s.Decision]; ok {
			gauge(budgetLeft, ratio, s.Decision)
		}
	}
}
