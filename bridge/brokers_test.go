package bridge_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestWhatTheOperatingPageSaysOfRabbitMQ(t *testing.T) {
	node := testkit.RabbitMQ(t)
	checkAbilities(t, "RabbitMQ", node.Version(), node.NewVHost(t))
}

func TestWhatTheOperatingPageSaysOfTheEmbeddedBroker(t *testing.T) {
	checkAbilities(t, "embedded broker", testkit.Version{}, embeddedBroker(t))
}

// abilities are the rows of the table of brokers in docs/operating.md. Each maps what a cell may
// say to a test of whether that is true.
var abilities = map[string]map[string]func(t *testing.T, url string){
	"replies": {"yes": relaysReplies},
	"commands, with their outcomes and results": {"yes": relaysCommands},
	"a command to an actor that does not exist": {"fails at once": returnsCommands, "is `refused`": refusesCommands},
	"`--durable expires`":                       {"yes": keepsReplies, "no": refusesToKeep},
	"`--durable stream`":                        {"yes": hasStreams, "no": refusesStreams},
	"an exchange that is deleted by hand":       {"is noticed": noticesDeletion},
	"a second bridge of the same name":          {"is refused": refusesNamesake},
	"`--check-consumers`":                       {"yes": checksConsumers, "is ignored": checksNoConsumers},
	"rooms (`--source`)":                        {"yes": relaysToRooms},
	"presence (`--presence`)":                   {"yes": publishesPresence},
}

// checkAbilities checks the column of one broker.
func checkAbilities(t *testing.T, column string, version testkit.Version, url string) {
	t.Helper()
	cells := brokerColumn(t, column)
	for row := range cells {
		if abilities[row] == nil {
			t.Errorf("the row %q of docs/operating.md is not tested", row)
		}
	}
	for row, claims := range abilities {
		t.Run(row, func(t *testing.T) {
			cell := cells[row]
			if since, ok := strings.CutPrefix(cell, "from "); ok {
				cell = "no"
				if version.AtLeast(majorMinor(t, since)) {
					cell = "yes"
				}
			}
			check := claims[cell]
			if check == nil {
				t.Fatalf("docs/operating.md says %q", cells[row])
			}
			check(t, url)
		})
	}
}

func majorMinor(t *testing.T, text string) (major, minor int) {
	t.Helper()
	before, after, _ := strings.Cut(text, ".")
	major, err := strconv.Atoi(before)
	if err == nil {
		minor, err = strconv.Atoi(after)
	}
	if err != nil {
		t.Fatal(err)
	}
	return major, minor
}

// brokerColumn is a column of the table of brokers, by row.
func brokerColumn(t *testing.T, column string) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	cells, at := map[string]string{}, 0
	for line := range strings.Lines(string(page)) {
		row := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		switch {
		case row[0] == "with this broker":
			for i, name := range row {
				if strings.HasPrefix(name, column) {
					at = i
				}
			}
		case at == 0 || strings.HasPrefix(row[0], "---"):
		case len(row) <= at:
			return cells
		default:
			cells[row[0]] = row[at]
		}
	}
	t.Fatalf("docs/operating.md has no column %q", column)
	panic("unreachable")
}

func relaysReplies(t *testing.T, url string) {
	b := linked(t, url)
	p, c := newPeer(t, url), dial(t, b.addr)
	p.reply(`{"n": 1}`)
	equal(t, "n", c.next().number(), 1)
}

func relaysCommands(t *testing.T, url string) {
	b := linked(t, url, func(c *bridge.Config) { c.Name = "bridge" })
	p := newPeer(t, url)
	commands := p.hear("command.dome.#")
	c, _ := dialV1(t, b.addr, "/")
	c.ask(`{"op": "command", "id": "a", "consumer": "dome", "command_string": "open"}`)
	p.publish("reply.bridge.dome", domeSays(":", testkit.Receive(t, commands).Headers["command_id"]))
	equal(t, "the code", c.next().code(), actor.Code(":"))
	equal(t, "the status", c.next()["status"], any("done"))
	testkit.WaitUntil(t, "the command is confirmed", func() bool {
		return strings.Contains(b.metrics(t), `cluws_commands_total{outcome="confirmed"} 1`)
	})
}

func returnsCommands(t *testing.T, url string) {
	c := dial(t, linked(t, url).addr)
	c.say(`{"consumer": "nobody", "command_string": "open"}`)
	equal(t, "the error", c.next().errorText(), "Failed routing message to consumer 'nobody'.")
}

func refusesCommands(t *testing.T, url string) {
	c, _ := dialV1(t, linked(t, url).addr, "/")
	c.say(`{"consumer": "nobody", "command_string": "open"}`)
	equal(t, "the code", c.next()["code"], any("refused"))
}

