package bridge

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/origin"
)

// metrics are the bridge's own counters, and a view of those that the link and
// the engine keep. All names start with cluws_.
type metrics struct {
	registry    *prometheus.Registry
	replies     prometheus.Counter
	gaps        prometheus.Counter
	gapSeconds  prometheus.Counter
	linkChanges *prometheus.CounterVec
	commands    [amqpx.Unknown + 1]prometheus.Counter // by outcome
	refused     prometheus.Counter
}

func newMetrics(b *Bridge) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	m.replies = counter("cluws_replies_total", "Replies that came from the broker and went to the clients.")
	m.gaps = counter("cluws_gaps_total", "Spans of time in which replies may have been lost.")
	m.gapSeconds = counter("cluws_gap_seconds_total", "Length of those spans together.")
	m.refused = counter("cluws_commands_refused_total", "Messages of clients that were no commands, or not allowed: nothing was sent.")
	m.linkChanges = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cluws_link_changes_total",
		Help: "Changes of the link to the broker, by its new state: up, blocked, no_replies or down."}, []string{"state"})
	commands := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cluws_commands_total",
		Help: "Commands by the outcome of their publishing."}, []string{"outcome"})
	for o := range m.commands {
		m.commands[o] = commands.WithLabelValues(amqpx.Outcome(o).String())
	}
	for _, state := range []string{"up", "blocked", "no_replies", "down"} {
		m.linkChanges.WithLabelValues(state) // so that all of them are there from the start
	}
	m.registry.MustRegister(m.linkChanges, commands, &collector{b},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) countLink(s amqpx.State) { m.linkChanges.WithLabelValues(brokerWord(s)).Inc() }

// collector collects what the link, the engine and the hub count for themselves.
type collector struct{ b *Bridge }

// describe is a metric's description.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("cluws_"+name, help, labels, nil)
}

// The descriptions of what a view collects.
var (
	infoDesc           = describe("info", "The bridge: always 1.", "version", "name", "exchange", "epoch")
	linkUpDesc         = describe("link_up", "1 while the bridge is linked to the broker.")
	linkBlockedDesc    = describe("link_blocked", "1 while the broker blocks publishers.")
	linkNoRepliesDesc  = describe("link_no_replies", "1 while the broker takes no replies into the bridge's queue or stream.")
	linkStalledDesc    = describe("link_stalled", "1 while the broker owes the confirm of a command that has ended as unknown.")
	readyDesc          = describe("ready", "1 while /readyz is 200.")
	droppedDesc        = describe("replies_dropped_total", "Messages that were no replies, by reason.", "reason")
	waitingDesc        = describe("publish_waiting", "Commands that wait to be sent.")
	inFlightDesc       = describe("publish_unconfirmed", "Commands sent and not confirmed yet.")
	confirmDesc        = describe("confirm_seconds", "From the sending of a command to the broker's confirm.")
	historyDesc        = describe("history_replies", "Replies kept for clients that resume.")
	historyBytesDesc   = describe("history_bytes", "Memory that they take.")
	groupsDesc         = describe("groups", "Different sets of subscriptions that v1 clients have.")
	actorsDesc         = describe("snapshot_actors", "Actors whose last values are known.")
	keywordsDesc       = describe("snapshot_keywords", "Keywords of theirs.")
	valuesDesc         = describe("snapshot_bytes", "Memory that their last values take.")
	evictedDesc        = describe("snapshot_evicted_total", "Actors and keywords forgotten for want of room.")
	seqDesc            = describe("seq", "Number of the last reply.")
	clientsDesc        = describe("clients", "WebSocket clients that are connected, by what they speak.", "protocol")
	roomsDesc          = describe("rooms", "Rooms with clients that connected to their paths.")
	sourceUpDesc       = describe("source_up", "1 while the bridge is linked to an exchange of rooms, and the broker takes its messages into the bridge's queue.", "exchange")
	roomDroppedDesc    = describe("room_messages_dropped_total", "Messages for rooms that could not be unpacked, by reason.", "reason")
	roomMessagesDesc   = describe("room_messages_total", "Messages that came from an exchange of rooms.", "exchange")
	sourceGapsDesc     = describe("source_gaps_total", "Spans of time in which messages for rooms may have been lost.", "exchange")
	presenceUpDesc     = describe("presence_up", "1 while the bridge is linked to the exchange of presence.")
	presenceDesc       = describe("presence_total", "Messages of who connects and leaves, by the outcome of their publishing: all but confirmed may be lost.", "outcome")
	acceptedDesc       = describe("clients_accepted_total", "WebSocket clients that have connected.")
	clientsRefusedDesc = describe("clients_turned_away_total", "Connections refused for their number.")
	refusedDesc        = describe("refused_total", "Requests that were turned away, by reason.", "reason")
	slowClosesDesc     = describe("slow_closes_total", "Clients closed because they read too slowly.")
	slowSkipsDesc      = describe("slow_skips_total", "Times that a client that read too slowly skipped replies.")
	deliveriesDesc     = describe("deliveries_total", "Frames written to clients.")
	deliveryBytesDesc  = describe("delivery_bytes_total", "Bytes written to clients.")
	writesDesc         = describe("delivery_writes_total", "Writes to clients' sockets. Each may bring many frames.")
	receivedDesc       = describe("messages_received_total", "Messages that came from clients.")
	mailDesc           = describe("handover_bytes", "Frames handed over to the engine's loops and not taken up yet.")
	backlogDesc        = describe("backlog_bytes", "Frames kept for clients that have not read them.")
	incompleteDesc     = describe("incomplete_bytes", "Memory of messages from clients that are not complete.")
	outboundDesc       = describe("outbound_bytes", "Answers, snapshots and other frames that wait for single clients; what waits for many is counted once.")
	stallsDesc         = describe("stalls_total", "Times that the process stood still: it was stopped or suspended, or got no CPU.")
	panicsDesc         = describe("panics_total", "Faults of the bridge itself that ended a client's connection; the log has the stack.")
	stallTimeDesc      = describe("stall_seconds_total", "Length of those times together.")
	lagDesc            = describe("loop_lag_seconds", "How late the engine's loops come to their ticks.")
)

