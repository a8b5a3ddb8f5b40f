package bridge

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/history"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/bridge/origin"
	"github.com/clu-ws/clu-ws/bridge/problem"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// collector collects the counts that the link, the engine and the hub keep themselves. It
// implements [prometheus.Collector].
type collector struct{ b *Bridge }

// Describe sends nothing, so that collected metrics are not checked against descriptions.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the current values.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	b, s := c.b, sample(out)
	figures := b.hub.Figures()
	s.gauge(infoDesc, 1, b.cfg.Version, b.cfg.Name, b.cfg.Exchange, b.hub.Epoch)
	s.link(b)
	s.dropped(b)
	s.hub(figures)
	s.keywordHistory(b.keywordHistory)
	s.problems(b.problems)
	s.models(b.models.Stats())
	s.clients(b, figures)
	s.sources(b)
	s.presence(b.presence)
	s.engine(b.engine.Stats())
	s.certificates(b)
	s.audit(b.cfg.Audit.Stats())
	if b.access != nil {
		s.callback(b.access.CallbackStats())
	}
}

// sample receives the values of one collection.
type sample chan<- prometheus.Metric

func (s sample) gauge(d *prometheus.Desc, value float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (s sample) counter(d *prometheus.Desc, value float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
}

func (s sample) models(stats model.Stats) {
	s.counter(modelAskedDesc, float64(stats.Asked))
	for o, n := range stats.Outcomes {
		s.counter(modelEndedDesc, float64(n), model.Outcome(o).String())
	}
	s.gauge(modelsDesc, float64(stats.Models))
	s.gauge(modelBytesDesc, float64(stats.Bytes))
}

func (s sample) link(b *Bridge) {
	state, stats := b.link.State(), b.link.Stats()
	s.gauge(linkUpDesc, boolToFloat(state.Up))
	s.gauge(linkBlockedDesc, boolToFloat(state.Blocked != ""))
	s.gauge(linkNoRepliesDesc, boolToFloat(state.QueueDown != ""))
	s.gauge(linkStalledDesc, boolToFloat(b.link.ConfirmOverdue()))
	s.gauge(readyDesc, boolToFloat(b.health().Ready))
	s.gauge(waitingDesc, float64(stats.Pending))
	s.gauge(inFlightDesc, float64(stats.InFlight))
	s <- histogram(confirmDesc, stats.Confirms.Bounds, stats.Confirms.Counts, stats.Confirms.Sum)
}

// dropped sends the counters of messages that were not delivered and requests that were refused.
func (s sample) dropped(b *Bridge) {
	for reason, count := range withZeros(b.replyDrops.Counts(), dropReasons(actor.DropReasons())) {
		s.counter(droppedDesc, float64(count), reason)
	}
	for reason, count := range withZeros(b.roomDrops.Counts(), roomDropReasons()) {
		s.counter(roomDroppedDesc, float64(count), reason)
	}
	for reason, count := range withZeros(b.refusals.Counts(), refusalReasons()) {
		s.counter(refusedDesc, float64(count), reason)
	}
}

// certificates sends the ends of the certificates that there are.
func (s sample) certificates(b *Bridge) {
	ends := map[string]time.Time{"broker": b.link.Stats().CertificateEnd}
	if b.cfg.CertificateEnd != nil {
		ends["listener"] = b.cfg.CertificateEnd()
	}
	if b.cfg.TLS != nil && len(b.cfg.TLS.Certificates) > 0 && b.cfg.TLS.Certificates[0].Leaf != nil {
		ends["broker_client"] = b.cfg.TLS.Certificates[0].Leaf.NotAfter
	}
	for which, end := range ends {
		if !end.IsZero() {
			s.gauge(certificateDesc, float64(end.Unix()), which)
		}
	}
}

func (s sample) audit(stats audit.Stats) {
	s.counter(auditDesc, float64(stats.Written))
	s.counter(auditLostDesc, float64(stats.Lost))
	s.gauge(auditFailingDesc, boolToFloat(stats.Failing))
}

func (s sample) callback(stats access.CallbackStats) {
	s.gauge(callbackInFlightDesc, float64(stats.InFlight))
	s.gauge(callbackPeakDesc, float64(stats.Peak))
	s.gauge(callbackWaitingDesc, float64(stats.Waiting))
	s.counter(callbackUnknownDesc, float64(stats.Unknown))
	s.counter(callbackDroppedDesc, float64(stats.DroppedEvents))
}

func (s sample) hub(f hub.Figures) {
	s.gauge(historyDesc, float64(f.HistoryReplies))
	s.gauge(historyBytesDesc, float64(f.HistoryBytes))
	s.gauge(groupsDesc, float64(f.Groups))
	s.gauge(actorsDesc, float64(f.Actors))
	s.gauge(keywordsDesc, float64(f.Keywords))
	s.gauge(valuesDesc, float64(f.ValueBytes))
	s.counter(evictedDesc, float64(f.Evicted))
	s.gauge(seqDesc, float64(f.Seq))
}

func (s sample) problems(t *problem.Tracker) {
	counts := t.Counts()
	for level := site.Warn; level <= site.Critical; level++ {
		s.gauge(problemsDesc, float64(counts[level]), level.String())
	}
	s.counter(problemsOmittedDesc, float64(t.Omitted()))
}

func (s sample) keywordHistory(h *history.Store) {
	if h == nil {
		return
	}
	f := h.Figures()
	s.gauge(keywordHistoryDesc, float64(f.Bytes))
	s.gauge(keywordSeriesDesc, float64(f.Series))
	s.counter(keywordEvictedDesc, float64(f.EvictedChunks+f.EvictedSeries))
	s.counter(keywordLeftOutDesc, float64(f.LeftOut))
}

func (s sample) clients(b *Bridge, f hub.Figures) {
	inUse, inRooms := b.rooms.Len()
	resumable, resuming := b.resuming.Len()
	inUse, inRooms = inUse+resumable, inRooms+resuming
	plain := b.Clients() - f.V1Clients - inRooms
	byDialect := map[string]int{}
	for _, d := range b.dialects {
		n := int(d.clients.Load())
		byDialect[d.Name] += n
		plain -= n
	}
	for name, n := range byDialect {
		s.gauge(clientsDesc, float64(n), name)
	}
	s.gauge(clientsDesc, float64(max(0, plain)), "clu") // they were not all counted at the same moment
	s.gauge(clientsDesc, float64(inRooms), "room")
	s.gauge(clientsDesc, float64(f.V1Clients), "v1")
	s.gauge(roomsDesc, float64(inUse))
}

func (s sample) sources(b *Bridge) {
	for _, source := range b.sourceLinks {
		s.gauge(sourceUpDesc, boolToFloat(source.up()), source.Name())
		s.counter(roomMessagesDesc, float64(source.messages.Load()), source.Name())
		s.counter(sourceGapsDesc, float64(source.gaps.Load()), source.Name())
	}
}

func (s sample) presence(p *presence) {
	if p == nil {
		return
	}
	s.gauge(presenceUpDesc, boolToFloat(p.link.State().Up))
	for o := range p.outcomes {
		s.counter(presenceDesc, float64(p.outcomes[o].Load()), amqpx.Outcome(o).String())
	}
}

func (s sample) engine(stats engine.Stats) {
	s.counter(acceptedDesc, float64(stats.Accepted))
	s.gauge(parkedDesc, float64(stats.Parked))
	s.counter(clientsRefusedDesc, float64(stats.Rejected))
	s.counter(slowClosesDesc, float64(stats.SlowCloses))
	s.counter(slowSkipsDesc, float64(stats.Skips))
	s.counter(deliveriesDesc, float64(stats.Delivered))
	s.counter(deliveryBytesDesc, float64(stats.Bytes))
	s.counter(writesDesc, float64(stats.Writes))
	s.counter(receivedDesc, float64(stats.Received))
	s.gauge(mailDesc, float64(stats.Mail))
	s.gauge(backlogDesc, float64(stats.Backlog))
	s.gauge(incompleteDesc, float64(stats.Inbound))
	s.gauge(outboundDesc, float64(stats.Outbound))
	s.counter(panicsDesc, float64(stats.Panics))
	s.counter(stallsDesc, float64(stats.Pauses))
	s.counter(stallTimeDesc, stats.Paused.Seconds())
	s <- histogram(lagDesc, stats.Lag.Bounds[:], stats.Lag.Counts[:], stats.Lag.Sum)
}

// dropReasons returns the values of the label reason.
func dropReasons(drops []actor.DropReason) (reasons []string) {
	for _, d := range drops {
		reasons = append(reasons, d.Error())
	}
	return reasons
}

// roomDropReasons returns the reasons for which messages for rooms are dropped.
func roomDropReasons() []string {
	reasons := dropReasons([]actor.DropReason{actor.ErrNotDecoded, actor.ErrTooLong})
	for _, d := range rooms.DropReasons() {
		reasons = append(reasons, d.Error())
	}
	return reasons
}

// refusalReasons returns the reasons of cluws_refused_total.
func refusalReasons() []string {
	return append([]string{origin.KindOrigin, origin.KindHost, forwardedKind, pathKind}, engine.Kinds...)
}

// withZeros adds the reasons that have not occurred: Prometheus sees no increase in a counter that
// appears with its first event.
func withZeros(counts map[string]int, reasons []string) map[string]int {
	all := map[string]int{}
	for _, reason := range reasons {
		all[reason] = 0
	}
	maps.Copy(all, counts)
	return all
}

// histogram returns a histogram of counts that are not cumulative. The last count has no upper
// bound.
func histogram(d *prometheus.Desc, bounds []float64, counts []uint64, sum float64) prometheus.Metric {
	buckets, count := map[float64]uint64{}, uint64(0)
	for i, n := range counts {
		count += n
		if i < len(bounds) {
			buckets[bounds[i]] = count
		}
	}
	return prometheus.MustNewConstHistogram(d, count, sum, buckets)
}

func boolToFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
