package actor

import "github.com/clu-ws/clu-ws/amqpx"

// OutcomeText returns a sentence for the commander that says why a command failed, given
// the outcome of its publishing. It returns "" for a confirmed command, and
// [UnroutableText] for a returned one.
func OutcomeText(outcome amqpx.Outcome, consumer string) string {
	switch outcome {
	case amqpx.Confirmed:
		return ""
	case amqpx.Returned:
		return UnroutableText(consumer)
	case amqpx.Refused:
		return "It is unknown whether the command reached the actor: the broker refused it for at least one queue. Ask for the actor's status before sending it again."
	case amqpx.Disconnected:
		return "The command was not sent: there is no connection to the broker."
	case amqpx.Blocked:
		return "The command was not sent: the broker blocks publishers because it is short of memory or disk."
	case amqpx.Full:
		return "The command was not sent: too many commands wait to be sent; try again."
	case amqpx.Expired:
		return "The command was not sent: it expired while it waited; try again."
	case amqpx.Gone:
		return "The command was not sent: its sender had disconnected."
	}
	return "It is unknown whether the command reached the actor: it was sent, but the broker did not confirm it. Ask for the actor's status before sending it again."
}
