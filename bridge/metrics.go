package bridge

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/clu-ws/clu-ws/amqpx"
)

// metrics holds the bridge's own counters, and a collector of those that its parts keep. All names
// begin with cluws_.
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
	m.replies = counter("cluws_replies_total", "Replies from the broker that went to the clients.")
	m.gaps = counter("cluws_gaps_total", "Spans of time in which replies may have been lost.")
	m.gapSeconds = counter("cluws_gap_seconds_total", "Total length of those spans.")
	m.refused = counter("cluws_commands_refused_total", "Messages of clients that were no valid commands, or not allowed: nothing was sent.")
	m.linkChanges = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cluws_link_changes_total",
		Help: "Changes of the link to the broker, by its new state: up, blocked, no_replies or down."}, []string{"state"})
	commands := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cluws_commands_total",
		Help: "Commands by the outcome of their publishing."}, []string{"outcome"})
	for o := range m.commands {
		m.commands[o] = commands.WithLabelValues(amqpx.Outcome(o).String())
	}
	for _, state := range []string{"up", "blocked", "no_replies", "down"} {
		m.linkChanges.WithLabelValues(state) // so that each counter exists from the start
	}
	m.registry.MustRegister(m.linkChanges, commands, &collector{b},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) countLink(s amqpx.State) { m.linkChanges.WithLabelValues(brokerWord(s)).Inc() }

// describe returns the description of a metric.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("cluws_"+name, help, labels, nil)
}

