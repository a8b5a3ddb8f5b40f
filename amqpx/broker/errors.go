package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// replyCode is an AMQP reply code (AMQP 0-9-1, section 1.2, and RabbitMQ's use of it).
type replyCode uint16

const (
	noRoute            replyCode = 312
	connectionForced   replyCode = 320
	accessRefused      replyCode = 403
	notFound           replyCode = 404
	resourceLocked     replyCode = 405
	preconditionFailed replyCode = 406
	frameError         replyCode = 501
	commandInvalid     replyCode = 503
	channelError       replyCode = 504
	unexpectedFrame    replyCode = 505
	resourceError      replyCode = 506
	notAllowed         replyCode = 530
	notImplemented     replyCode = 540
)

// String is the code's name as RabbitMQ puts it in front of a reply text.
func (c replyCode) String() string {
	switch c {
	case noRoute:
		return "NO_ROUTE"
	case connectionForced:
		return "CONNECTION_FORCED"
	case accessRefused:
		return "ACCESS_REFUSED"
	case notFound:
		return "NOT_FOUND"
	case resourceLocked:
		return "RESOURCE_LOCKED"
	case preconditionFailed:
		return "PRECONDITION_FAILED"
	case frameError:
		return "FRAME_ERROR"
	case commandInvalid:
		return "COMMAND_INVALID"
	case channelError:
		return "CHANNEL_ERROR"
	case unexpectedFrame:
		return "UNEXPECTED_FRAME"
	case resourceError:
		return "RESOURCE_ERROR"
	case notAllowed:
		return "NOT_ALLOWED"
	case notImplemented:
		return "NOT_IMPLEMENTED"
	}
	return fmt.Sprintf("CODE_%d", uint16(c))
}

// closesConnection reports whether the error ends the connection (a hard error), not just one channel.
func (c replyCode) closesConnection() bool {
	return c == connectionForced || c >= 500
}

// amqpError is a violation by the peer, sent to it as channel.close or connection.close.
type amqpError struct {
	code   replyCode
	text   string
	method methodID // what the peer called, zero when it was no method
	asked  bool     // it is the answer to a question of the peer, such as a passive declaration
}

func (e *amqpError) Error() string { return e.code.String() + " - " + e.text }

func errorf(code replyCode, format string, a ...any) *amqpError {
	return &amqpError{code: code, text: fmt.Sprintf(format, a...)}
}

// during records the method that was refused.
func (e *amqpError) during(id methodID) *amqpError {
	e.method = id
	return e
}

// answering marks an error as the answer to a question.
func answering(err error) error {
	var e *amqpError
	if errors.As(err, &e) {
		e.asked = true
	}
	return err
}

// appendError appends the arguments common to channel.close and connection.close.
func appendError(dst []byte, e *amqpError) []byte {
	dst = append(dst, byte(e.code>>8), byte(e.code))
	text := e.Error()
	dst = appendShort(dst, strings.ToValidUTF8(text[:min(len(text), 255)], "?"))
	return binary.BigEndian.AppendUint32(dst, uint32(e.method))
}
