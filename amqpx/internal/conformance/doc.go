// Package conformance is one suite of black-box tests for an AMQP 0-9-1 broker, as seen by a client.
//
// The project uses two brokers: RabbitMQ in production, and the embedded one (package amqpx/broker)
// for development and tests. Their common behaviour is tested here, against both: a difference is a
// bug of the embedded broker, or is documented there. Behaviour that only one of them has (limits,
// arguments that the embedded broker refuses) is not tested here.
//
//	Run ──► one subtest for each behaviour ──► amqp091-go, or frames by hand (raw.go) ──► broker
//
// The suite uses amqp091-go, and writes frames by hand where the library would not violate a rule.
// It needs the user guest and the virtual host "/". The broker need not be empty: every declared
// name is unique, and is deleted with its connection.
//
//	conformance.Run(t, "amqp://guest:guest@localhost:5672/")
package conformance
