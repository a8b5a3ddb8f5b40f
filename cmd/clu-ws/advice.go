package main

import (
	"errors"
	"log/slog"

	"github.com/clu-ws/clu-ws/amqpx"
)

// advice names the flags to look at after a failure to link: package amqpx knows no
// flags.
var advice = map[amqpx.Kind]string{
	amqpx.NameInUse:         "see --name",
	amqpx.ExchangeDiffers:   "see --exchange",
	amqpx.QueueDiffers:      "see --durable",
	amqpx.StreamDiffers:     "see --stream-name, --stream-age and --stream-bytes",
	amqpx.NoStreams:         "see --durable",
	amqpx.NoExpiry:          "see --durable",
	amqpx.VirtualHostDenied: "see --vhost or --url",
	amqpx.LoginRefused:      "see --user and --password",
	amqpx.UntrustedIssuer:   "see --ca",
	amqpx.TLSHangUp:         "see --rabbitmq-port, --cert and --key",
	amqpx.HangUp:            "see --rabbitmq-port and --ssl",
	amqpx.NotAMQP:           "see --rabbitmq-port and --ssl",
	amqpx.NotTLS:            "see --rabbitmq-port and --ssl",
}

// withAdvice adds advice about flags to a failure to link. Any other error is
// returned as it is.
func withAdvice(err error) error {
	var failure *amqpx.Error
	if !errors.As(err, &failure) || advice[failure.Kind] == "" {
		return err
	}
	return &advisedError{err, advice[failure.Kind]}
}

// advisedError is an error with advice appended.
type advisedError struct {
	error
	advice string
}

func (e *advisedError) Error() string { return e.error.Error() + " (" + e.advice + ")" }
func (e *advisedError) Unwrap() error { return e.error }

// adviseInLog is the ReplaceAttr function of a logger that adds the advice to
// errors.
func adviseInLog(_ []string, a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok {
		a.Value = slog.AnyValue(withAdvice(err))
	}
	return a
}
