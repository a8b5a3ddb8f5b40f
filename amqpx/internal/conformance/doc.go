// Package conformance is one suite of black-box tests for an AMQP 0-9-1 broker, as seen by a client.
//
// The project relies on two brokers: RabbitMQ at the observatory, and the embedded one (package
// amqpx/broker) for development and tests. What holds for both is written down here once, and run
// against both: a difference is a bug of the embedded broker, or is documented there. What only one of
// them does (limits, arguments that the embedded broker refuses) is not tested here.
//
// The suite speaks through amqp091-go, and through a few hand-made frames where the library would not
// let a rule be broken. It needs the user guest, the virtual host "/", and no empty broker: every name
// it declares is new, and goes with its connections.
//
//	conformance.Run(t, "amqp://guest:guest@localhost:5672/")
package conformance
