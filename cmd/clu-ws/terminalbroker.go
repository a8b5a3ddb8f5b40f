package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/terminal"
	"github.com/clu-ws/clu-ws/terminal/direct"
)

// Variables that say what the terminal talks to.
const (
	bridgeVariable = "CLU_WS_BRIDGE" // the URL of --url
	brokerVariable = "CLU_WS_AMQP"   // the URL of --amqp, which may have a password
	tokenVariable  = "CLU_WS_TOKEN"  // the token, unless --token-file is given
)

// bridgeURL returns the URL of the bridge that the terminal talks to.
func bridgeURL(c *cli.Context) string {
	if c.IsSet("url") {
		return c.String("url")
	}
	return cmp.Or(os.Getenv(bridgeVariable), defaultBridge)
}

// givenBroker returns the URL of the broker that the terminal talks to, "" if it talks to a bridge. What the command line
// says comes before variables.
func givenBroker(c *cli.Context) (text string, err error) {
	variable := os.Getenv(brokerVariable)
	switch {
	case c.IsSet("amqp") && c.IsSet("url"):
		return "", errors.New("--amqp is for a broker and --url for a bridge; leave one of them out")
	case c.IsSet("amqp"):
		return c.String("amqp"), checkGivenBroker(c.String("amqp"))
	case c.IsSet("url") || variable == "":
		return "", nil
	case os.Getenv(bridgeVariable) != "":
		return "", fmt.Errorf("the variables %s and %s are both set; say --amqp or --url, or unset one of them", brokerVariable, bridgeVariable)
	}
	return variable, nil
}

// checkGivenBroker returns what is wrong with the value of --amqp.
func checkGivenBroker(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("--amqp names no broker; write it as amqp://user@host:5672/vhost")
	}
	for _, raw := range strings.Fields(text) {
		u, err := url.Parse(raw)
		if err != nil {
			continue // which says so later
		}
		if _, has := u.User.Password(); has {
			return fmt.Errorf("--amqp: the URL has a password, which everyone on this machine can see; leave it out, and put it into the variable %s, "+
				"or file:PATH there, or put the whole URL into %s", variable("password"), brokerVariable)
		}
	}
	return nil
}

// toBroker makes a terminal talk to a broker, by a bridge in this process.
func toBroker(ctx context.Context, env *terminal.Env, given string) error {
	config, err := readTerminalBroker(ctx, given)
	if err != nil {
		return forTerminal(err)
	}
	var names []string
	for _, u := range config.Broker {
		names = append(names, amqpx.Redact(u))
	}
	env.Server, env.Fresh = strings.Join(names, " "), config.Durable.Stream == nil
	config.Logger, config.Version = slog.New(slog.DiscardHandler), releaseVersion
	env.Dial = func(ctx context.Context) (terminal.Link, error) {
		link, err := direct.Dial(ctx, config, "clu-ws/"+releaseVersion)
		if err != nil && ctx.Err() == nil {
			err = &terminal.ExitError{Code: terminal.ExitNotSent, Err: fmt.Errorf("no broker can be used: %w", forTerminal(withAdvice(err)))}
		}
		return link, err
	}
	return nil
}

// readTerminalBroker returns the configuration of the bridge. Everything but the broker's URL is what clu-ws websocket
// would read of the environment, and of the file that it names with CLU_WS_CONFIG.
func readTerminalBroker(ctx context.Context, given string) (config bridge.Config, err error) {
	args := []string{"clu-ws", "websocket"}
	app := newApp(io.Discard, io.Discard)
	app.Metadata = map[string]any{argsKey: args}
	for _, command := range app.Commands {
		command.Action = func(c *cli.Context) (err error) {
			file, err := withFile(c)
			if err != nil {
				return err
			}
			if file != nil {
				config.Site = file.Site
			}
			return file.place(readDirect(c, given, &config))
		}
	}
	return config, app.RunContext(ctx, args)
}

// longestName is the length of a name to which more is added.
const longestName = 60

// readDirect reads what a bridge of the terminal's own needs.
func readDirect(c *cli.Context, given string, config *bridge.Config) error {
	if err := errors.Join(readCLU(c, config), readHistory(c, config)); err != nil {
		return err
	}
	// Its queue goes with it, and has a name that no bridge has. Permissions for the bridge's queues are those for this one.
	config.Durable.Expires = 0
	if name := config.Name; name != "" {
		config.Name = strings.ToValidUTF8(name[:min(len(name), longestName)], "") + "_" + actor.NewClientName()
	}
	secret, err := password(c)
	if err != nil {
		return err
	}
	text, err := secretText("amqp", given)
	if err != nil {
		return err
	}
	for _, raw := range strings.Fields(text) {
		if err := amqpx.CheckURL(raw); err != nil {
			return fmt.Errorf("--amqp: %w", err)
		}
		u, err := url.Parse(raw)
		if err != nil {
			return errors.New("--amqp: the broker URL cannot be read")
		}
		u.User = credentials(c.String("user"), secret, u.User)
		config.Broker = append(config.Broker, u.String())
	}
	config.TLS, err = brokerTLS(c, config.Broker)
	return err
}

// ofTheURL are the flags of clu-ws websocket whose place the URL of --amqp takes, as errors name them.
var ofTheURL = strings.NewReplacer(
	"add --ssl, or use an amqps:// URL", "use an amqps:// URL",
	"see --rabbitmq-port, --cert and --key", "see the port of --amqp, --cert and --key",
	"see --rabbitmq-port and --ssl", "see the port of --amqp, and write amqps:// for TLS",
	"see --vhost or --url", "see the virtual host at the end of --amqp",
)

// forTerminal returns an error about flags of clu-ws websocket as one about their variables: the terminal does not have
// these flags.
func forTerminal(err error) error {
	text := mention.ReplaceAllStringFunc(ofTheURL.Replace(err.Error()), func(flag string) string {
		if flag == "--amqp" {
			return flag
		}
		return variable(strings.TrimPrefix(flag, "--"))
	})
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}
