package amqpx

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Inspection is a connection to a broker that asks about what is there, and changes nothing.
type Inspection struct {
	link   *Link
	url    string
	conn   *connection
	asker  queueAsker
	active atomic.Bool
}

// Inspect logs in to the broker at one of the URLs of the configuration. The error says what is wrong, as [State].Err
// does. The end of the context closes the connection.
func Inspect(ctx context.Context, cfg Config, url string) (*Inspection, error) {
	link, err := New(cfg)
	if err != nil {
		return nil, err
	}
	i := &Inspection{link: link, url: url}
	if i.conn, err = link.dial(ctx, url, "inspector", &i.active); err != nil {
		return nil, explain(err, url, link.cfg)
	}
	return i, nil
}

// Close closes the connection.
func (i *Inspection) Close() { i.conn.close() }

// Product returns the broker's name and version.
func (i *Inspection) Product() string {
	version, _ := i.conn.Properties["version"].(string)
	return strings.TrimSpace(i.conn.product() + " " + version)
}

// CertificateEnd returns when the first of the broker's certificates ends; zero without TLS.
func (i *Inspection) CertificateEnd() time.Time { return i.link.Stats().CertificateEnd }

// RoundTrip returns how long the broker takes to answer a request.
func (i *Inspection) RoundTrip() (time.Duration, error) {
	began := time.Now()
	ch, err := i.conn.Channel()
	took := time.Since(began)
	if err == nil {
		err = ch.Close()
	}
	return took, err
}

// Exchange reports whether an exchange exists, and returns an error if a link with these options could not use it.
func (i *Inspection) Exchange(name string, options ExchangeOptions) (exists bool, err error) {
	ask := func(declare func(*amqp.Channel) error) error {
		ch, err := i.conn.Channel()
		if err != nil {
			return err
		}
		defer ch.Close()
		return declare(ch)
	}
	const durable, internal, noWait = false, false, false
	err = ask(func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(name, options.kind(), durable, !options.Persistent, internal, noWait, nil)
	})
	if refusedWith(err, amqp.NotFound) {
		return false, nil
	}
	if err == nil && !options.Passive {
		// It exists, so this makes nothing: the broker compares the properties.
		err = ask(func(ch *amqp.Channel) error {
			return ch.ExchangeDeclare(name, options.kind(), durable, !options.Persistent, internal, noWait, nil)
		})
	}
	if err != nil {
		cfg := i.link.cfg
		cfg.ExchangeOptions = options
		return true, explain(topology("exchange", name, err), i.url, cfg)
	}
	return true, nil
}

// Queue asks whether a queue has a consumer. See [Link.AskQueue].
func (i *Inspection) Queue(name string) QueueUse {
	if len(name) > MaxShortString || name == "" {
		return NoQueue
	}
	if i.conn.closesOverRefusals() {
		return UseUnknown
	}
	use, _ := i.asker.ask(i.conn.Channel, name)
	return use
}
