package recorded

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ClientName is the name of CLU's server on the exchange.
const ClientName = "amqp-client-b5821fc64fc9"

//go:embed clu-2.6.1.jsonl
var traffic []byte

// Case is one recorded exchange.
type Case struct {
	Case        string
	ClientSends string `json:"client_sends"` // "" if an actor sent first
	Commands    []Message
	Replies     []Message
	Envelopes   []string // JSON as CLU wrote it: NaN is unquoted
}

// Message is a recorded AMQP message.
type Message struct {
	Exchange   string
	RoutingKey string `json:"routing_key"`
	Properties struct {
		ContentType   string `json:"content_type"`
		DeliveryMode  uint8  `json:"delivery_mode"`
		Priority      uint8  // 0 if there is none, as in CLU's AMQP library
		CorrelationID string `json:"correlation_id"`
		ReplyTo       string `json:"reply_to"`
		MessageID     string `json:"message_id"`
		Timestamp     *int64 // seconds; nil for none
	}
	Headers map[string]any // numbers are [json.Number]
	Body    string
}

// Cases returns all recorded cases.
func Cases(t testing.TB) (cases []Case) {
	t.Helper()
	for line := range bytes.Lines(traffic) {
		var c Case
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if len(cases) != 30 {
		t.Fatalf("there are %d recorded cases, not 30", len(cases))
	}
	return cases
}

// Time returns the message's timestamp, or the zero time if it has none.
func (m Message) Time() time.Time {
	if m.Properties.Timestamp == nil {
		return time.Time{}
	}
	return time.Unix(*m.Properties.Timestamp, 0)
}

// Table returns the message's headers in AMQP's types.
func (m Message) Table() amqp.Table { return table(m.Headers) }

func table(m map[string]any) amqp.Table {
	t := amqp.Table{}
	for k, v := range m {
		t[k] = field(v)
	}
	return t
}

func field(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		return table(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = field(v[i])
		}
		return list
	}
	return v
}

// Publishing returns the message as its sender published it.
func (m Message) Publishing() amqp.Publishing {
	return amqp.Publishing{
		Headers:       m.Table(),
		ContentType:   m.Properties.ContentType,
		DeliveryMode:  m.Properties.DeliveryMode,
		CorrelationId: m.Properties.CorrelationID,
		ReplyTo:       m.Properties.ReplyTo,
		MessageId:     m.Properties.MessageID,
		Timestamp:     m.Time(),
		Body:          []byte(m.Body),
	}
}

// Delivery returns the message as a consumer receives it.
func (m Message) Delivery() *amqp.Delivery {
	return &amqp.Delivery{
		Headers:       m.Table(),
		ContentType:   m.Properties.ContentType,
		DeliveryMode:  m.Properties.DeliveryMode,
		CorrelationId: m.Properties.CorrelationID,
		ReplyTo:       m.Properties.ReplyTo,
		MessageId:     m.Properties.MessageID,
		Timestamp:     m.Time(),
		Exchange:      m.Exchange,
		RoutingKey:    m.RoutingKey,
		Body:          []byte(m.Body),
	}
}
