package actor_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

func TestAReplyArrivesAsItWasSent(t *testing.T) {
	for _, r := range []actor.Reply{
		{Code: actor.Running, Sender: "dome", CommandID: "id", CommanderID: "client.dome", Internal: true, Body: json.RawMessage(`{}`)},
		{Code: actor.Info, Sender: "dome", Body: json.RawMessage(`{"a": [1, null]}`), Time: time.Unix(1685042705, 0)},
		{Code: "zz", Body: json.RawMessage(`"text"`)},
	} {
		got, err := actor.ParseReply(deliver(r.Message()))
		if err != nil {
			t.Fatal(err)
		}
		if got.Code != r.Code || got.Sender != r.Sender || got.CommandID != r.CommandID || got.CommanderID != r.CommanderID ||
			got.Internal != r.Internal || string(got.Body) != string(r.Body) || !got.Time.Equal(r.Time) {
			t.Errorf("got  %+v\nwant %+v", got, r)
		}
	}
}

func TestABroadcastHasNullIDs(t *testing.T) {
	msg := actor.Reply{Code: actor.Info, Sender: "dome", Body: json.RawMessage(`{}`)}.Message()
	if msg.Key != "reply.broadcast" || msg.CorrelationId != "" {
		t.Errorf("it is sent to %s with the correlation id %q", msg.Key, msg.CorrelationId)
	}
	for _, name := range []string{"command_id", "commander_id"} {
		if id, ok := msg.Headers[name]; !ok || id != nil {
			t.Errorf("%s is %v", name, id)
		}
	}
}

func TestKeywordsAreTheFieldsOfAnObject(t *testing.T) {
	d := &amqpx.Delivery{Headers: amqpx.Table{"message_code": "i"}, Body: []byte(`{"temp": NaN, "state": "open", "n": [1, 2]}`)}
	r, err := actor.ParseReply(d)
	if err != nil {
		t.Fatal(err)
	}
	k := r.Keywords()
	if len(k) != 3 || string(k["temp"]) != "null" || string(k["state"]) != `"open"` || string(k["n"]) != "[1, 2]" {
		t.Errorf("the keywords are %s", k)
	}
	for _, body := range []string{`[1]`, `"text"`, `null`, `3`} {
		if k := (actor.Reply{Body: json.RawMessage(body)}).Keywords(); k != nil {
			t.Errorf("%s has keywords: %v", body, k)
		}
	}
}

func TestInternalIsReadAsPythonReadsIt(t *testing.T) {
	for _, test := range []struct {
		header any
		want   bool
	}{{true, true}, {false, false}, {nil, false}, {int32(1), true}, {int32(0), false}, {"yes", true}, {"", false}} {
		d := &amqpx.Delivery{Headers: amqpx.Table{"message_code": "i", "internal": test.header}, Body: []byte(`{}`)}
		r, err := actor.ParseReply(d)
		if err != nil || r.Internal != test.want {
			t.Errorf("%v: %v, %v", test.header, r.Internal, err)
		}
	}
}
