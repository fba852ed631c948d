package web

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tickler/scheduler"
	"tickler/store"
)

// metrics translates what the scheduler knows of itself, and counts requests.
// No label names a customer, a person or a branch.
type metrics struct {
	scheduler *scheduler.Scheduler
	requests  *prometheus.CounterVec // by verb and outcome
	refused   *prometheus.CounterVec // by reason, before any work was done
	faults    prometheus.Counter
	registry  *prometheus.Registry
}

func newMetrics(s *scheduler.Scheduler) *metrics {
	m := &metrics{
		scheduler: s,
		requests:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tickler_requests_total", Help: "Requests answered, by verb and by the kind of answer."}, []string{"verb", "outcome"}),
		refused:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tickler_requests_refused_total", Help: "Requests turned away before any work was done: busy, too_large, slow."}, []string{"reason"}),
		faults:    prometheus.NewCounter(prometheus.CounterOpts{Name: "tickler_request_faults_total", Help: "Requests at which the program failed."}),
		registry:  prometheus.NewRegistry(),
	}
	for _, reason := range []string{refusedBusy, refusedLarge, refusedSlow} {
		m.refused.WithLabelValues(reason)
	}
	m.registry.MustRegister(m, m.requests, m.refused, m.faults,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler answers a scrape.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// about describes a metric; labels are the names of its labels.
func about(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tickler_"+name, help, labels, nil)
}

var (
	descBuild        = about("build_info", "The program; always 1.", "version", "goversion")
	descHealthy      = about("healthy", "1 where /healthz answers 200.")
	descStarted      = about("start_timestamp_seconds", "When the daemon started.")
	descLastScan     = about("last_scan_success_timestamp_seconds", "When a scan last succeeded; 0 before the first.")
	descScan         = about("scan_duration_seconds", "How long scans that succeeded took.")
	descScansFailed  = about("scans_failed_total", "Scans that failed.")
	descSubjects     = about("failed_subjects", "Subjects that could not be worked out at the last scan.")
	descBookGood     = about("rulebook_last_reload_successful", "1 where the rulebook's file as it stands was taken.")
	descBookTaken    = about("rulebook_last_reload_success_timestamp_seconds", "When the rulebook's file was last read and good.")
	descBook         = about("rulebook_info", "The rulebook in force; always 1.", "digest")
	descBookHeld     = about("rulebook_held", "1 where the rulebook's file waits for a second person.")
	descCalGood      = about("calendar_last_reload_successful", "1 where the calendar's files as they stand were taken.")
	descCalTaken     = about("calendar_last_reload_success_timestamp_seconds", "When the calendar's files were last read and good.")
	descCal          = about("calendar_info", "The calendar in force; always 1.", "digest")
	descClockAhead   = about("clock_ahead_seconds", "By how much the wall clock is ahead of the time that passed; negative where it was set back.")
	descClockHeld    = about("clock_held", "1 where the clock jumped too far, and raising waits.")
	descBackup       = about("last_backup_timestamp_seconds", "When the newest of the daemon's backups was made; 0 where there is none.")
	descCommit       = about("store_commit_duration_seconds", "How long commits took to be safe on the disk.")
	descCommitFailed = about("store_commits_failed_total", "Commits that failed.")
	descViews        = about("store_open_read_transactions", "Reads of the store that are open.")
	descOldest       = about("store_oldest_read_transaction_seconds", "How long the oldest of them has been open.")
	descTooLong      = about("store_reads_ended_total", "Reads that were ended because they took too long.")
	descSize         = about("store_size_bytes", "Size of the store's file.")
	descFree         = about("disk_free_bytes", "Free bytes of the disk that holds the store.")
	descCounted      = about("census_timestamp_seconds", "When obligations, messages and the audit trail were last counted through.")
	descObligations  = about("obligations", "Obligations by state, as of the census.", "state")
	descOverdue      = about("obligations_overdue", "Obligations overdue, as of the census.")
	descRaised       = about("obligations_raised_total", "Obligations ever raised, as of the census.")
	descMessages     = about("messages_total", "Messages ever put into the outbox, as of the census.")
	descUnsent       = about("outbox_unsent", "Messages in the outbox, as of the census.")
	descUnsentAge    = about("outbox_oldest_timestamp_seconds", "When the oldest of them was put there; 0 where there is none.")
	descAudit        = about("audit_sequence", "Number of the newest audit record, as of the census.")
)

// Describe is prometheus.Collector's: the names above are the program's own.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) { ch <- descBuild }

// Collect is prometheus.Collector's. It reads what is in memory.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	v := m.scheduler.Vitals(context.Background())
	gauge := func(d *prometheus.Desc, x float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, x, labels...)
	}
	total := func(d *prometheus.Desc, x uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(x))
	}
	histogram := func(d *prometheus.Desc, h store.Histogram) {
		ch <- prometheus.MustNewConstHistogram(d, h.Count, h.Sum, h.Buckets)
	}
	gauge(descBuild, 1, v.Version, runtime.Version())
	gauge(descHealthy, yes(v.Healthy))
	gauge(descStarted, seconds(v.Started))
	gauge(descLastScan, seconds(v.LastScan))
	histogram(descScan, v.Scans)
	total(descScansFailed, v.ScansFailed)
	gauge(descSubjects, float64(v.Subjects))
	gauge(descBookGood, yes(v.Rulebook.Good))
	gauge(descBookTaken, seconds(v.Rulebook.Taken))
	gauge(descBook, 1, v.Rulebook.Digest)
	gauge(descBookHeld, yes(v.Rulebook.Held))
	gauge(descCalGood, yes(v.Calendar.Good))
	gauge(descCalTaken, seconds(v.Calendar.Taken))
	gauge(descCal, 1, v.Calendar.Digest)
	gauge(descClockAhead, v.ClockAhead.Seconds())
	gauge(descClockHeld, yes(v.ClockHeld))
	gauge(descBackup, seconds(v.LastBackup))
	histogram(descCommit, v.Store.Commits)
	total(descCommitFailed, v.Store.Failed)
	gauge(descViews, float64(v.Store.Views))
	gauge(descOldest, v.Store.Oldest.Seconds())
	total(descTooLong, v.Store.TooLong)
	if v.Size >= 0 {
		gauge(descSize, float64(v.Size))
	}
	if v.FreeIsKnown {
		gauge(descFree, float64(v.Free))
	}
	if c := v.Census; c != nil {
		gauge(descCounted, seconds(c.At))
		for state, n := range c.States {
			gauge(descObligations, float64(n), string(state))
		}
		gauge(descOverdue, float64(c.Overdue))
		total(descRaised, uint64(c.Raised))
		total(descMessages, c.Messages)
		gauge(descUnsent, float64(c.Unsent))
		gauge(descUnsentAge, seconds(c.Oldest))
		gauge(descAudit, float64(c.AuditSeq))
	}
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds is a moment as Prometheus has it; 0 where there is none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
