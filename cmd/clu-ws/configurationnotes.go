package main

// configurationIntro opens docs/configuration.md.
const configurationIntro = `# Configuration

<!-- Written by go generate ./cmd/clu-ws: change the flags and notes there. -->

Every flag of ` + "`clu-ws websocket`" + `, with its environment variable and its default. ` + "`clu-ws websocket --help`" + ` has the same
in short. What to do with them in practice is in [operating.md](operating.md).

A flag wins over its variable, and a variable over the default. An example in both forms:

    clu-ws websocket --rabbitmq-host broker.example --name console --history-age 30m
    CLU_WS_RABBITMQ_HOST=broker.example CLU_WS_NAME=console CLU_WS_HISTORY_AGE=30m clu-ws websocket

| value | how to write it |
| --- | --- |
| a time | a number with a unit: ` + "`500ms`, `20s`, `10m`, `24h`, `1h30m`" + ` |
| bytes | a number with a unit: ` + "`8KiB`, `16MiB`, `1GiB`" + ` (powers of 1024), or ` + "`8KB`, `16MB`, `1GB`" + ` (powers of 1000) |
| on or off | the flag alone, or ` + "`--flag=false`; in the variable `true` or `false`" + ` |
| several values | the flag several times; in the variable separated by spaces (of ` + "`--listen`" + `, by commas) |

A value that cannot be used is refused at the start, with the reason. A variable whose value is
` + "`tcp://ADDRESS:PORT`" + ` and whose name ends in ` + "`_PORT`" + ` is ignored: Kubernetes sets such variables for a Service called
` + "`clu-ws`" + `.
`

// configurationSections are the categories of flags, in the order of the page.
var configurationSections = []struct{ title, category, intro, more string }{
	{title: "Logging", category: "", intro: "The log goes to standard error, one event a line, as `key=value` pairs."},
	{title: catListen, category: catListen, intro: "Where clients connect, and from which web pages. Behind a proxy that ends TLS, listen on `127.0.0.1` or on a Unix socket, and name the proxy with `--trusted-proxy`."},
	{title: catBroker, category: catBroker, intro: "How the bridge reaches RabbitMQ. Give either the parts of the address, or one or several `--url`."},
	{title: catCLU, category: catCLU, intro: "How the bridge takes part in the actors' exchange, and how far it follows `clu websocket`."},
	{title: catHistory, category: catHistory, intro: "Replies for clients that were not connected when they were sent. What each choice of `--durable` promises is in [operating.md](operating.md#what-can-be-lost)."},
	{title: catRooms, category: catRooms, intro: "Messages other than the actors' replies, and who is connected.", more: sourceKeys},
	{title: catLimits, category: catLimits, intro: "What one client may use, so that it does not slow down the others."},
	{title: catAdmin, category: catAdmin, intro: "Monitoring, and the end of a bridge."},
}

// sourceKeys describes the value of --source.
const sourceKeys = `The value of ` + "`--source`" + ` is a list of keys and values, separated by commas:

| key | value | default |
| --- | --- | --- |
| ` + "`exchange`" + ` | name of the exchange; it is declared if it is missing | required |
| ` + "`type`" + ` | ` + "`topic` or `fanout`" + `, for an exchange that is declared | ` + "`topic`" + ` |
| ` + "`binding`" + ` | pattern of the routing keys that are relayed; not for ` + "`fanout`" + ` | ` + "`#`" + `, all |
| ` + "`path`" + ` | path of the rooms: a message goes to the room of its routing key, at or below this path | ` + "`/`" + ` and the exchange's name |

    --source exchange=weather,type=fanout,path=/weather
    --source exchange=telemetry,binding=mount.#
`

// flagNotes are added to the usage of flags: bounds and examples.
var flagNotes = map[string]string{
	"log-level":       "Debug also logs the variables that were ignored.",
	"port":            "0 chooses a free port, which the bridge prints.",
	"listen":          "Examples: `--listen 127.0.0.1:9876 --listen unix:/run/clu-ws/clu-ws.sock`, `--listen proxy:0.0.0.0:9876`. Sockets that systemd passes are served in addition.",
	"socket-mode":     "Example: `0600` for the bridge's user only.",
	"tls-cert":        "Example: `--tls-cert fullchain.pem --tls-key privkey.pem`.",
	"origin":          "Example: `--origin https://console.example --origin https://staging.example:8443`.",
	"trusted-proxy":   "Without it such headers are ignored.",
	"rabbitmq-port":   "The usual port for TLS is 5671. With `--embedded-broker`, 0 chooses a free one.",
	"password":        "Example: `CLU_WS_PASSWORD=secret clu-ws websocket --user console`.",
	"url":             "Example: `--url amqps://broker1.example/ --url amqps://broker2.example/`. A user or password that a URL leaves out comes from `--user` and `--password`.",
	"name":            "Choose one for a bridge that is restarted: its queues and its permissions at the broker depend on its name, which otherwise differs at each start. Only one bridge with a given name can run.",
	"batch":           "Example: `50ms`.",
	"durable":         "Times from `1s` to `1193h`. Example: `--durable expires=10m`.",
	"stream-name":     "Only with `--durable stream`.",
	"stream-age":      "At least `1m`. Only with `--durable stream`.",
	"stream-bytes":    "At least `1MiB`. Only with `--durable stream`.",
	"history-bytes":   "From `1KiB` to less than `2GiB`.",
	"history-age":     "At least `1s`.",
	"presence":        "The exchange is declared if it is missing. The messages are described in [protocol.md](protocol.md).",
	"client-backlog":  "From `1KiB` to less than `2GiB`. One backlog is shared by all clients that receive the same replies.",
	"client-lag":      "At least `1s`.",
	"max-outbound":    "From `1KiB` to less than `2GiB`.",
	"max-message":     "From `1KiB` to less than `2GiB`. A longer message closes the connection with 1009.",
	"max-head":        "From `1KiB` to less than `2GiB`.",
	"head-timeout":    "At least `1s`.",
	"message-rate":    "At least 1. A client that sends more is closed with 1008.",
	"max-clients":     "At least 1.",
	"max-per-address": "At least 1.",
	"ping-after":      "At least `1s`.",
	"pong-timeout":    "At least `1s`.",
	"admin":           "On a TCP address, keep it on loopback or behind a firewall.",
	"shed-rate":       "At least 1.",
	"drain-timeout":   "At least `1s`. Give systemd a longer `TimeoutStopSec`.",
}

// configurationOutro ends the page.
const configurationOutro = `## Other variables, and signals

| variable | effect |
| --- | --- |
| ` + "`GOGC`, `GOMEMLIMIT`" + ` | Go's garbage collector. If ` + "`GOGC`" + ` is set, the bridge does not tune it |
| ` + "`LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES`" + ` | sockets from systemd |
| ` + "`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`" + ` | systemd learns that the bridge is ready, its state, and that it is alive |

| signal | effect |
| --- | --- |
| ` + "`SIGTERM`, `SIGINT`" + ` | the bridge drains and ends; a second one ends it at once |
| ` + "`SIGHUP`" + ` | the certificate of ` + "`--tls-cert`" + ` is read again; without one, a bridge that is not run by systemd ends |
`
