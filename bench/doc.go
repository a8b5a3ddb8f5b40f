// Package bench measures the bridge as its clients and the kernel see it: it
// starts the program under test as a child, gives it replies to relay, holds
// thousands of WebSocket clients, and sets every figure beside what a bare loop
// took for the same work in the same run.
//
// # What flows through it
//
//	publisher ──AMQP──► broker ──► clu-ws websocket ──┐
//	                   (child)         (child)        ├──► swarm: all clients
//	        control pipe ────────► bare loop ─────────┘    on one epoll loop
//	                                (child)
//
// Replies are made beforehand, each with a number in its body (replies.go). A
// publisher hands them to the broker (publisher.go), and a [Baseline] writes the
// very same frames straight to its sockets with write(2) when it is told to
// (baseline_linux.go, baselinewrite_linux.go). Both are targets (target_linux.go), and
// a round is played to one just as to the other
// (round_linux.go).
//
// The swarm (clientloop_linux.go) reads the clients of all targets. A crowd is the
// clients of one of them (clientset_linux.go). Each client's bytes go through a
// checker (checker.go), which cuts them into frames, and knows of every number
// whether it was lost, doubled or out of order. A figure of a run in which one
// client missed one reply is worth nothing: such a scenario fails.
//
// The time on the processor and the memory of a child are read from /proc
// (procfs_linux.go), so that the load generator's own work is in no figure.
//
// # What is measured
//
// Each scenario has a file: fanout_linux.go (one reply at a time, and bursts),
// idle_linux.go, latency_linux.go, connects_linux.go, slow_linux.go, groups_linux.go,
// snapshots_linux.go. Reference and server take turns, and medians are compared:
// what else the machine does then bears on both. The rows come together in report.go.
//
// Over TLS (tls_linux.go) the clients have a goroutine each (tlsclients_linux.go), and
// the bare loop a tls.Conn for each socket (tlsbaseline_linux.go).
//
// # A hundred thousand
//
// More clients than a process may have files are held by several processes:
//
//	publisher ──► broker ──► clu-ws websocket × 7 ◄──one port──► holder × 7
//
// A holder (worker_linux.go) connects its part, checks what they get, connects others in place
// of those that it lost, and answers questions on its pipe. The scenario (hundredthousand_linux.go) asks
// all of them. It runs only when it is asked for.
//
// # Neighbours
//
// Some scenarios measure what others notice of a noisy neighbour:
//
//	honest clients (ping, /metrics) ──┐
//	                                  ├──► clu-ws websocket
//	neighbours (what costs much) ─────┘
//
// Each disturbance (disturbances_linux.go) is a row or two of the table, measured on a
// fresh bridge (testbed_linux.go). The honest clients (probes_linux.go) send one
// request at a time and note how long the answer takes (pinger_linux.go,
// scraper_linux.go), first alone and then during the disturbance (neighbours_linux.go).
// The neighbours' frames are made beforehand. They use patterns that are hard to match
// (hardpatterns_linux.go) or innocent (keywordpatterns_linux.go), send large messages
// (largemessages_linux.go), do not read (slowtls_linux.go), or ask all at once
// (flood_linux.go). In outbound_linux.go they do not read what they asked for, and
// the measure is the bridge's memory.
//
// # On RabbitMQ
//
// Five scenarios need a real broker, and compare the bridge with bare AMQP programs of
// this process:
//
//	commander (WebSocket) ──► clu-ws websocket ──┐
//	commander (WebSocket) ──► clu websocket ─────┼──► RabbitMQ ──► command sink
//	confirmer (AMQP, bare) ──────────────────────┘
//
// In commands_linux.go a sink (commandsink_linux.go) drains numbered commands, which come
// a commandWay (commandpath_linux.go): from WebSocket clients (commander.go) or from the
// bare publisher (confirmer.go). CLU's own server (clu_linux.go) is such a way too.
// An answer to a client is a fault, since nobody replies to these commands.
//
// In relayburst_linux.go bursts go to few clients, through the bridge and through the bare
// consumer that writes (relay_linux.go). In backlog_linux.go replies wait in the queue of a bridge that was stopped with
// SIGSTOP, until it may go on. In roundtrip_linux.go a bare actor (bareactor_linux.go)
// answers the commands of a WebSocket client and of a bare commander. In
// answered_linux.go clients follow their commands to the end, through the bridge
// and through CLU's own server.
//
// [Run] is all of that; [Load] only connects to a server that runs already,
// reads and reports.
package bench
