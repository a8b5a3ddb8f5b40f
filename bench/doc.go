// Package bench measures the bridge as its clients and the kernel see it. It starts the program under test as a child
// process, publishes replies for it, connects thousands of WebSocket clients, and compares every figure with that of a
// baseline: a bare loop that does the same work in the same run.
//
// # What flows through it
//
//	publisher ──AMQP──► broker ──► clu-ws websocket ──┐
//	                   (child)         (child)        ├──► client loop: all clients
//	         stdin ─────────────────► baseline ───────┘    on one epoll
//	                                   (child)
//
// Replies are made beforehand, each with a number in its body (replies.go). A publisher sends them to the broker
// (publisher.go), and a [Baseline] writes the same frames directly to its sockets with write(2) (baseline_linux.go,
// baselinewrite_linux.go). Both the bridge and the baseline are targets (target_linux.go), and run the same rounds
// (round_linux.go).
//
// The client loop reads the clients of all targets (clientloop_linux.go). A client set is the clients of one of them
// (clientset_linux.go, client_linux.go, connect_linux.go). A checker splits their bytes into frames, and detects every
// number that is lost, duplicated or out of order (checker.go): figures of a run in which a client missed a reply are
// void, so such a scenario fails.
//
// CPU time and memory of a child are read from /proc (procfs_linux.go), so the load generator's own work is in no figure.
//
// # Scenarios
//
// Each scenario has a file: fanout_linux.go (one reply at a time, and bursts), batch_linux.go, idle_linux.go,
// latency_linux.go, connects_linux.go, slow_linux.go, groups_linux.go, snapshots_linux.go. Reference and server take
// turns, and medians are compared, so other work of the machine affects both. report.go makes the table of the rows.
//
// Over TLS (tls_linux.go) each client has a goroutine (tlsclients_linux.go), and the baseline a tls.Conn for each socket
// (tlsbaseline_linux.go).
//
// # Access control
//
// The scenarios of access control start the bridge with a configuration file of roles and tokens (accessfile_linux.go):
//
//	issuer (keys) ◄──── clu-ws websocket --config FILE ◄──── clients with tokens
//
// In access_linux.go clients are in groups by their grants. In the others a stream of replies shows what happens to those
// who have nothing to do with it (stream_linux.go): while many clients connect at once with JSON Web Tokens
// (accessstorm_linux.go, accessissuer_linux.go), and while the configuration is read again (accessreload_linux.go).
//
// # A hundred thousand clients
//
// Clients that are too many for the open files of one process are divided among workers:
//
//	publisher ──► broker ──► clu-ws websocket × 7 ◄──one port──► worker × 7
//
// A worker (worker_linux.go) connects its clients, checks what they receive, replaces those it lost, and answers commands
// on its stdin. The scenario (hundredthousand_linux.go) starts bridges and workers (hugerun_linux.go), publishes replies
// (hugeround_linux.go), and then ends the bridges (hugefailover_linux.go). It runs only when it is named.
//
// # Neighbours
//
// Some scenarios measure how noisy neighbours affect other clients:
//
//	probes (ping, /metrics) ──────────┐
//	                                  ├──► clu-ws websocket
//	neighbours (expensive requests) ──┘
//
// Each disturbance (disturbances_linux.go) is a row or two of the table, measured on a fresh bridge (testbed_linux.go).
// The probes (probes_linux.go) send one request at a time and record the response time (pinger_linux.go,
// scraper_linux.go), first alone and then during the disturbance (neighbours_linux.go). The neighbours' frames are made
// beforehand. They use patterns that are hard to match (hardpatterns_linux.go) or ordinary ones
// (keywordpatterns_linux.go), send large messages (largemessages_linux.go), do not read (slowtls_linux.go), or all send
// requests at once (flood_linux.go). In outbound_linux.go they do not read the answers, and the measure is the bridge's
// memory.
//
// # On RabbitMQ
//
// Five scenarios need a real broker, and compare the bridge with bare AMQP programs in this process:
//
//	commander (WebSocket) ──► clu-ws websocket ──┐
//	commander (WebSocket) ──► clu websocket ─────┼──► RabbitMQ ──► command sink
//	confirmer (AMQP, bare) ──────────────────────┘
//
// In commands_linux.go a sink (commandsink_linux.go) consumes numbered commands that take one of several paths
// (commandpath_linux.go): from WebSocket clients (commander.go) through the bridge or CLU's own server (clu_linux.go), or
// from the bare publisher (confirmer.go). These commands get no replies, so an answer to a client is an error.
//
// In relayburst_linux.go bursts go to few clients, through the bridge and through a bare consumer that writes
// (relay_linux.go). In backlog_linux.go replies wait in the queue of a bridge that is stopped with SIGSTOP, until it
// continues. In roundtrip_linux.go a bare actor (bareactor_linux.go) replies to the commands of a WebSocket client and of
// a bare commander. In answered_linux.go clients follow their commands to the end, through the bridge and through CLU's
// own server.
//
// # Beside other servers
//
// [Peers] has the bridge and other servers that send messages to browsers take turns (peers_linux.go, peerload_linux.go):
//
//	source ──AMQP, MQTT, NATS, HTTP──► peer (child) ──WebSocket, in the peer's dialect──► client loop
//
// Each server has a configuration (peerservers_linux.go, peeruws_linux.go), a source of messages (peersources_linux.go) and
// a dialect of its clients (peerdialects.go, peerclients_linux.go). Numbers are found wherever a server puts them in its
// frames (scan.go). CPU time and memory are those of all processes of a server (descendants_linux.go). peertrips_linux.go
// measures commands and their answers, and peersreport.go and peersplot.go make the tables and the plot.
//
// [Dialects] has the bridge take turns with the systems whose dialects it speaks (dialects_linux.go,
// dialectservers_linux.go). Their clients and messages are spread over topics, and dialectsreport.go makes the tables.
//
// [Run] does all but [Peers] and [Dialects]; [Load] only connects clients to a running server, reads, and reports.
package bench