// Describe sends nothing: the view is not checked against its descriptions.
func (v *collector) Describe(chan<- *prometheus.Desc) {}

// Collect takes the figures as they are now.
func (v *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
	}
	b := v.b
	state, health := b.link.State(), b.health()
	hub := b.hub.Figures()
	gauge(infoDesc, 1, b.cfg.Version, b.cfg.Name, b.cfg.Exchange, b.hub.Epoch)
	gauge(linkUpDesc, boolToFloat(state.Up))
	gauge(linkBlockedDesc, boolToFloat(state.Blocked != ""))
	gauge(linkNoRepliesDesc, boolToFloat(state.QueueDown != ""))
	gauge(linkStalledDesc, boolToFloat(b.link.ConfirmOverdue()))
	gauge(readyDesc, boolToFloat(health.Ready))
	for reason, count := range withZeros(health.Dropped, dropReasons(actor.DropReasons())) {
		counter(droppedDesc, float64(count), reason)
	}
	for reason, count := range withZeros(b.roomDrops.counts(), dropReasons([]actor.DropReason{actor.ErrNotDecoded, actor.ErrTooLong})) {
		counter(roomDroppedDesc, float64(count), reason)
	}
	link := b.link.Stats()
	gauge(waitingDesc, float64(link.Pending))
	gauge(inFlightDesc, float64(link.InFlight))
	out <- histogram(confirmDesc, link.Confirms.Bounds, link.Confirms.Counts, link.Confirms.Sum)
	gauge(historyDesc, float64(hub.HistoryReplies))
	gauge(historyBytesDesc, float64(hub.HistoryBytes))
	gauge(groupsDesc, float64(hub.Groups))
	gauge(actorsDesc, float64(hub.Actors))
	gauge(keywordsDesc, float64(hub.Keywords))
	gauge(valuesDesc, float64(hub.ValueBytes))
	counter(evictedDesc, float64(hub.Evicted))
	gauge(seqDesc, float64(hub.Seq))
	s := b.engine.Stats()
	rooms, inRooms := b.rooms.Len()
	gauge(clientsDesc, float64(max(0, s.Connections-hub.V1Clients-inRooms)), "clu") // the three are not of one moment
	gauge(clientsDesc, float64(inRooms), "room")
	gauge(clientsDesc, float64(hub.V1Clients), "v1")
	gauge(roomsDesc, float64(rooms))
	for _, f := range b.sourceLinks {
		state := f.link.State()
		gauge(sourceUpDesc, boolToFloat(state.Up && state.QueueDown == ""), f.Exchange)
		counter(roomMessagesDesc, float64(f.messages.Load()), f.Exchange)
		counter(sourceGapsDesc, float64(f.gaps.Load()), f.Exchange)
	}
	if b.presence != nil {
		gauge(presenceUpDesc, boolToFloat(b.presence.link.State().Up))
		for o := range b.presence.outcomes {
			counter(presenceDesc, float64(b.presence.outcomes[o].Load()), amqpx.Outcome(o).String())
		}
	}
	counter(acceptedDesc, float64(s.Accepted))
	counter(clientsRefusedDesc, float64(s.Rejected))
	for reason, count := range withZeros(b.refusals.counts(), refusalReasons()) {
		counter(refusedDesc, float64(count), reason)
	}
	counter(slowClosesDesc, float64(s.SlowCloses))
	counter(slowSkipsDesc, float64(s.Skips))
	counter(deliveriesDesc, float64(s.Delivered))
	counter(deliveryBytesDesc, float64(s.Bytes))
	counter(writesDesc, float64(s.Writes))
	counter(receivedDesc, float64(s.Received))
	gauge(mailDesc, float64(s.Mail))
	gauge(backlogDesc, float64(s.Backlog))
	gauge(incompleteDesc, float64(s.Inbound))
	gauge(outboundDesc, float64(s.Outbound))
	counter(panicsDesc, float64(s.Panics))
	counter(stallsDesc, float64(s.Stalls))
	counter(stallTimeDesc, s.Stalled.Seconds())
	out <- histogram(lagDesc, s.Lag.Bounds[:], s.Lag.Counts[:], s.Lag.Sum)
}

// dropReasons are the values of a label.
func dropReasons(drops []actor.DropReason) (reasons []string) {
	for _, d := range drops {
		reasons = append(reasons, d.Error())
	}
	return reasons
}

// refusalReasons are those of cluws_refused_total.
func refusalReasons() []string {
	return append([]string{origin.KindOrigin, origin.KindHost, forwardedKind, pathKind}, engine.Kinds...)
}

// withZeros adds the reasons that have not come up: a counter that appears with its first
// event has no increase that Prometheus could see.
func withZeros(counts map[string]int, reasons []string) map[string]int {
	all := map[string]int{}
	for _, reason := range reasons {
		all[reason] = 0
	}
	maps.Copy(all, counts)
	return all
}

// histogram makes a histogram of counts that are not cumulative, the last of which
// has no bound.
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
