package actor_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/recorded"
)

func TestEnvelopesEqualCLUs(t *testing.T) {
	for _, rec := range recorded.Cases(t) {
		t.Run(rec.Case, func(t *testing.T) {
			var got []string
			for _, m := range rec.Replies {
				b, err := actor.Envelope{NaN: actor.NaNPython}.Append(nil, m.Delivery())
				if err == nil {
					got = append(got, string(b))
				}
			}
			if len(got) != len(rec.Envelopes) {
				t.Fatalf("there are %d envelopes, CLU wrote %d", len(got), len(rec.Envelopes))
			}
			for i, want := range rec.Envelopes {
				if !equalJSON(t, got[i], want) {
					t.Errorf("envelope %d\nours: %s\nCLU:  %s", i, got[i], want)
				}
				if !equalKeyOrder(got[i], want) {
					t.Errorf("envelope %d has its keys in another order\nours: %s\nCLU:  %s", i, got[i], want)
				}
			}
		})
	}
}

// equalJSON compares Python's JSON, and numbers as they are written.
func equalJSON(t *testing.T, a, b string) bool {
	t.Helper()
	return reflect.DeepEqual(pythonJSON(t, a), pythonJSON(t, b))
}

// notANumber matches the values that only Python's JSON has. No recorded text has one
// after a colon.
var notANumber = regexp.MustCompile(`: (NaN|-?Infinity)`)

func pythonJSON(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(notANumber.ReplaceAllString(text, `: "$1"`)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

var topKey = regexp.MustCompile(`"(headers|exchange|message_id|routing_key|timestamp|body)": `)

func equalKeyOrder(a, b string) bool {
	return reflect.DeepEqual(topKey.FindAllString(a, -1), topKey.FindAllString(b, -1))
}

func TestDroppedRepliesAreThoseThatCLUDrops(t *testing.T) {
	want := map[string]error{
		"foreign: no message_code":                        actor.ErrNoCode,
		"foreign: empty message_code":                     actor.ErrNoCode,
		"foreign: command_id differs from correlation_id": actor.ErrIDMismatch,
		"foreign: command_id without correlation_id":      actor.ErrIDMismatch,
	}
	for _, rec := range recorded.Cases(t) {
		for _, m := range rec.Replies {
			if _, err := actor.ParseReply(m.Delivery()); err != want[rec.Case] {
				t.Errorf("%s: %v, want %v", rec.Case, err, want[rec.Case])
			}
		}
	}
}

func TestCommandsEqualCLUsPropertyForProperty(t *testing.T) {
	compared := 0
	for _, rec := range recorded.Cases(t) {
		for _, want := range rec.Commands {
			client := strings.TrimSuffix(want.Properties.ReplyTo, "_replies")
			var sent struct {
				Consumer      string
				CommandString string `json:"command_string"`
				CommandID     string `json:"command_id"`
			}
			if err := json.Unmarshal([]byte(rec.ClientSends), &sent); err != nil {
				t.Fatal(err)
			}
			id := sent.CommandID
			if id == "" {
				id = want.Properties.CorrelationID // CLU has chosen one
			}
			msg := actor.NewCommand(client, sent.Consumer, sent.CommandString, id).Message()
			msg.Needs = nil // not part of the published message
			equalMessage(t, rec.Case, msg, want)
			got, err := actor.ParseCommand(want.Delivery())
			if err != nil || got.CommandString != sent.CommandString || got.CommandID != id {
				t.Errorf("%s: CLU's command is read as %+v, %v", rec.Case, got, err)
			}
			compared++
		}
	}
	if compared != 10 {
		t.Errorf("%d commands were compared, not 10", compared)
	}
}

func TestRepliesEqualCLUsPropertyForProperty(t *testing.T) {
	for _, rec := range recorded.Cases(t) {
		if strings.HasPrefix(rec.Case, "foreign") {
			continue
		}
		for _, want := range rec.Replies {
			if rec.Case == "unroutable consumer" {
				cmd := actor.NewCommand(strings.TrimPrefix(want.RoutingKey, "reply."), "nobody", "ping", "n")
				equalMessage(t, rec.Case, cmd.UnroutableReply(strings.TrimPrefix(want.RoutingKey, "reply.")), want)
				continue
			}
			r, err := actor.ParseReply(want.Delivery())
			if err != nil {
				t.Fatal(err)
			}
			r.Body = json.RawMessage(want.Body) // unchanged, with NaN
			equalMessage(t, rec.Case, r.Message(), want)
		}
	}
}

// equalMessage compares all but the message id, which is random.
func equalMessage(t *testing.T, name string, got amqpx.Message, want recorded.Message) {
	t.Helper()
	d := want.Delivery()
	wantMessage := amqpx.Message{Key: d.RoutingKey, Mandatory: true, Publishing: amqpx.Publishing{
		Headers: d.Headers, ContentType: d.ContentType, DeliveryMode: d.DeliveryMode, CorrelationId: d.CorrelationId,
		ReplyTo: d.ReplyTo, Timestamp: d.Timestamp,
	}}
	gotBody := string(got.Body)
	got.MessageId, got.Body = "", nil
	if !reflect.DeepEqual(got, wantMessage) {
		t.Errorf("%s:\nours: %+v\nCLU:  %+v", name, got, wantMessage)
	}
	if !equalJSON(t, gotBody, want.Body) {
		t.Errorf("%s:\nours: %s\nCLU:  %s", name, gotBody, want.Body)
	}
}
