package main

// configurationIntro opens docs/configuration.md.
const configurationIntro = `# Configuration

<!-- Written by go generate ./cmd/clu-ws: change the flags and notes there. -->

Every flag of ` + "`clu-ws websocket`" + `, with its environment variable and its default. ` + "`clu-ws websocket --help`" + ` has the same
in short. What to do with them in practice is in [operating.md](operating.md).

A flag wins over its variable, a variable over the [configuration file](#the-configuration-file), and the file over the
default. A variable that is empty does not win over the file. An example in three forms:

    clu-ws websocket --rabbitmq-host broker.example --name console --history-age 30m
    CLU_WS_RABBITMQ_HOST=broker.example CLU_WS_NAME=console CLU_WS_HISTORY_AGE=30m clu-ws websocket
    clu-ws websocket --config clu-ws.yaml

with this clu-ws.yaml:

` + "```yaml" + `
rabbitmq-host: broker.example
name: console
history-age: 30m
` + "```" + `

| value | how to write it |
| --- | --- |
| a time | a number with a unit: ` + "`500ms`, `20s`, `10m`, `24h`, `1h30m`" + ` |
| bytes | a number with a unit: ` + "`8KiB`, `16MiB`, `1GiB`" + ` (powers of 1024), or ` + "`8KB`, `16MB`, `1GB`" + ` (powers of 1000). Without a unit it is in bytes |
| on or off | the flag alone, or ` + "`--flag=false`; in the variable and the file `true` or `false`" + ` |
| several values | the flag several times; in the file a list; or one text with spaces between the values, which is the form for a variable. Commas separate values as well, except those of ` + "`--url` and `--source`" + `, which may have some. The command line replaces a list of the file |
| a secret | itself, or ` + "`file:PATH`" + ` for a file that contains it, or ` + "`credential:NAME`" + ` for a [credential of systemd](#secrets) |

A value that cannot be used is refused at the start, with the reason. A variable that begins with ` + "`CLU_WS_`" + ` and is none
of this page has no effect: the bridge and ` + "`clu-ws check`" + ` warn of it, and name the one that may be meant. Those that
Kubernetes sets for a Service called ` + "`clu-ws`" + ` are passed over; so is a variable whose value is
` + "`tcp://ADDRESS:PORT`" + ` and whose name ends in ` + "`_PORT`" + `, as ` + "`CLU_WS_PORT`" + ` then has it.
`

// configurationSections are the categories of flags, in the order of the page.
var configurationSections = []struct{ title, category, intro, more string }{
	{title: "Logging", category: "", intro: "The log goes to standard error, one event a line, as `key=value` pairs or JSON. Its last key, `event`, names what happened."},
	{title: catFile, category: catFile, intro: "Settings in a file, and access control.", more: fileNotes},
	{title: catListen, category: catListen, intro: "Where clients connect, and from which web pages. Behind a proxy that ends TLS, listen on `127.0.0.1` or on a Unix socket, and name the proxy with `--trusted-proxy`."},
	{title: catBroker, category: catBroker, intro: "How the bridge reaches RabbitMQ. Give either the parts of the address, or one or several `--url`."},
	{title: catCLU, category: catCLU, intro: "How the bridge takes part in the actors' exchange, and how far it follows `clu websocket`."},
	{title: catHistory, category: catHistory, intro: "Replies for clients that were not connected when they were sent. What each choice of `--durable` promises is in [operating.md](operating.md#what-can-be-lost)."},
	{title: catRooms, category: catRooms, intro: "Messages other than the actors' replies, and who is connected.", more: sourceKeys},
	{title: catLimits, category: catLimits, intro: "What one client may use, so that it does not slow down the others."},
	{title: catAdmin, category: catAdmin, intro: "Monitoring, and the end of a bridge."},
}

// fileNotes describe the configuration file.
const fileNotes = `The file is YAML. Its keys are the flags of this page without their dashes, and three sections:

- ` + "`access`" + ` says how clients are identified and what they may do; see [access.md](access.md).
- ` + "`site`" + ` describes the observatory: units, limits, conditions that raise problems, boards; see
  [operating.md](operating.md#the-observatory).
- ` + "`dialects`" + ` names paths that are served as another system serves them, so that its pages and backends stay as
  they are: SocketShark, High-templar, reddit's WebSocket service, Jararaca; see [migrating.md](migrating.md).

[clu-ws.yaml](clu-ws.yaml) is an example. An unknown key, a repeated key and a value of the wrong type are errors, with
their line and column. Relative paths are relative to the file's folder.

The file is read again within a second after it has changed, and on SIGHUP; so are the files with secrets that the
section ` + "`access`" + ` names, and those with boards. What can change does so at once, for connected clients too:
` + "`access`" + ` (the clients that lose a right are told, the others notice nothing), ` + "`site`, `log-level`, `log-commands`" + `,
` + "`origin`, `trusted-proxy`, `shed-rate`, `drain-delay` and `drain-timeout`" + `. The log names other settings that have
changed; they take effect at the next start. So do changes of ` + "`dialects`" + `, and adding and removing the section ` + "`access`" + `:
a file that was saved without it does not open a running bridge to everyone. A file that cannot be used changes nothing,
and the log says what is wrong with it. Write a changed file under another name, and rename it: half of a file may be
YAML, too.

### Secrets

The values of ` + "`--password` and `--url`" + `, secrets in the section ` + "`access`" + `, and ` + "`admin-token`" + ` of a dialect may be in
files of their own, so that ` + "`ps`" + `, the environment and the file do not show them: ` + "`file:PATH`" + ` is replaced by the
contents of a file, without the line break at its end. ` + "`credential:NAME`" + ` is a credential of systemd, which the unit
passes with ` + "`LoadCredential=NAME:PATH`" + `. Files with certificates and keys may be ` + "`credential:NAME`" + `, too. The bridge
warns of a file with a secret that everyone on the machine may read, and never prints a secret.
`