// The descriptions of the metrics that are collected.
var (
	infoDesc             = describe("info", "The bridge: always 1.", "version", "name", "exchange", "epoch")
	linkUpDesc           = describe("link_up", "1 while the bridge is linked to the broker.")
	linkBlockedDesc      = describe("link_blocked", "1 while the broker blocks publishers.")
	linkNoRepliesDesc    = describe("link_no_replies", "1 while the broker takes no replies into the bridge's queue or stream.")
	linkStalledDesc      = describe("link_stalled", "1 while the broker has not confirmed a command that has ended as unknown.")
	certificateDesc      = describe("tls_certificate_not_after_timestamp_seconds", "When a certificate ends: the listeners', the broker's, or the bridge's own at the broker.", "certificate")
	readyDesc            = describe("ready", "1 while /readyz is 200.")
	droppedDesc          = describe("replies_dropped_total", "Messages that were no replies, by reason.", "reason")
	waitingDesc          = describe("publish_waiting", "Commands that wait to be sent.")
	inFlightDesc         = describe("publish_unconfirmed", "Commands sent and not confirmed yet.")
	confirmDesc          = describe("confirm_seconds", "From the sending of a command to the broker's confirm.")
	historyDesc          = describe("history_replies", "Replies kept for clients that resume.")
	historyBytesDesc     = describe("history_bytes", "Memory of the replies that are kept.")
	keywordHistoryDesc   = describe("keyword_history_bytes", "Memory of what keywords were.")
	keywordSeriesDesc    = describe("keyword_history_series", "Keywords, their members and items of which it is known what they were.")
	keywordEvictedDesc   = describe("keyword_history_evicted_total", "Parts of what keywords were, each of some hundred changes or an hour, that were dropped for want of memory.")
	keywordLeftOutDesc   = describe("keyword_history_left_out_total", "Members and items whose values were not kept: items of too long lists, what was too deep, and names that are too long.")
	groupsDesc           = describe("groups", "Different sets of subscriptions that v1 clients have.")
	actorsDesc           = describe("snapshot_actors", "Actors whose last values are known.")
	keywordsDesc         = describe("snapshot_keywords", "Keywords of these actors.")
	valuesDesc           = describe("snapshot_bytes", "Memory of the last values of the keywords.")
	evictedDesc          = describe("snapshot_evicted_total", "Actors and keywords that were evicted because of the limits.")
	problemsDesc         = describe("problems", "Problems of actors that nobody has acknowledged, by level.", "level")
	problemsOmittedDesc  = describe("problems_omitted_total", "Replies that told of a problem of an actor for which there was no space.")
	modelAskedDesc       = describe("model_questions_total", "Questions to actors about their commands and keywords.")
	modelEndedDesc       = describe("model_questions_ended_total", "Those that are no longer open, by what became of them.", "outcome")
	modelsDesc           = describe("models", "Actors of which it is kept what they told of themselves.")
	modelBytesDesc       = describe("model_bytes", "Memory of what they told, roughly.")
	seqDesc              = describe("seq", "Number of the last reply.")
	clientsDesc          = describe("clients", "WebSocket clients that are connected, by what they speak.", "protocol")
	roomsDesc            = describe("rooms", "Rooms with clients that connected to their paths.")
	sourceUpDesc         = describe("source_up", "1 while the bridge is linked to an exchange of rooms, and the broker takes its messages into the bridge's queue.", "exchange")
	roomDroppedDesc      = describe("room_messages_dropped_total", "Messages for rooms that could not be unpacked, by reason.", "reason")
	roomMessagesDesc     = describe("room_messages_total", "Messages that came from an exchange of rooms.", "exchange")
	sourceGapsDesc       = describe("source_gaps_total", "Spans of time in which messages for rooms may have been lost.", "exchange")
	presenceUpDesc       = describe("presence_up", "1 while the bridge is linked to the exchange of presence.")
	presenceDesc         = describe("presence_total", "Messages about clients that connect and leave, by the outcome of their publishing: all but confirmed may be lost.", "outcome")
	acceptedDesc         = describe("clients_accepted_total", "WebSocket clients that have connected.")
	parkedDesc           = describe("clients_parked", "WebSocket clients that wait until it is known who they are.")
	clientsRefusedDesc   = describe("clients_turned_away_total", "Connections refused because there were too many.")
	refusedDesc          = describe("refused_total", "Requests that were refused, by reason.", "reason")
	slowClosesDesc       = describe("slow_closes_total", "Clients closed because they read too slowly.")
	slowSkipsDesc        = describe("slow_skips_total", "Times that a client that read too slowly skipped replies.")
	deliveriesDesc       = describe("deliveries_total", "Frames written to clients.")
	deliveryBytesDesc    = describe("delivery_bytes_total", "Bytes written to clients.")
	writesDesc           = describe("delivery_writes_total", "Writes to clients' sockets. Each may have many frames.")
	receivedDesc         = describe("messages_received_total", "Messages from clients.")
	mailDesc             = describe("handover_bytes", "Frames handed over to the engine's loops that these have not taken yet.")
	backlogDesc          = describe("backlog_bytes", "Frames kept for clients that have not read them.")
	incompleteDesc       = describe("incomplete_bytes", "Memory of incomplete messages from clients.")
	outboundDesc         = describe("outbound_bytes", "Answers, snapshots and other frames that wait for single clients; what waits for many is counted once.")
	callbackInFlightDesc = describe("callback_in_flight", "Requests to the callback that are not answered yet.")
	callbackPeakDesc     = describe("callback_in_flight_peak", "The most of them at the same time.")
	callbackWaitingDesc  = describe("callback_waiting", "Clients that wait until the callback can be asked about them.")
	callbackUnknownDesc  = describe("callback_unknown_total", "Requests to the callback without an answer that can be used.")
	callbackDroppedDesc  = describe("callback_events_dropped_total", "Events that the callback did not take.")
	auditDesc            = describe("audit_records_total", "Records in the audit log.")
	auditLostDesc        = describe("audit_lost_total", "Records that could not be written to the audit log.")
	auditFailingDesc     = describe("audit_failing", "1 while the audit log cannot be written.")
	stallsDesc           = describe("stalls_total", "Times that the process stood still: it was stopped or suspended, or got no CPU.")
	panicsDesc           = describe("panics_total", "Faults of the bridge itself that ended a client's connection; the log has the stack.")
	stallTimeDesc        = describe("stall_seconds_total", "Total length of those times.")
	lagDesc              = describe("loop_lag_seconds", "How late the engine's loops come to their ticks.")
)
