package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
)

// errNotAReply is the error of an envelope that is no reply of an actor.
var errNotAReply = errors.New("it is no reply")

// messageOf returns the message that an envelope was.
func messageOf(envelope json.RawMessage) (m amqpx.Message, err error) {
	var e struct {
		Headers    map[string]any  `json:"headers"`
		MessageID  *string         `json:"message_id"`
		RoutingKey string          `json:"routing_key"`
		Timestamp  *string         `json:"timestamp"`
		Body       json.RawMessage `json:"body"`
	}
	decoder := json.NewDecoder(bytes.NewReader(envelope))
	decoder.UseNumber() // integers have all their digits
	if err := decoder.Decode(&e); err != nil {
		return m, err
	}
	if !strings.HasPrefix(e.RoutingKey, "reply.") { // a command would move an actor
		return m, fmt.Errorf("%w: its routing key is %q", errNotAReply, e.RoutingKey)
	}
	m.Key, m.ContentType, m.Body = e.RoutingKey, "text/json", e.Body
	if m.Headers, err = table(e.Headers); err != nil {
		return m, err
	}
	if id, ok := e.Headers["command_id"].(string); ok {
		m.CorrelationId = id // of a reply it is the same, else bridges drop it
	}
	if e.MessageID != nil {
		m.MessageId = *e.MessageID
	}
	if e.Timestamp != nil {
		if at, err := time.Parse(time.RFC3339, *e.Timestamp); err == nil {
			m.Timestamp = at
		}
	}
	return m, nil
}

// table returns headers as AMQP has them.
func table(headers map[string]any) (amqp091.Table, error) {
	t := amqp091.Table{}
	for name, value := range headers {
		v, err := field(value)
		if err != nil {
			return nil, fmt.Errorf("its header %s: %w", name, err)
		}
		t[name] = v
	}
	return t, nil
}

func field(value any) (any, error) {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v.Float64()
	case []any:
		for i := range v {
			one, err := field(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = one
		}
		return v, nil
	case map[string]any:
		return table(v)
	}
	return value, nil // a text, a boolean or null
}
