// Command clu-ws connects CLU actors on a RabbitMQ exchange with web pages: it relays
// every reply to the WebSocket clients, and turns a client's JSON into a command.
//
// A subcommand is a file: websocket.go, demo.go, bench.go, token.go. They read flags into the
// configuration of a package that does the work:
//
//	flags ──► *flags.go ──► bridge.Config ─┐
//	          listenflags.go ─► listeners ─┼─► service.serve ──► bridge.Run
//	          adminflags.go ──► address ───┘        │
//	                                                ├─ housekeeper: certificate, watchdog
//	                                                ├─ linkReporter: the announcement, systemd's status
//	                                                ├─ admin server
//	                                                └─ embedded broker, with --embedded-broker
//
// Each flag has an environment variable, CLU_WS_ and its name. All of them are in
// docs/configuration.md, which "clu-ws configuration" writes.
//
// The packages below know no flags. Their errors are completed here with advice on the
// flags to check (advice.go).
package main
