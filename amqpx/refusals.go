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

// A broker does not say beforehand how long a message may be (RabbitMQ's
// max_message_size), and closes the channel over one that is longer, under all that
// is in flight. So one such message breaks the link; that it is the only one, the
// limit is learned from.

var tooLong = regexp.MustCompile(`larger than (?:the )?(?:configured )?max size (\d+)`)

// noteSizeLimit takes the reason for which a session at the URL ended. A link that broke
// for another one may come back to a broker with another limit. Each address has
// its own: two brokers need not agree.
func (l *Link) noteSizeLimit(url string, reason error) {
	var limit int64
	if e, ok := errors.AsType[*amqp.Error](reason); ok && e.Server && e.Code == amqp.PreconditionFailed {
		if found := tooLong.FindStringSubmatch(e.Reason); found != nil {
			limit, _ = strconv.ParseInt(found[1], 10, 64) // 0 is no limit
		}
	}
	l.sizeLimits[url] = limit
}

// checkLength refuses a message that is longer than the broker takes, as far as known.
func (l *Link) checkLength(m *Message) error {
	if limit := l.sizeLimit.Load(); limit > 0 && int64(len(m.Body)) > limit {
		return fmt.Errorf("the message is %d bytes long, and the broker takes %d; send less, or let it take more (max_message_size)", len(m.Body), limit)
	}
	return nil
}

// A broker that does not let the user write to the exchange closes the channel over
// the first message, under all that is in flight. A bridge that may only listen would
// lose its link over each command. So nothing is sent while that is known: from the
// tie, which needs the same permission, or from a link that broke. It does the same over
// a routing key that the user may not write (RabbitMQ's topic permissions): then
// only that one is not sent.

// deniedFor is how long it is taken to be so, and recheckEvery after how many checks
// of the bindings the broker is asked whether it is still so. It is asked first after
// askAgainFirst: one that has just come up may not know its users' permissions yet.
const (
	deniedFor    = 90 * time.Second
	recheckEvery = 60
	recheckFirst = 5
)

// denial is why nothing is sent, until a moment.
type denial struct {
	reason error
	until  time.Time
}

// noteDenied takes what the broker answered to a tie, or why a link broke.
func (l *Link) noteDenied(answer error) {
	r, ok := readRefusal(answer)
	if !ok {
		return
	}
	until := time.Now().Add(deniedFor)
	if r.permission == "" {
		r.permission = "write" // what the tie needs of this exchange, and a message
	}
	reason := fmt.Errorf("%s; grant it: %s", r.missing(l.cfg.Exchange), r.reason)
	switch {
	case r.kind == "topic" && r.exchange == l.cfg.Exchange:
		l.denyKey(r.name, &denial{reason, until})
	case r.kind == "exchange" && r.name == l.cfg.Exchange && r.permission == "write":
		l.denied.Store(&denial{reason, until})
	}
}

// maxDeniedKeys bounds what is remembered: the keys are the commanders' choice.
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

func (d *denial) active() bool { return d != nil && time.Now().Before(d.until) }

// checkWrite is an error while nothing may be sent.
func (l *Link) checkWrite() error {
	if d := l.denied.Load(); d.active() {
		return d.reason
	}
	return nil
}

// checkKey is an error while nothing with the routing key may be sent.
func (l *Link) checkKey(key string) error {
	if keys := l.deniedKeys.Load(); keys != nil {
		if d := (*keys)[key]; d.active() {
			return d.reason
		}
	}
	return nil
}

// recheckWrite asks, by a tie, whether it is still forbidden to write.
func (s *session) recheckWrite(cs *consumerState) {
	if s.link.checkWrite() == nil || !cs.noSentinel {
		return
	}
	// Until the answer is here it stays forbidden.
	_, err := s.makeSentinel(sentinelOf(cs.queueName()))
	if err == nil {
		s.link.denied.Store(nil)
	}
	s.link.noteDenied(err)
	dies := cs.queue.Expires == 0 && cs.queue.Stream == nil
	_ = s.removeSentinel(sentinelOf(cs.queueName()), !dies) // an error means that the connection is closed
}

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
