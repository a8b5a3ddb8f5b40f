package dialect

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what a dialect does. Nil counts nothing.
type Metrics struct {
	messages, dropped       prometheus.Counter
	subscriptions, inFlight prometheus.Gauge
	published               *prometheus.CounterVec
	callbacks               [len(outcomes)]prometheus.Counter
	callbackSeconds         prometheus.Observer
}

// AllMetrics are those of all dialects, by their names.
type AllMetrics struct {
	messages, dropped, published, callbacks *prometheus.CounterVec
	subscriptions, inFlight                 *prometheus.GaugeVec
	callbackSeconds                         *prometheus.HistogramVec
}

// Outcome is how a request to a backend has ended.
type Outcome int

// The outcomes.
const (
	Answered  Outcome = iota // with success
	Refused                  // with the status 401 or 403
	Failed                   // without an answer, or with one that cannot be used
	Abandoned                // the client left first
)

var outcomes = [...]string{"answered", "refused", "failed", "abandoned"}

// OutcomeOf returns the outcome of a request that was answered with a status.
func OutcomeOf(status int) Outcome {
	switch {
	case status < http.StatusBadRequest:
		return Answered
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Refused
	}
	return Failed
}

// NewMetrics registers the metrics of dialects.
func NewMetrics(registry prometheus.Registerer) *AllMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cluws_dialect_" + name, Help: help}, append([]string{"dialect"}, labels...))
		registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "cluws_dialect_" + name, Help: help}, []string{"dialect"})
		registry.MustRegister(g)
		return g
	}
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "cluws_dialect_callback_seconds",
		Help: "How long requests to backends take, with the wait for their turn.", Buckets: []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 15}}, []string{"dialect"})
	registry.MustRegister(seconds)
	return &AllMetrics{
		messages:        counter("messages_total", "Messages of backends for the rooms of a dialect."),
		dropped:         counter("messages_dropped_total", "Those that its clients cannot get."),
		published:       counter("published_total", "Messages to backends, by the outcome of their publishing.", "outcome"),
		callbacks:       counter("callbacks_total", "Requests to backends that have ended, by what became of them.", "outcome"),
		subscriptions:   gauge("subscriptions", "Subscriptions of the clients of a dialect."),
		inFlight:        gauge("callbacks_in_flight", "Requests to backends that wait for their turn or their answer."),
		callbackSeconds: seconds,
	}
}

// For returns the metrics of a dialect.
func (a *AllMetrics) For(name string) *Metrics {
	m := &Metrics{
		messages: a.messages.WithLabelValues(name), dropped: a.dropped.WithLabelValues(name),
		subscriptions: a.subscriptions.WithLabelValues(name), inFlight: a.inFlight.WithLabelValues(name),
		published: a.published.MustCurryWith(prometheus.Labels{"dialect": name}), callbackSeconds: a.callbackSeconds.WithLabelValues(name),
	}
	for o := range m.callbacks {
		m.callbacks[o] = a.callbacks.WithLabelValues(name, outcomes[o])
	}
	return m
}

// Message counts a message of a backend.
func (m *Metrics) Message() {
	if m != nil {
		m.messages.Inc()
	}
}

// Dropped counts a message that clients cannot get.
func (m *Metrics) Dropped() {
	if m != nil {
		m.dropped.Inc()
	}
}

// Subscriptions counts subscriptions that begin, or end.
func (m *Metrics) Subscriptions(more int) {
	if m != nil {
		m.subscriptions.Add(float64(more))
	}
}

// Publishing says that messages to backends may have an outcome.
func (m *Metrics) Publishing(outcome string) {
	if m != nil {
		m.published.WithLabelValues(outcome)
	}
}

// Published counts a message to a backend.
func (m *Metrics) Published(outcome string) {
	if m != nil {
		m.published.WithLabelValues(outcome).Inc()
	}
}

// Asked counts a request to a backend. Its result must be called once the request has ended.
func (m *Metrics) Asked() (ended func(Outcome)) {
	if m == nil {
		return func(Outcome) {}
	}
	began := time.Now()
	m.inFlight.Inc()
	return func(o Outcome) {
		m.inFlight.Dec()
		m.callbacks[o].Inc()
		if o != Abandoned {
			m.callbackSeconds.Observe(time.Since(began).Seconds())
		}
	}
}
