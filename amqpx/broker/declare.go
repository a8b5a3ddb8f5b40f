package broker

import "strconv"

// refuseArguments refuses arguments that would change what an object does in a way that this broker does not
// support: ignored silently, they would be missed much later. Any other argument is accepted and ignored, as
// RabbitMQ ignores those that it does not know.
func refuseArguments(arguments table, unsupported func(field) bool, what, name string) error {
	for f := range arguments.fields {
		if unsupported(f) {
			return errorf(preconditionFailed, "invalid arg '%s' for %s '%s' in vhost '/': "+
				"the embedded broker does not support it", f.name, what, name)
		}
	}
	return nil
}

func unsupportedByExchange(f field) bool { return f.name == "alternate-exchange" }

func unsupportedByQueue(f field) bool {
	switch f.name {
	case "x-expires", "x-message-ttl", "x-max-length", "x-max-length-bytes", "x-overflow", "x-max-priority",
		"x-dead-letter-exchange", "x-dead-letter-routing-key", "x-single-active-consumer", "x-delivery-limit",
		"x-queue-leader-locator", "x-max-age", "x-stream-max-segment-size-bytes":
		return true
	case "x-queue-type":
		return string(f.value) != "classic"
	}
	return false
}

func unsupportedByConsumer(f field) bool {
	return f.name == "x-priority" || f.name == "x-stream-offset"
}

// property is one flag of an object that is declared again.
type property struct {
	name      string
	want, has bool
}

func (p property) check(object string) error {
	if p.want == p.has {
		return nil
	}
	return errInequivalent(p.name, object, strconv.FormatBool(p.want), strconv.FormatBool(p.has))
}

func errInequivalent(name, object, want, has string) error {
	return errorf(preconditionFailed, "inequivalent arg '%s' for %s in vhost '/': received '%s' but current is '%s'",
		name, object, want, has)
}

func errReserved(what, name string) error {
	return errorf(accessRefused, "%s name '%s' contains reserved prefix 'amq.*'", what, name)
}

func errLimit(what string, limit int) error {
	return errorf(preconditionFailed, "the broker's limit of %d %ss is reached", limit, what)
}