// configurationCheck describes clu-ws check.
const configurationCheck = `
## ` + "`clu-ws check`" + `

Says what is wrong with flags, variables and the file, all at once, and exits with 1; or what they mean: the settings
that are given and by what, and who may do what. It starts nothing, tries no port, and takes the flags of
` + "`clu-ws websocket`" + `:

    clu-ws check --config clu-ws.yaml

## ` + "`clu-ws doctor`" + `

Tries what a bridge needs, and says what is wrong and how to mend it: see the [operating
page](operating.md#something-is-wrong). It takes the flags of ` + "`clu-ws websocket`" + `, and ` + "`--for TIME`" + ` (3s), in which
it listens to actors, and ` + "`--json`" + `. It exits with 1 if there is a problem:

    clu-ws doctor --config clu-ws.yaml

## ` + "`clu-ws health`" + `

Asks a bridge on this machine at ` + "`/healthz`" + `, prints the answer, and exits with 0 if the bridge is alive, else with
1; with ` + "`--ready`, at `/readyz`" + `. It takes the flags of ` + "`clu-ws websocket`" + `, and asks where they let the bridge
listen, at ` + "`--admin`" + ` first; or at an address that is given. It is for containers, which have no other program:

    clu-ws health --ready
    clu-ws health unix:/run/clu-ws/web.sock
`

// sourceKeys describes the value of --source.
const sourceKeys = `The value of ` + "`--source`" + ` is a list of keys and values, separated by commas:

| key | value | default |
| --- | --- | --- |
| ` + "`exchange`" + ` | name of the exchange; it is declared if it is missing | required |
| ` + "`type`" + ` | ` + "`topic`, `fanout` or `direct`" + `, for an exchange that is declared | ` + "`topic`; `direct` with `format=hightemplar`" + ` |
| ` + "`binding`" + ` | pattern of the routing keys that are relayed, or the routing key if the type is ` + "`direct`; not for `fanout`" + ` | ` + "`#`, all; `*` if the type is `direct`" + ` |
| ` + "`path`" + ` | path of the rooms: a message goes to the room of its routing key, at or below this path | ` + "`/`" + ` and the exchange's name |
| ` + "`format`" + ` | what a message looks like: ` + "`raw`, `hightemplar`, `socketshark` or `jararaca`" + ` | ` + "`raw`" + ` |

    --source exchange=weather,type=fanout,path=/weather
    --source exchange=telemetry,binding=mount.#

A source may be Redis channels in place of an exchange:

| key | value | default |
| --- | --- | --- |
| ` + "`redis`" + ` | URL: ` + "`redis://user:password@host:6379`" + `; ` + "`rediss://` for TLS, with the authority of `--ca` if that is given; `unix:///path`; `?master_name=NAME&addr=HOST:PORT` for Sentinels, `?addr=HOST:PORT` for further nodes of a cluster. The number of a database is ignored: channels are the same in all. It may be `file:PATH` or `credential:NAME`" + ` | required |
| ` + "`path`" + ` | path of the rooms, as above | required |
| ` + "`channel`" + ` | name of a channel, or a pattern such as ` + "`live.*`" + `; may be repeated | those that begin with the prefix |
| ` + "`prefix`" + ` | what is taken off the names of channels | none |
| ` + "`broadcast`" + ` | with ` + "`format=jararaca`" + `: the channel of messages for all | Jararaca's |
| ` + "`format`" + ` | as above | ` + "`raw`" + `, where the channel is the routing key |

    --source redis=redis://localhost/0,path=/live,channel=live.*,prefix=live.
    --source redis=rediss://redis.example.org,path=/shark,format=socketshark

Special characters in the URL are percent-encoded, a comma as ` + "`%2C`" + `. Redis keeps no messages: what is published while
the bridge is not linked is lost, and the gap is logged and counted. A server that does not answer within 10 to 15
seconds is left. A message of more than 16 MiB is dropped and counted. A user of Redis needs
` + "`+subscribe +psubscribe +ping`, and `&CHANNEL`" + ` for each channel and pattern. Clients cannot publish to such rooms.

Sentinels get the password only if they want one. Name all of them: what most say counts, as one that is cut off from
the others goes on naming a server that they have replaced. The bridge asks them every 5 seconds, and leaves a server
that they no longer name, also if it still answers; likewise a node of a cluster that says ` + "`cluster_state:fail`" + `, if
another one does not. For that a user needs ` + "`+info`" + ` with Sentinels, and ` + "`+cluster|info`" + ` with a cluster, whose nodes
are tried one after the other. Such gaps begin 5 and 20 seconds before the last good answer. What the nodes of a
cluster lose between them, nobody is told.

The formats are those of other systems' backends, which stay as they are:

- ` + "`raw`" + `: anything, for the room of the routing key or the channel.
- ` + "`hightemplar`" + `: ` + "`{\"rooms\": [{\"zoo\": 1}, ...], \"data\": ...}`" + `. Each of the rooms, at or below the path as in
  ` + "`animal=$penguin&zoo=1`" + `, gets the data.
- ` + "`socketshark`" + `: ` + "`{\"subscription\": \"service.topic\", \"data\": ...}`" + `. The room of the subscription, which must be the
  channel, gets the data.
- ` + "`jararaca`" + `: the names of rooms with commas between them, a zero byte, and the payload, which each of them gets. What
  comes from the broadcast channel is the payload for all.

What cannot be in a path is percent-encoded in the name of a room; a name of more than 128 bytes is hashed. A message
that has not the format is dropped, counted and logged.
`

