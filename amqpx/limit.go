package amqpx

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

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
