package actor

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/amqpx"
)

// contentType is CLU's content type for JSON.
const contentType = "text/json"

// transient is AMQP's delivery mode for messages that a broker keeps in memory.
const transient = 1

// Command is a command string for an actor, with its ids.
type Command struct {
	// Consumer is the actor's name. Any dots in it are part of the routing key.
	Consumer string
	// CommandString is the text that the actor parses, such as "expose 10".
	CommandString string
	// CommandID ties replies to the command, at most 255 bytes.
	CommandID string
	// CommanderID identifies the sender: <client name>.<consumer>. It is part of the routing
	// key of the replies.
	CommanderID string
	// ReplyTo is the sender's replies queue.
	ReplyTo string
	// User is who sends the command, as the program that sends it for them knows; "" is not said.
	// It is the header commander_user, which CLU's actors ignore. At most 255 bytes.
	User string
	// Internal asks the actor to mark its replies as internal.
	Internal bool
	// NoLog asks the actor not to log the command (write_to_log false).
	NoLog bool
}

// NewCommand returns a command from the client with the given name. An empty id becomes a
// new UUID4.
func NewCommand(client, consumer, commandString, id string) Command {
	if id == "" {
		id = NewCommandID()
	}
	return Command{
		Consumer:      consumer,
		CommandString: commandString,
		CommandID:     id,
		CommanderID:   CommanderID(client, consumer),
		ReplyTo:       RepliesQueue(client),
	}
}

// commandBody is the JSON body of a command.
type commandBody struct {
	CommandString string `json:"command_string"`
}

// Validate returns an error if AMQP cannot carry the command. Its text says why and how to
// fix it.
func (c Command) Validate() error {
	key := len("command.") + len(c.Consumer)
	reply := len("reply.") + len(c.CommanderID)
	switch {
	case c.Consumer == "":
		return errors.New("the consumer is empty; name the actor that is to run the command")
	case !utf8.ValidString(c.Consumer) || !utf8.ValidString(c.CommandID):
		return errors.New("the consumer and the command_id must be valid UTF-8")
	case key > amqpx.MaxShortString:
		return fmt.Errorf("the consumer is %d bytes long; at most %d fit an AMQP routing key", len(c.Consumer), amqpx.MaxShortString-len("command."))
	case reply > amqpx.MaxShortString:
		return fmt.Errorf("the consumer is %d bytes long; with the bridge's name in front at most %d fit the routing key of its replies", len(c.Consumer), len(c.Consumer)-(reply-amqpx.MaxShortString))
	case len(c.User) > maxUser || !utf8.ValidString(c.User):
		return fmt.Errorf("the name of the user is %d bytes long; a command may have a name of %d, in UTF-8", len(c.User), maxUser)
	case len(c.CommandID) > amqpx.MaxShortString:
		return fmt.Errorf("the command_id is %d bytes long; AMQP allows %d", len(c.CommandID), amqpx.MaxShortString)
	}
	return nil
}

// Message returns the command as CLU publishes it: mandatory, to command.<consumer>. It
// names the queues of the actors that would receive it, for links that check queues (see
// CheckQueues in [amqpx.Config]).
func (c Command) Message() amqpx.Message {
	headers := c.headers()
	if c.User != "" {
		headers[userHeader] = c.User
	}
	return amqpx.Message{
		Key:       "command." + c.Consumer,
		Mandatory: true,
		Needs:     c.queues(),
		Publishing: amqpx.Publishing{
			ContentType:   contentType,
			DeliveryMode:  transient,
			CorrelationId: c.CommandID,
			ReplyTo:       c.ReplyTo,
			MessageId:     newMessageID(),
			Headers:       headers,
			Body:          marshal(commandBody{c.CommandString}),
		},
	}
}

// maxConsumerWords bounds the queue names made of a consumer, each of which may
// cost a request to the broker. Names of CLU's actors have one word.
const maxConsumerWords = 4

