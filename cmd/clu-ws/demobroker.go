package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// demoURLFlag is --url of the demo. It has no variable: CLU_WS_URL is the broker of the real actors, in whose place
// those of the demo must never be.
func demoURLFlag() cli.Flag {
	return &cli.StringFlag{Name: "url", Category: catBroker, Usage: "`URL` of a broker to use instead of the embedded one, with a virtual host for the demo alone: amqp[s]://user:password@host:port/vhost. Neither a variable nor the file sets it"}
}

// demoDialTimeout is how long a connection to the broker of --url may take.
const demoDialTimeout = 10 * time.Second

// useBroker makes the demo use the broker of --url, if there is nobody else.
func (s *service) useBroker(c *cli.Context) error {
	if c.IsSet("rabbitmq-port") {
		return errors.New("--url and --rabbitmq-port are both given; the latter is for the embedded broker, so leave it out")
	}
	if s.file != nil {
		if _, byFile := s.file.set["url"]; byFile {
			return s.file.place(errors.New("--url is not for the demo: its actors must not be where the real ones are; give the demo's broker on the command line"))
		}
	}
	raw, err := secretText("url", c.String("url"))
	if err != nil {
		return err
	}
	if err := amqpx.CheckURL(raw); err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("--url: the broker URL cannot be read")
	}
	u.User = credentials("guest", "guest", u.User)
	s.brokerURL = u.String()
	return mustBeUnused(s.brokerURL)
}

// mustBeUnused returns an error if there are actors in the virtual host of a broker, or if that cannot be seen. An actor of
// the demo with the name of a real one would take its commands.
func mustBeUnused(broker string) error {
	name := amqpx.Redact(broker)
	conn, err := amqp.DialConfig(broker, amqp.Config{Dial: amqp.DefaultDial(demoDialTimeout)})
	if err != nil {
		return fmt.Errorf("--url: the broker %s cannot be used: %w", name, err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("--url: the broker %s cannot be used: %w", name, err)
	}
	err = ch.ExchangeDeclarePassive(actor.Exchange, "topic", false, true, false, false, nil)
	if closed, ok := errors.AsType[*amqp.Error](err); ok && closed.Code == amqp.NotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("--url: it cannot be seen whether there are actors at %s: %w", name, err)
	}
	return fmt.Errorf("--url: there are actors at %s, or another demo, as it has the exchange %s. Those of the demo would take commands of "+
		"real ones with the same names. Make a virtual host for the demo, as with rabbitmqctl add_vhost demo and "+
		"rabbitmqctl set_permissions -p demo guest '.*' '.*' '.*', and write it at the end of the URL", name, actor.Exchange)
}
