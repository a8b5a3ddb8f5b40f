// Command clu-ws connects CLU actors on a RabbitMQ exchange with web pages: it relays
// every reply to the WebSocket clients, and turns a client's JSON into a command.
//
// A subcommand is a file: websocket.go, demo.go, bench.go, token.go. They read flags into the
// configuration of a package that does the work:
//
//	flags ───────┐
//	environment ─┼─► *flags.go ──► settings ──► service.serve ──► bridge.Run
//	--config ────┘                                  │
//	                                                ├─ housekeeper: certificate, reloader, watchdog
//	                                                ├─ linkReporter: the announcement, systemd's status
//	                                                ├─ admin server
//	                                                └─ embedded broker, with --embedded-broker
//
// The file of --config sets the flags that neither the command line nor the environment sets
// (configflag.go). The reloader reads everything again when the file has changed (reread.go), and
// applies what a running bridge can change.
//
// Each flag has an environment variable, CLU_WS_ and its name. All of them are in
// docs/configuration.md, which "clu-ws configuration" writes.
//
// The packages below know no flags. Their errors are completed here with advice on the
// flags to check (advice.go).
package main
