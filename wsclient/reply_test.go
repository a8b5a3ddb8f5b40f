package wsclient

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

const wireEnvelope = `{"headers": {"command_id": null, "commander_id": null, "internal": false, "message_code": "i", "sender": "weather"}, ` +
	`"exchange": "sdss_exchange", "message_id": "2f1d3d1e", "routing_key": "reply.broadcast", ` +
	`"timestamp": "2026-11-21T03:38:40+00:00", "body": {"wind_speed_ms": 4.50, "is_safe": true}, ` +
	`"seq": 42, "epoch": "5f0c2a9be1d4", "heard": 1795232320123456}`

func TestParseReplyReadsAnEnvelope(t *testing.T) {
	weather := Reply{
		Sender: "weather", Code: "i", MessageID: "2f1d3d1e", RoutingKey: "reply.broadcast", Timestamp: "2026-11-21T03:38:40+00:00",
		Body: json.RawMessage(`{"wind_speed_ms": 4.50, "is_safe": true}`), Seq: 42, Epoch: "5f0c2a9be1d4", Heard: time.UnixMicro(1795232320123456),
	}
	for _, c := range []struct {
		name, envelope string
		want           Reply
	}{
		{"of a bridge", wireEnvelope, weather},
		{"on several lines", strings.ReplaceAll(strings.ReplaceAll(wireEnvelope, ", ", "\n,\t"), ": ", " :"), Reply{
			Sender: "weather", Code: "i", MessageID: "2f1d3d1e", RoutingKey: "reply.broadcast", Timestamp: "2026-11-21T03:38:40+00:00",
			Body: json.RawMessage("{\"wind_speed_ms\" :4.50\n,\t\"is_safe\" :true}"), Seq: 42, Epoch: "5f0c2a9be1d4", Heard: time.UnixMicro(1795232320123456),
		}},
		{"of CLU", `{"headers": {"command_id": "a", "commander_id": "me.dome", "internal": true, "message_code": ":", "sender": "dome"}, "body": null}`,
			Reply{Sender: "dome", Code: ":", CommandID: "a", CommanderID: "me.dome", Internal: true, Body: json.RawMessage("null")}},
		{"with escapes", `{"headers": {"sender": "d\u00f6me \"1\"", "message_code": "i"}, "epoch": "\ud83d\ude00", "\u0073eq": 7}`,
			Reply{Sender: `döme "1"`, Code: "i", Epoch: "\U0001F600", Seq: 7}},
		{"with what is no UTF-8", "{\"headers\": {\"sender\": \"d\xf6me\"}}", Reply{Sender: "d�me"}},
		{"with names that are no texts", `{"headers": {"sender": 1, "message_code": null, "command_id": ["a"], "internal": "true"}}`, Reply{}},
		{"with unknown members", `{"headers": {"x": {"sender": "no"}}, "y": [{"seq": 1}], "seq": 2}`, Reply{Seq: 2}},
		{"with nulls", `{"headers": {}, "message_id": null, "timestamp": null, "seq": null, "epoch": null, "heard": null}`, Reply{}},
		{"with the largest number", `{"headers": {}, "seq": 18446744073709551615}`, Reply{Seq: 1<<64 - 1}},
	} {
		got, err := ParseReply([]byte(c.envelope))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		c.want.Envelope = json.RawMessage(c.envelope)
		if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, *got, c.want)
		}
	}
}

func TestParseReplyRefusesWhatIsNone(t *testing.T) {
	for envelope, want := range map[string]string{
		``:                               "no JSON at byte 0",
		`{"headers": {}`:                 "no JSON at byte 14",
		`{"headers": {}} x`:              "no JSON at byte 16",
		`[]`:                             "no headers",
		`{"op": "pong"}`:                 "no headers",
		`{"headers": null}`:              "no headers",
		`{"headers": {}, "seq": "1"}`:    `its seq: "1" is no whole number`,
		`{"headers": {}, "seq": 1.5}`:    "no whole number",
		`{"headers": {}, "seq": -1}`:     "no whole number",
		`{"headers": {}, "epoch": 1}`:    "its epoch: 1 is no text",
		`{"headers": {}, "heard": true}`: "its heard: true is no whole number",
	} {
		if r, err := ParseReply([]byte(envelope)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v; want an error about %q", envelope, r, err, want)
		}
	}
}

// FuzzParseReply compares with a decoder that has no short cuts.
func FuzzParseReply(f *testing.F) {
	f.Add(wireEnvelope)
	f.Add(`{"headers": {"sender": "d\u00f6me", "sender": "b"}, "body": "x", "heard": -1}`)
	f.Fuzz(func(t *testing.T, envelope string) {
		got, err := ParseReply([]byte(envelope))
		var members, headers map[string]json.RawMessage
		valid := json.Unmarshal([]byte(envelope), &members) == nil && json.Unmarshal(members["headers"], &headers) == nil && headers != nil
		if err != nil {
			return
		}
		if !valid {
			t.Fatalf("%q was read as %+v", envelope, got)
		}
		for _, c := range []struct {
			name string
			raw  json.RawMessage
			got  string
		}{
			{"sender", headers["sender"], got.Sender}, {"message_code", headers["message_code"], got.Code}, {"command_id", headers["command_id"], got.CommandID},
			{"commander_id", headers["commander_id"], got.CommanderID}, {"epoch", members["epoch"], got.Epoch}, {"routing_key", members["routing_key"], got.RoutingKey},
		} {
			var want any
			_ = json.Unmarshal(c.raw, &want)
			if text, _ := want.(string); text != c.got && countKey(envelope, c.name) == 1 {
				t.Errorf("%s is %q, want %q", c.name, c.got, text)
			}
		}
	})
}

// countKey returns how often a text may have a key: with the same key twice, the last text counts.
func countKey(envelope, key string) int {
	return strings.Count(envelope, key) + strings.Count(envelope, `\u`)
}