func keepRow(c *bridge.Config) {
	c.Name, c.Durable.Expires, c.History.Replies = "keeper", time.Minute, 100
}

func keepsReplies(t *testing.T, url string) {
	p := newPeer(t, url)
	b := linked(t, url, keepRow)
	if err := b.end(t, b.stop()); err != nil {
		t.Fatal(err)
	}
	p.reply(`{"n": 1}`)
	p.reply(`{"n": 2}`)
	b = linked(t, url, keepRow)
	c, hello := dialV1(t, b.addr, "/")
	c.say(fmt.Sprintf(`{"op": "subscribe", "id": "a", "since": {"epoch": %q, "seq": 0}}`, hello["epoch"]))
	var heard []int
	for len(heard) < 2 {
		if m := c.next(); m["op"] == nil {
			heard = append(heard, m.number())
		}
	}
	equal(t, "the replies", heard, []int{1, 2})
}

func refusesToKeep(t *testing.T, url string) { mustNotLink(t, url, "keeps no queue", keepRow) }

func withStream(c *bridge.Config) { c.Durable.Stream = &bridge.Stream{Bytes: 100 << 20} }

func hasStreams(t *testing.T, url string) {
	p := newPeer(t, url)
	first, second := linked(t, url, withStream), linked(t, url, withStream)
	a, hello := dialV1(t, first.addr, "/")
	b, other := dialV1(t, second.addr, "/")
	p.reply(`{"n": 1}`)
	equal(t, "the number at the other bridge", b.next()["seq"], a.next()["seq"])
	equal(t, "the other's epoch", other["epoch"], hello["epoch"])
}

func refusesStreams(t *testing.T, url string) { mustNotLink(t, url, "has no streams", withStream) }

// mustNotLink checks that the first attempt fails with these words.
func mustNotLink(t *testing.T, url, words string, adjust ...func(*bridge.Config)) {
	t.Helper()
	b := startBridge(t, url, adjust...)
	if s := b.firstState(t); s.Up || !strings.Contains(s.Err.Error(), words) {
		t.Errorf("linked: %t, %v; the error should say %q", s.Up, s.Err, words)
	}
}

func noticesDeletion(t *testing.T, url string) {
	b := linked(t, url)
	c, _ := dialV1(t, b.addr, "/")
	if err := testkit.OpenChannel(t, url).ExchangeDelete(actor.Exchange, false, false); err != nil {
		t.Fatal(err)
	}
	for c.next()["op"] != "gap" {
	}
	newPeer(t, url).reply(`{"n": 1}`)
	m := c.next()
	for m["op"] != nil {
		m = c.next()
	}
	equal(t, "n", m.number(), 1)
}

func refusesNamesake(t *testing.T, url string) {
	named := func(c *bridge.Config) { c.Name = "bridge" }
	linked(t, url, named)
	mustNotLink(t, url, `another program named "bridge" is running`, named)
}

// withTap starts a bridge that checks consumers, on an exchange with a program that receives
// every command.
func withTap(t *testing.T, url string) (*running, *peer) {
	t.Helper()
	b := linked(t, url, func(c *bridge.Config) { c.CheckConsumers = true })
	p := newPeer(t, url)
	p.hear("command.#")
	return b, p
}

func checksConsumers(t *testing.T, url string) {
	b, _ := withTap(t, url)
	c := dial(t, b.addr)
	c.say(`{"consumer": "nobody", "command_string": "open"}`)
	equal(t, "the error", c.next().errorText(), "Failed routing message to consumer 'nobody'.")
}

// An actor's queue is exclusive, and the question for it would break the link.
func checksNoConsumers(t *testing.T, url string) {
	b, p := withTap(t, url)
	if _, err := p.ch.QueueDeclare(actor.CommandsQueue("dome"), false, false, true, false, nil); err != nil {
		t.Fatal(err)
	}
	for _, consumer := range []string{"dome", "nobody"} {
		code, _ := b.post(t, "/api/command", fmt.Sprintf(`{"consumer": %q, "command_string": "open"}`, consumer))
		equal(t, "the status", code, http.StatusAccepted)
	}
	select {
	case s := <-b.states:
		t.Errorf("the link's state is %+v", s)
	default:
	}
}

func relaysToRooms(t *testing.T, url string) {
	b := linked(t, url, withSources("exchange=live"))
	b.awaitSources(t, 1)
	c := dialWith(t, b.addr, "/live/x")
	newBroadcaster(t, url).publish("live", "/live/x", "to x")
	c.expect("to x")
}

func publishesPresence(t *testing.T, url string) {
	b := linked(t, url, withPresence)
	b.awaitPresence(t)
	who := newBroadcaster(t, url).hearPresence()
	dial(t, b.addr)
	equal(t, "the routing key", testkit.Receive(t, who).RoutingKey, "websocket.connect")
}
