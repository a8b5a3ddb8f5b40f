package amqpx

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A broker closes the channel, with everything in flight on it, over a single message that is
// too long for it (RabbitMQ's max_message_size), or that the user may not publish. It
// announces neither limit. So the first such message breaks the link; the link learns from
// that, and Publish refuses the next one.

var sizePattern = regexp.MustCompile(`larger than (?:the )?(?:configured )?max size (\d+)`)

// noteSizeLimit learns from the reason why a session at a target ended how long a message may
// be. Any other reason clears the limit: the broker may come back with a different one. Each
// target has its own limit, since two brokers may differ.
func (l *Link) noteSizeLimit(target string, reason error) {
	var limit int64
	if e, ok := errors.AsType[*amqp.Error](reason); ok && e.Server && e.Code == amqp.PreconditionFailed {
		if found := sizePattern.FindStringSubmatch(e.Reason); found != nil {
			limit, _ = strconv.ParseInt(found[1], 10, 64) // 0 is no limit
		}
	}
	l.sizeLimits[target] = limit
}

// checkLength returns an error for a message that is known to be too long for the broker.
func (l *Link) checkLength(m *Message) error {
	if limit := l.sizeLimit.Load(); limit > 0 && int64(len(m.Body)) > limit {
		return fmt.Errorf("the message is %d bytes long, and the broker accepts %d; send less, or raise its limit (max_message_size)", len(m.Body), limit)
	}
	return nil
}

// A user may lack the permission to write to the exchange: a link that may only consume would
// break with each publish. The link learns this from the sentinel, which needs the same
// permission, or from a session that broke, and then publishes nothing. A user may also lack
// the permission for one routing key (RabbitMQ's topic permissions). Then only that key is
// refused.

const (
	// deniedFor is how long a denial is believed.
	deniedFor = 90 * time.Second
	// recheckEvery is how often the link checks whether the denial still holds. recheckFirst
	// is when it checks first: a broker that has just started may not know its users'
	// permissions yet.
	recheckEvery = time.Minute
	recheckFirst = 5 * time.Second
)

// denial is why messages are not sent, and until when that is assumed.
type denial struct {
	reason error
	until  time.Time
}

func (d *denial) active() bool { return d != nil && time.Now().Before(d.until) }

// noteDenied learns from the broker's answer to a sentinel, or from why a session broke.
func (l *Link) noteDenied(answer error) {
	r, ok := readRefusal(answer)
	if !ok {
		return
	}
	until := time.Now().Add(deniedFor)
	if r.permission == "" {
		r.permission = "write" // what a sentinel and a publish need of the link's exchange
	}
	reason := fmt.Errorf("%s; grant it: %s", r.missing(l.cfg.Exchange), r.reason)
	switch {
	case r.kind == "topic" && r.exchange == l.cfg.Exchange:
		l.denyKey(r.name, &denial{reason, until})
	case r.kind == "exchange" && r.name == l.cfg.Exchange && r.permission == "write":
		l.denied.Store(&denial{reason, until})
	}
}

// maxDeniedKeys bounds the denials that are remembered, because senders choose the keys.
const maxDeniedKeys = 1024

func (l *Link) denyKey(key string, d *denial) {
	old := l.deniedKeys.Load()
	keys := map[string]*denial{key: d}
	if old != nil && len(*old) < maxDeniedKeys {
		for k, d := range *old {
			if _, again := keys[k]; !again && d.active() {
				keys[k] = d
			}
		}
	}
	l.deniedKeys.Store(&keys)
}

// checkWrite returns an error if nothing may be published now.
func (l *Link) checkWrite() error {
	if d := l.denied.Load(); d.active() {
		return d.reason
	}
	return nil
}

// checkKey returns an error if nothing may be published with the routing key now.
func (l *Link) checkKey(key string) error {
	if keys := l.deniedKeys.Load(); keys != nil {
		if d := (*keys)[key]; d.active() {
			return d.reason
		}
	}
	return nil
}

// recheckWrite checks, with a sentinel, whether the user still may not write to the
// exchange. Until the broker has answered, the denial holds.
func (s *session) recheckWrite(cs *consumerState) {
	if s.link.checkWrite() == nil || !cs.noSentinel {
		return
	}
	name := sentinelOf(cs.queueName())
	_, err := s.makeSentinel(name)
	if err == nil {
		s.link.denied.Store(nil)
	}
	s.link.noteDenied(err)
	_ = s.removeSentinel(name, cs.queue.livesOn()) // an error means that the connection is closed
}

// accessPattern is how RabbitMQ refuses access. Before 4.0 it did not name the missing
// permission.
var accessPattern = regexp.MustCompile(`(?:^|[- ])(?:(configure|write|read) )?access to (queue|exchange|topic) '(.*?)'(?: in exchange '(.*)')? in vhost '.*' refused for user '(.*)'`)

// refusal is the broker's answer to a user who lacks a permission.
type refusal struct {
	permission string // "configure", "write" or "read"; "" if the broker does not name it
	kind       string // "queue", "exchange" or "topic"
	name       string // of the queue or exchange; the routing key of a topic
	exchange   string // of a topic
	user       string
	reason     string // as the broker puts it
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

// defaultExchange is what the broker calls the exchange "" in its permissions.
const defaultExchange = "amq.default"

// needed lists all permissions that the link needs for the queue or exchange. A broker checks
// one permission at a time, so without this the user would learn of one after the other.
func (r refusal) needed(link string) []string {
	switch {
	case r.kind == "topic", r.name == defaultExchange:
		return []string{"write"}
	case r.kind == "queue":
		return []string{"configure", "write", "read"}
	case r.name == link, strings.HasSuffix(r.name, gateOf("")), strings.HasSuffix(r.name, behindGate("")):
		return []string{"configure", "write", "read"}
	}
	return []string{"configure", "read"} // a sentinel, which is the source of the binding
}

// permissionVerbs maps a permission to what its owner may do.
var permissionVerbs = map[string]string{"configure": "configure", "write": "write to", "read": "read from"}

// missing says which permission the user lacks, given the name of the link's exchange.
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
		return fmt.Sprintf("user %q may not %s %s", r.user, permissionVerbs[permission], what)
	}
	return fmt.Sprintf("user %q may not %s %s: the link needs %s", r.user, permissionVerbs[permission], what, strings.Join(needed, ", "))
}

// withoutPermission names the permission that is missing, if the error is about one.
func withoutPermission(err error, link string) error {
	if r, ok := readRefusal(err); ok {
		return errors.New(r.missing(link))
	}
	return err
}
