package actor_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

func TestNamesAndIDsHaveTheFormOfCLUs(t *testing.T) {
	for what, test := range map[string]struct{ got, pattern string }{
		"client name": {actor.NewClientName(), `^amqp-client-[0-9a-f]{12}$`},
		"command id":  {actor.NewCommandID(), `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		"message id":  {actor.NewCommand("c", "dome", "x", "").Message().MessageId, `^[0-9a-f]{32}$`},
	} {
		if !regexp.MustCompile(test.pattern).MatchString(test.got) {
			t.Errorf("the %s is %q", what, test.got)
		}
	}
	if got := actor.RepliesQueue("dome") + " " + actor.CommandsQueue("dome"); got != "dome_replies dome_commands" {
		t.Errorf("the queues are %s", got)
	}
}

func TestACommandWithoutAnIDGetsANewOne(t *testing.T) {
	a, b := actor.NewCommand("c", "dome", "open", ""), actor.NewCommand("c", "dome", "open", "")
	if a.CommandID == "" || a.CommandID == b.CommandID {
		t.Errorf("the ids are %q and %q", a.CommandID, b.CommandID)
	}
}

func TestWhatAMQPCannotCarryIsExplained(t *testing.T) {
	for _, test := range []struct {
		name         string
		consumer, id string
		want         string // part of the error; "" for no error
	}{
		{"a plain one", "dome", "1", ""},
		{"dots in the consumer", "lvm.dome.east", "1", ""},
		{"the longest consumer", strings.Repeat("x", 255-len("reply.client.")), "1", ""},
		{"the longest id", "dome", strings.Repeat("x", 255), ""},
		{"no consumer", "", "1", "name the actor"},
		{"a consumer too long for its replies", strings.Repeat("x", 243), "1", "at most 242 fit"},
		{"a consumer too long for its command", strings.Repeat("x", 248), "1", "at most 247 fit"},
		{"an id too long", "dome", strings.Repeat("x", 256), "AMQP allows 255"},
		{"a consumer that is not UTF-8", "\xff", "1", "UTF-8"},
		{"an id that is not UTF-8", "dome", "\xff", "UTF-8"},
	} {
		err := actor.NewCommand("client", test.consumer, "x", test.id).Validate()
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want ...%s...", test.name, err, test.want)
		}
	}
}

// deliver returns a published message as it is received.
func deliver(msg amqpx.Message) *amqpx.Delivery {
	return &amqpx.Delivery{Headers: msg.Headers, CorrelationId: msg.CorrelationId, ReplyTo: msg.ReplyTo, MessageId: msg.MessageId,
		Timestamp: msg.Timestamp, ContentType: msg.ContentType, DeliveryMode: msg.DeliveryMode, RoutingKey: msg.Key, Body: msg.Body}
}

func TestACommandArrivesAsItWasSent(t *testing.T) {
	for _, text := range []string{"", "expose 10", `say "</b>&" ☃`} {
		cmd := actor.NewCommand("client", "dome", text, "id")
		cmd.Internal, cmd.NoLog = true, true
		got, err := actor.ParseCommand(deliver(cmd.Message()))
		if err != nil {
			t.Fatal(err)
		}
		got.Consumer = "dome" // the message does not name it
		if got != cmd {
			t.Errorf("got %+v, want %+v", got, cmd)
		}
	}
}

func TestACommandsBodyIsChecked(t *testing.T) {
	for body, want := range map[string]string{
		`{"command_string": "ping"}`:               "ping",
		`{"command_string": "ping", "extra": [1]}`: "ping",
		`{}`:                        "",
		`null`:                      "",
		`{"command_string": null}`:  "",
		`{"command_string": 1}`:     "error",
		`["ping"]`:                  "error",
		`ping`:                      "error",
		``:                          "error",
		`{"command_string": "ping"`: "error",
	} {
		got, err := actor.ParseCommand(&amqpx.Delivery{Body: []byte(body)})
		if (err != nil) != (want == "error") || err == nil && got.CommandString != want {
			t.Errorf("%s: %q, %v", body, got.CommandString, err)
		}
	}
}

func TestHeadersOfAWrongTypeAreIgnored(t *testing.T) {
	got, err := actor.ParseCommand(&amqpx.Delivery{
		Headers: amqpx.Table{"command_id": int32(5), "commander_id": []any{}, "internal": "yes", "write_to_log": nil},
		Body:    []byte(`{}`),
	})
	if err != nil || got != (actor.Command{}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnUnroutableCommandFailsInCLUsWords(t *testing.T) {
	for consumer, want := range map[string]string{
		"nobody":  "Failed routing message to consumer 'nobody'.",
		"no'body": `Failed routing message to consumer "no'body".`,
		"Dômé":    "Failed routing message to consumer 'Dômé'.",
	} {
		msg := actor.NewCommand("client", consumer, "ping", "n").UnroutableReply("client")
		var body map[string]string
		if err := json.Unmarshal(msg.Body, &body); err != nil {
			t.Fatal(err)
		}
		if len(body) != 1 || body["error"] != want {
			t.Errorf("got %v, want %s", body, want)
		}
		if msg.Key != "reply.client" || !msg.Timestamp.IsZero() || msg.Headers["sender"] != consumer {
			t.Errorf("the reply is %+v", msg)
		}
	}
}

func TestACommandNeedsTheQueueOfAnActorThatReceivesIt(t *testing.T) {
	long := strings.Repeat("x", 247)
	for consumer, want := range map[string]string{
		"dome":       "dome_commands",
		"lvm.sci":    "lvm.sci_commands lvm_commands",
		"a.b.c.d":    "a.b.c.d_commands a.b.c_commands a.b_commands a_commands",
		"a.b.c.d.e":  "",
		".a":         ".a_commands",
		long:         "", // no queue may have such a name
		"a." + long:  "a_commands",
		"lvmecp":     "lvmecp_commands",
		"lvmecp.":    "lvmecp._commands lvmecp_commands",
		"a..b":       "a..b_commands a._commands a_commands",
		"two words#": "two words#_commands",
	} {
		if got := strings.Join(actor.NewCommand("c", consumer, "x", "").Message().Needs, " "); got != want {
			t.Errorf("%.20q needs %q, want %q", consumer, got, want)
		}
	}
}

func TestAnActorReceivesCommandsToItsNameAndBelow(t *testing.T) {
	for _, c := range []struct {
		name, consumer string
		runs           bool
	}{
		{"dome", "dome", true}, {"dome", "dome.x", true}, {"dome", "dome.x.y", true}, {"dome.x", "dome.x.y", true},
		{"dome", "domes", false}, {"dome.x", "dome", false}, {"x", "dome.x", false}, {"", "dome", false}, {"", ".x", false},
	} {
		if got := actor.Receives(c.name, c.consumer); got != c.runs {
			t.Errorf("%q receives commands to %q: %v", c.name, c.consumer, got)
		}
	}
}

func TestTheReplyForAnUnroutableCommandIsRecognized(t *testing.T) {
	for _, consumer := range []string{"dome", "dome.x"} {
		m := actor.NewCommand("bridge", consumer, "go", "").UnroutableReply("bridge")
		if !actor.IsUnroutable(m.Key, m.Headers["commander_id"].(string), m.Headers["sender"].(string)) {
			t.Errorf("the reply for %s is not recognized", consumer)
		}
		r := actor.Reply{Code: actor.Failed, Sender: consumer, CommandID: "1", CommanderID: "bridge." + consumer}.Message()
		if actor.IsUnroutable(r.Key, r.Headers["commander_id"].(string), consumer) {
			t.Errorf("a reply of the actor %s is taken for one", consumer)
		}
	}
	if actor.IsUnroutable("reply.broadcast", "", "dome") || actor.IsUnroutable("reply.bridge", "bridge.", "") {
		t.Error("a broadcast is taken for it")
	}
}