// flagNotes are added to the usage of flags: bounds and examples.
var flagNotes = map[string]string{
	"config":          "[More about the file](#the-configuration-file).",
	"audit":           "The file is opened anew on SIGHUP, for logrotate. A disk that is full is told in the log and counted in the [metrics](operating.md#metrics).",
	"audit-required":  "Each command is then written before it is sent. A command that cannot be written within 0.8 s is refused.",
	"log-format":      "The [operating page](operating.md#the-log) lists the events. In systemd's journal, text has no time, which the journal adds, and each line has its priority.",
	"log-level":       "Debug also logs the variables that were ignored.",
	"port":            "0 chooses a free port, which the bridge prints.",
	"listen":          "Examples: `--listen 127.0.0.1:9876 --listen unix:/run/clu-ws/clu-ws.sock?mode=0600`, `--listen proxy:0.0.0.0:9876`. A group lets its members connect, such as a web server: `unix:/run/clu-ws/web.sock?mode=0660&group=www-data`, in a shell in quotes ([more](deploying.md#unix-sockets)). Sockets that systemd passes are served in addition.",
	"socket-mode":     "Example: `0600` for the bridge's user only.",
	"tls-cert":        "Example: `--tls-cert fullchain.pem --tls-key privkey.pem`.",
	"origin":          "With the section `access`, the default is the host that was asked. Example: `--origin https://console.example --origin https://staging.example:8443`.",
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
	"ping-after":      "At least `1s`. With the default, [a proxy's limit](deploying.md#what-every-proxy-must-do) of 60 s ends no idle connection.",
	"pong-timeout":    "At least `1s`.",
	"admin":           "On a TCP address, keep it on loopback or behind a firewall.",
	"shed-rate":       "At least 1.",
	"drain-delay":     "At most half of `--drain-timeout`, of which it is a part.",
	"drain-timeout":   "At least `1s`. Give systemd a longer `TimeoutStopSec`.",
}

// configurationOutro ends the page.
const configurationOutro = `## Other variables, and signals

| variable | effect |
| --- | --- |
| ` + "`CLU_WS_BRIDGE`, `CLU_WS_TOKEN`, `CLU_WS_AMQP`, `NO_COLOR`" + ` | which bridge [the terminal](clients.md#the-terminal) talks to, its token, or which broker, and no colors |
| ` + "`GOGC`, `GOMEMLIMIT`" + ` | Go's garbage collector. If ` + "`GOGC`" + ` is set, the bridge does not tune it |
| ` + "`LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES`" + ` | sockets from systemd |
| ` + "`CREDENTIALS_DIRECTORY`" + ` | the folder of systemd's credentials, for ` + "`credential:NAME`" + ` |
| ` + "`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`" + ` | systemd learns that the bridge is ready, its state, and that it is alive |

| signal | effect |
| --- | --- |
| ` + "`SIGTERM`, `SIGINT`" + ` | the bridge drains and ends; a second one ends it at once |
| ` + "`SIGHUP`" + ` | the certificate of ` + "`--tls-cert`" + ` and the file of ` + "`--config`" + ` are read again, and the file of ` + "`--audit`" + ` is reopened; without any of them, a bridge that is not run by systemd ends |
`
