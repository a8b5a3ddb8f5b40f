package amqpx

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// What RabbitMQ says when it refuses access. Before 4.0 it did not say which permission
// was missing.
var accessPattern = regexp.MustCompile(`(?:^|[- ])(?:(configure|write|read) )?access to (queue|exchange|topic) '(.*?)'(?: in exchange '(.*)')? in vhost '.*' refused for user '(.*)'`)

// refusal is the broker's answer to a user who lacks a permission.
type refusal struct {
	permission string // "configure", "write" or "read"; "" if it does not say
	kind       string // "queue", "exchange" or "topic"
	name       string // of the queue or exchange; the routing key of a topic
	exchange   string // of a topic
	user       string
	reason     string // in the broker's words
}

// readRefusal reads an error of the broker, if it is about a permission.
func readRefusal(err error) (r refusal, ok bool) {
	if !refusedWith(err, amqp.AccessRefused) {
		return r, false
	}
	e, _ := errors.AsType[*amqp.Error](err)
	found := accessPattern.FindStringSubmatch(e.Reason)
	if found == nil {
		return r, false
	}
	return refusal{permission: found[1], kind: found[2], name: found[3], exchange: found[4], user: found[5], reason: e.Reason}, true
}

// defaultExchange is how the broker names the exchange "" in its permissions.
const defaultExchange = "amq.default"

// needed lists what the link does with the queue or exchange that was refused. A broker
// checks one permission at a time, and the user would learn of each in turn.
func (r refusal) needed(link string) []string {
	switch {
	case r.kind == "topic", r.name == defaultExchange:
		return []string{"write"}
	case r.kind == "queue":
		return []string{"configure", "write", "read"}
	case r.name == link, strings.HasSuffix(r.name, gateOf("")), strings.HasSuffix(r.name, behindGate("")):
		return []string{"configure", "write", "read"}
	}
	return []string{"configure", "read"} // a tie or a witness: it is bound from
}

// allows puts a permission as what somebody may do.
var allows = map[string]string{"configure": "configure", "write": "write to", "read": "read from"}

// missing says what the user lacks, given the name of the link's exchange.
func (r refusal) missing(link string) string {
	what := fmt.Sprintf("the %s %q", r.kind, r.name)
	switch {
	case r.kind == "topic":
		what = fmt.Sprintf("the exchange %q with the routing key %q", r.exchange, r.name)
	case r.name == defaultExchange:
		what = "the default exchange (" + defaultExchange + ")"
	}
	needed := r.needed(link)
	permission := r.permission
	if permission == "" && len(needed) == 1 {
		permission = needed[0]
	}
	switch {
	case permission == "":
		return fmt.Sprintf("user %q lacks a permission for %s: the link needs %s", r.user, what, strings.Join(needed, ", "))
	case len(needed) == 1:
		return fmt.Sprintf("user %q may not %s %s", r.user, allows[permission], what)
	}
	return fmt.Sprintf("user %q may not %s %s: the link needs %s", r.user, allows[permission], what, strings.Join(needed, ", "))
}

// withoutPermission names the permission that is missing, if the error is about one.
func withoutPermission(err error, link string) error {
	if r, ok := readRefusal(err); ok {
		return errors.New(r.missing(link))
	}
	return err
}