// queues returns the queues of the CLU actors that receive a command to the consumer. An
// actor is bound to command.<name>.#, so a command to a.b is received by the actors a.b and
// a, whose queues are a.b_commands and a_commands. For a consumer of more than four words
// it returns none, and no queues are checked.
func (c Command) queues() []string {
	if strings.Count(c.Consumer, ".") >= maxConsumerWords {
		return nil
	}
	var queues []string
	for name := c.Consumer; name != ""; {
		if q := CommandsQueue(name); len(q) <= amqpx.MaxShortString {
			queues = append(queues, q)
		}
		dot := strings.LastIndexByte(name, '.')
		name = name[:max(dot, 0)]
	}
	return queues
}

// Receives reports whether the actor with the given name receives commands to a consumer:
// actor a is bound to command.a.#, so it runs commands to a and to a.b.
func Receives(name, consumer string) bool {
	rest, ok := strings.CutPrefix(consumer, name)
	return ok && name != "" && (rest == "" || rest[0] == '.')
}

// userHeader is the header with [Command.User].
const userHeader = "commander_user"

// maxUser bounds the user in bytes, because all headers of a message go into one frame.
const maxUser = 255

func (c Command) headers() amqpx.Table {
	return amqpx.Table{
		"command_id":   c.CommandID,
		"commander_id": c.CommanderID,
		"internal":     c.Internal,
		"write_to_log": !c.NoLog,
	}
}

// UnroutableReply returns the reply that a commander publishes on behalf of a consumer that
// does not exist, so that every client on the exchange sees the command fail. It has the
// command's headers except the user, a code and a sender, no timestamp, and CLU's own text.
func (c Command) UnroutableReply(client string) amqpx.Message {
	headers := c.headers()
	headers["message_code"] = string(Failed)
	headers["sender"] = c.Consumer
	return amqpx.Message{
		Key:       "reply." + client,
		Mandatory: true,
		Publishing: amqpx.Publishing{
			ContentType:   contentType,
			DeliveryMode:  transient,
			CorrelationId: c.CommandID,
			MessageId:     newMessageID(),
			Headers:       headers,
			Body:          marshal(map[string]string{"error": UnroutableText(c.Consumer)}),
		},
	}
}

// IsUnroutable reports whether a failed reply was published by a commander on behalf
// of a consumer that does not exist ([Command.UnroutableReply]): its routing key is
// reply.<client>, where that of an actor's reply is reply.<client>.<consumer>.
func IsUnroutable(routingKey, commanderID, sender string) bool {
	client, ok := strings.CutPrefix(routingKey, "reply.")
	if !ok || sender == "" {
		return false
	}
	consumer, ok := strings.CutPrefix(commanderID, client)
	return ok && len(consumer) == len(sender)+1 && consumer[0] == '.' && consumer[1:] == sender
}

// UnroutableText returns CLU's text for a command to a consumer that does not exist.
func UnroutableText(consumer string) string {
	return "Failed routing message to consumer " + pythonRepr(consumer) + "."
}

// ParseCommand parses a command that an actor received. The message does not name
// the consumer, which is left empty.
func ParseCommand(d *amqpx.Delivery) (Command, error) {
	var body commandBody
	text, err := DecodeBody(d)
	if err != nil {
		return Command{}, fmt.Errorf("the command's %w", err)
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return Command{}, fmt.Errorf("the command's body is not a JSON object with a command_string: %w", err)
	}
	c := Command{CommandString: body.CommandString, ReplyTo: d.ReplyTo}
	c.CommandID, _ = d.Headers["command_id"].(string)
	c.CommanderID, _ = d.Headers["commander_id"].(string)
	c.User, _ = d.Headers[userHeader].(string)
	c.Internal, _ = d.Headers["internal"].(bool)
	if log, ok := d.Headers["write_to_log"].(bool); ok {
		c.NoLog = !log
	}
	return c, nil
}
