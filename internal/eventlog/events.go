package eventlog

// Other is the event of a line whose message is not in the table: what a library says.
const Other = "other"

// Dropped is the event of the line that says that lines were dropped, and droppedMessage its message.
const (
	Dropped        = "log_dropped"
	droppedMessage = "lines of the log were dropped because it was not read"
)

// Entry is an event and the messages that the source logs for it. Of a message that ends in a colon and a reason, the
// table has what is before the colon.
type Entry struct {
	Event    string
	Messages []string
}

// Entries returns all events, in the order of docs/operating.md.
func Entries() []Entry { return entries }

// byMessage has the event of each message.
var byMessage = func() map[string]string {
	events := map[string]string{}
	for _, e := range entries {
		for _, m := range e.Messages {
			events[m] = e.Event
		}
	}
	return events
}()

func entry(event string, messages ...string) Entry { return Entry{event, messages} }

// entries is the table.
var entries = []Entry{
	// The program.
	entry("ended", "the bridge has ended with an error"),
	entry("draining", "stopping; clients are served until no command's end is awaited"),
	entry("stopping", "stopping"),
	entry("quiesced", "asked to stop by a request to quiesce"),
	entry("drain_incomplete", "some clients did not close in time"),
	entry("process_paused", "the process was paused: messages that clients sent meanwhile are late"),
	entry(Dropped, droppedMessage),
	entry("config_reloaded", "the configuration was reloaded"),
	entry("config_kept", "the configuration cannot be used; nothing has changed"),
	entry("config_needs_restart", "some settings that have changed take effect at the next start"),
	entry("nothing_to_reload", "SIGHUP: there is nothing to reload without --config, --tls-cert or --audit"),
	entry("variable_ignored", "ignored an environment variable that Kubernetes sets for a Service of that name"),
	entry("variable_unknown", "an environment variable is unknown and has no effect"),
	entry("secret_exposed", "everyone on this machine may read a file with a secret; use chmod o-r"),
	entry("systemd_unnotified", "systemd is not notified of the bridge's state"),
	entry("listening", "serving clients"),
	entry("admin_listening", "serving metrics and health"),
	entry("admin_exposed", "commands, profiles and metrics are open to everyone who can reach this address; use --admin 127.0.0.1:9877, or a firewall"),
	entry("admin_failed", "the admin server failed"),
	entry("demo_failed", "the simulated actors ended"),

	// Listeners and certificates.
	entry("socket_inherited", "listening on a socket from systemd"),
	entry("tls_listening", "serving TLS with a certificate"),
	entry("proxy_untrusted", "a proxy names its clients' addresses, but is not trusted, so all clients have its own; if it is yours, name it with --trusted-proxy"),
	entry("tls_not_on_unix_socket", "serving a Unix socket without TLS"),
	entry("certificate_reloaded", "the certificate was reloaded; new clients see it"),
	entry("certificate_kept", "the certificate cannot be reloaded; the old one stays in use"),
	entry("certificate_expired", "the certificate has expired; browsers refuse it"),
	entry("credentials_in_clear", "credentials reach this address without encryption; use --tls-cert, or --host 127.0.0.1 behind a proxy"),
	entry("commands_exposed", "commands are open to everyone who can reach this address; say who may do what in the section access of --config (docs/access.md), or use --host 127.0.0.1 behind a proxy, or a firewall"),
	entry("origins_open", "every web page in a browser that can reach this address may send commands; list the pages that may with --origin"),
	entry("accept_failed", "cannot accept connections; is the limit on open files too low?", "cannot serve a connection", "cannot pass a connection to the HTTP server"),
	entry("http_server_ended", "the HTTP server ended"),

	// The link to the broker.
	entry("link_up", "linked to the broker"),
	entry("link_down", "not linked to the broker; trying again"),
	entry("link_address_failed", "some addresses of the broker failed; another one is used"),
	entry("redis_up", "linked to Redis"),
	entry("redis_down", "not linked to Redis; trying again"),
	entry("link_blocked", "the broker blocks publishers; publishes are refused"),
	entry("link_unblocked", "the broker reads publishers again"),
	entry("no_replies", "a queue takes no messages; the link stays up"),
	entry("replies_again", "the queue takes messages again"),
	entry("gap", "replies may have been lost before the link stood", "replies may have been lost", "messages for rooms may have been lost"),
	entry("stream_gap", "the stream's past has a gap"),
	entry("messages_removed", "the broker removes messages from the queue before they are delivered"),
	entry("message_unreadable", "dropped a message that cannot be read", "dropped a message that made its receiver panic"),
	entry("message_skipped", "skipped a message that the broker cannot deliver"),
	entry("name_replaced", "the queue that holds our name is on a node that is down; another name is used until ours is free",
		"our last connection still holds our name, because the broker has not noticed yet that it is gone; another name is used until ours is free"),
	entry("name_restored", "the link holds its own name again"),
	entry("name_taken", "another connection still holds our name: if another program of this name is running, stop one of them, otherwise delete the queue"),
	entry("name_random", "the bridge has a random name, and keeps its queue under it: after a restart it does not find the replies that were kept; give it a --name",
		"the bridge has a random name, another at every start; give it a --name that the user's permissions allow"),
	entry("queue_migrated", "replaced the queue of an earlier version"),
	entry("old_connection_open", "the broker has not noticed yet that the last connection broke: messages that it sent there come too late, or not at all"),
	entry("no_gate", "the queue has no gate: if it is deleted under traffic, or its node crashes, the broker may refuse what is published to the exchange; let the user configure, read and write to the gate and the exchange behind it"),
	entry("no_sentinel", "the exchange cannot be watched: if it is deleted and declared again within a second, the gap goes unreported; let the user configure the sentinel, and write to the exchange"),
	entry("dead_letters", "the broker dead-letters after all: what a policy removes from the queue is within a gap from now on"),
	entry("no_dead_letters", "the broker does not dead-letter: what a policy removes from the queue is missing without a gap"),
	entry("no_probes", "the broker refuses probes: a queue that takes no messages goes unnoticed"),
	entry("no_marker", "the broker accepts no marker into the stream: reading starts with the next message, and no gap is written",
		"the broker accepts no marker into the stream: other readers do not learn of a gap"),
	entry("stream_deleted", "the stream was deleted and made anew: what was not read of it is lost, and its numbers go on"),
	entry("stream_renumbered", "the stream was deleted, and its numbers begin again: programs that remember a number ignore what comes until the numbers have reached it; restart this one"),
	entry("no_generations", "the stream's numbers begin again if it is deleted, and programs that remember a number ignore what comes then: let the user configure the exchanges that count its deletions"),
	entry("stream_unread", "the stream was not read for a page of the log", "the stream's past is read on later"),
	entry("history_filled", "filled the history of keywords from the stream"),
	entry("problems_unknown", "problems from before the last replies are not known: too much came while the stream was read"),

	// Commands.
	entry("command", "command"),
	entry("commands_omitted", "more commands"),
	entry("command_failed", "a command failed"),
	entry("reply_dropped", "dropped a message that is no reply", "a reply to a running command was dropped"),
	entry("room_message_dropped", "dropped a message for rooms"),
	entry("acknowledgement_dropped", "dropped an acknowledgement of problems"),
	entry("unroutable_reply_failed", "the reply for an unroutable command was not published", "the reply for an unroutable command cannot be sent"),

	// Clients and access.
	entry("request_refused", "a request was refused"),
	entry("proxy_names_no_client", "a trusted proxy names no client"),
	entry("clients_kicked", "an operator closed clients"),
	entry("grants_changed", "the grants of a client changed"),
	entry("access_lost", "closed a client that has lost its access"),
	entry("credential_not_renewed", "a credential could not be renewed"),
	entry("peer_unknown", "a client at a Unix socket has no user", "cannot look up the user of a Unix socket's peer"),
	entry("callback_up", "the callback answers again"),
	entry("callback_down", "the callback does not answer; new clients get 503 until it does"),
	entry("callback_unusable", "an answer of the callback cannot be used"),
	entry("callback_events_dropped", "events for the callback are dropped, because it does not take them"),
	entry("socketshark_message_dropped", "a message for SocketShark's clients was dropped"),
	entry("socketshark_backend_failed", "a backend of SocketShark's clients cannot be asked"),
	entry("callback_in_clear", "the callback is asked without TLS: credentials can be read in transit, and answers altered"),
	entry("hightemplar_backend_failed", "a backend of High-templar's clients cannot be asked"),
	entry("reddit_status_lost", "the status exchange may lack messages about reddit's clients"),
	entry("jwks_failed", "cannot fetch the keys of an issuer of tokens; trying again"),
	entry("jwks_fetched", "fetched the keys of an issuer of tokens again"),
	entry("jwks_in_clear", "the keys of an issuer of tokens are fetched without TLS: anyone who can alter them in transit can impersonate any user"),
	entry("signed_keys_read", "read new keys of signed URLs"),
	entry("signed_keys_kept", "cannot read the secrets of signed URLs; the earlier keys stay in use"),

	// The audit log.
	entry("audit_failed", "the audit log cannot be written", "the audit log is written too slowly", "the audit log is not closed"),
	entry("audit_restored", "the audit log is written again"),
	entry("audit_reopened", "the audit log was reopened"),
	entry("audit_kept", "the audit log stays in the file that is open"),

	// Faults of the bridge itself: please report them.
	entry("panic", "a panic", "a panic ended a connection"),
	entry("engine_stuck", "the engine is shut down, but calls of the Handler or a callback have not returned",
		"the engine is stopping: a Handler or a callback called runtime.Goexit, perhaps through FailNow in a test"),
	entry("engine_misused", "the engine's API was misused"),

	// The embedded broker.
	entry("broker_full", "queues are filling up; publishers are blocked"),
	entry("broker_drained", "queues have drained; publishers are unblocked"),
	entry("broker_channel_closed", "channel closed by the broker"),
	entry("broker_connection_closed", "connection closed by the broker"),
	entry("broker_connection_refused", "connection refused"),
	entry("broker_login_refused", "login refused"),
	entry("broker_accept_failed", "failed to accept a connection; trying again"),
	entry("broker_client_connected", "client connected"),
	entry("broker_client_gone", "client gone"),

	// Actors in this process: those of the demo.
	entry("actor_ended_twice", "a command was ended twice; the second end is not sent"),
	entry("actor_replied_late", "a command replied after its end, when its commander no longer follows it"),
	entry("actor_failed_after_end", "a handler failed after it had ended its command"),
	entry("actor_panic", "a command's handler panicked"),
	entry("actor_reply_failed", "a reply cannot be sent", "replies cannot be published and are lost"),
	entry("actor_replies_restored", "replies are published again"),
	entry("actor_value_not_sent", "a keyword's value cannot be written as JSON"),
	entry("actor_value_not_finite", "a keyword is not a finite number; null is sent, here and from now on"),
	entry("actor_not_a_command", "a message on the commands queue is not a command"),
	entry("actor_stuck", "commands still run although their context has ended; the actor stops without them"),
}
