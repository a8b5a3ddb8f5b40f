package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// Config says which bridge to try.
type Config struct {
	Name     string // "" is a random one
	Version  string // of this program
	Brokers  []string
	TLS      *tls.Config
	Exchange string
	Expires  time.Duration // how long the broker keeps the queue of the replies; 0 for not at all
	Stream   *amqpx.Stream // the stream that keeps the replies; nil for none
	Sources  []Source      // of rooms
	Presence string        // the exchange of presence; "" for none
	Status   []string      // the exchanges that are told of the clients of dialects
	// Listen is how long the trial listens to actors.
	Listen time.Duration
	// Advise adds to an error which flags to look at.
	Advise func(error) error
}

// Source is an exchange whose messages go to rooms.
type Source struct{ Exchange, Type, Binding string }

// patience bounds one step.
const patience = 10 * time.Second

// Broker checks each broker, and tries to link to the first that can be logged in to.
func (r *Report) Broker(ctx context.Context, cfg Config) {
	tried := false
	for _, broker := range cfg.Brokers {
		i := r.logIn(ctx, cfg, broker)
		if i == nil {
			continue
		}
		if !tried {
			tried = true
			r.topology(ctx, cfg, broker, i)
		}
		i.Close()
	}
}

// logIn checks everything up to the login. It returns nil if that fails.
func (r *Report) logIn(ctx context.Context, cfg Config, broker string) *amqpx.Inspection {
	shown := amqpx.Redact(broker)
	if !r.reach(ctx, broker, shown) {
		return nil
	}
	began := time.Now()
	link := cfg.link(broker)
	link.Logger = slog.New(slog.DiscardHandler)
	i, err := amqpx.Inspect(ctx, link, broker)
	if err != nil {
		r.Fail(checkOf(err), mendLogin(err), "%v", cfg.Advise(err))
		return nil
	}
	user := ""
	if u, err := url.Parse(broker); err == nil {
		user = u.User.Username()
	}
	r.OK("broker.login", "user %q is logged in at %s, which is %s, within %v", user, shown, i.Product(), time.Since(began).Round(time.Millisecond))
	if end := i.CertificateEnd(); !end.IsZero() {
		r.Certificate("broker.tls", "the certificate of "+shown, end)
	}
	if took, err := i.RoundTrip(); err == nil {
		r.delay(shown, took)
	}
	return i
}

// slowAnswer is how long a broker may take to answer. A command whose confirm takes 0.9 seconds is in doubt.
const slowAnswer = 250 * time.Millisecond

func (r *Report) delay(shown string, took time.Duration) {
	if took > slowAnswer {
		r.Warn("broker.delay", "look for what keeps the broker busy, or run the bridge nearer to it", "%s takes %v to answer: a command that is not confirmed within 0.9s is in doubt", shown, took.Round(time.Millisecond))
	}
}

// own returns a name that no bridge has, and that needs the same permissions.
func (cfg Config) own() string {
	return cmp.Or(cfg.Name, randomName) + "_doctor"
}

// randomName is how the names of bridges without a --name begin.
const randomName = "amqp-client-"

// link returns the configuration of a link to a broker.
func (cfg Config) link(broker string) amqpx.Config {
	return amqpx.Config{URLs: []string{broker}, TLS: cfg.TLS, Name: cfg.own(), Exchange: cfg.Exchange, FailFast: true}
}

// checkOf returns the name of the check that an error of a login is about.
func checkOf(err error) string {
	var e *amqpx.Error
	if !errors.As(err, &e) {
		return "broker.login"
	}
	switch e.Kind {
	case amqpx.UntrustedIssuer, amqpx.InvalidCertificate, amqpx.TLSHangUp, amqpx.NotTLS:
		return "broker.tls"
	case amqpx.VirtualHostDenied:
		return "broker.vhost"
	case amqpx.HangUp, amqpx.NotAMQP:
		return "broker.protocol"
	}
	return "broker.login"
}

// mendLogin says how to mend what the error of a login leaves open.
func mendLogin(err error) string {
	e, ok := errors.AsType[*amqpx.Error](err)
	switch {
	case !ok:
		return "rabbitmq-diagnostics status says whether the broker is well; if so, something else has this port, or stands between"
	case e.Kind == amqpx.InvalidCertificate:
		return "connect by a name that the certificate has, or have it renewed"
	}
	return ""
}

// reach looks up the host of a broker, and opens a connection to each of its addresses.
func (r *Report) reach(ctx context.Context, broker, shown string) bool {
	u, err := url.Parse(broker)
	if err != nil {
		r.Fail("broker.dns", "see --url", "%s is not a URL", shown)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		r.Fail("broker.dns", "correct --rabbitmq-host or --url, or ask who looks after the name service", "the host of %s is not known: %v", shown, err)
		return false
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"amqps": "5671"}[u.Scheme]
		if port == "" {
			port = "5672"
		}
	}
	var reached, failed []string
	for _, a := range addresses {
		address := net.JoinHostPort(a.Unmap().String(), port)
		conn, err := (&net.Dialer{Timeout: patience / 2}).DialContext(ctx, "tcp", address)
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s (%v)", address, errors.Unwrap(err)))
			continue
		}
		conn.Close()
		reached = append(reached, address)
	}
	switch {
	case len(reached) == 0:
		r.Fail("broker.tcp", "is the broker running, does a firewall stand between, is it the right --rabbitmq-port?", "%s cannot be reached: %s", shown, strings.Join(failed, ", "))
	case len(failed) > 0:
		r.OK("broker.tcp", "%s is reached at %s; not at %s", shown, strings.Join(reached, ", "), strings.Join(failed, ", "))
	default:
		r.OK("broker.tcp", "%s is reached at %s", shown, strings.Join(reached, ", "))
	}
	return len(reached) > 0
}

// topology checks the exchange and the name, and then tries to link.
func (r *Report) topology(ctx context.Context, cfg Config, broker string, i *amqpx.Inspection) {
	exists, err := i.Exchange(cfg.Exchange, amqpx.ExchangeOptions{})
	switch {
	case err != nil:
		r.Fail("broker.exchange", "", "%v", cfg.Advise(err))
	case !exists:
		r.Warn("broker.exchange", "start an actor, or correct --exchange or --vhost", "there is no exchange %q at %s: no actor is there", cfg.Exchange, amqpx.Redact(broker))
	default:
		r.OK("broker.exchange", "the exchange %q is there, as CLU declares it", cfg.Exchange)
	}
	r.name(cfg, i)
	r.kept(cfg, i)
	r.sources(ctx, cfg, broker, i)
	r.published(cfg, i)
	if err == nil {
		r.trial(ctx, cfg, broker, i)
	}
}

// name checks whether another bridge has the name.
func (r *Report) name(cfg Config, i *amqpx.Inspection) {
	if cfg.Name == "" {
		r.Warn("broker.name", "give the bridge a --name", "the bridge has another name at every start: no permissions can be granted for it, and it does not find kept replies again")
		return
	}
	queue := actor.RepliesQueue(cfg.Name)
	switch taken := i.Queue(queue) == amqpx.InUse; {
	case taken && r.running == cfg.Name:
		r.OK("broker.name", "the bridge that runs holds the name %q", cfg.Name)
	case taken:
		r.Warn("broker.name", "if that is the bridge that you mean, all is well; otherwise stop it, or choose another --name", "a bridge %q runs already: the queue %q belongs to another connection", cfg.Name, queue)
	default:
		r.OK("broker.name", "the name %q is free", cfg.Name)
	}
}
