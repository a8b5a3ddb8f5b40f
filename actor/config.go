package actor

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/clu-ws/clu-ws/amqpx"
)

// Config describes an actor or a client: its name, and how it reaches the exchange.
type Config struct {
	// Name is the name on the exchange, such as "dome". A client may leave it
	// empty: [NewClientName] then makes one.
	Name string
	// Link configures the link to the broker. This package sets its Name and Queues; an empty
	// Exchange means [Exchange].
	Link amqpx.Config
	// MaxCommands is how many commands may run at once: an actor fails any further one
	// immediately, and a client does not send it. 0 is 256 for an actor and 1024 for a client.
	MaxCommands int
	// OnReply, if set, is called with every reply on the exchange, from any sender, in order
	// and on a single goroutine. No further reply is received while it blocks.
	OnReply func(Reply)

	// Version is an actor's answer to the command version; "" is CLU's "?".
	Version string
	// Schema is the JSON Schema of an actor's keywords. Without one, the commands
	// get_schema and keyword fail in CLU's words. Replies are not checked against
	// it.
	Schema json.RawMessage
	// PythonNaN writes the numbers NaN, Infinity and -Infinity as they are, which is not JSON, as
	// CLU's actors do. Otherwise they become null; see [Keywords].
	PythonNaN bool
}

// logger returns the link's logger, or the default one.
func (cfg Config) logger() *slog.Logger {
	if cfg.Link.Logger == nil {
		return slog.Default()
	}
	return cfg.Link.Logger
}

// link returns the link's configuration with the settings that CLU prescribes.
func (cfg Config) link(queues ...amqpx.Queue) amqpx.Config {
	link := cfg.Link
	link.Name = cfg.Name
	link.Queues = queues
	if link.Exchange == "" {
		link.Exchange = Exchange
	}
	return link
}

// checkName returns an error for a name that cannot be part of a routing key and a pattern.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("actor: the name is empty")
	case strings.ContainsAny(name, "*# \t\r\n"):
		return fmt.Errorf("actor: the name %q contains a space, * or #", name)
	}
	return nil
}
