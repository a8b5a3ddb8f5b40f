package bridge_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// slowBroker matches what is logged if a busy machine's broker takes its time, also to notice that the
// connection of the attempt before is gone.
var slowBroker = regexp.MustCompile(`(?m)^.*(?:not linked to the broker; trying again.*does not answer in time|the broker has not noticed yet that (?:it is gone|the last connection broke)).*$`)

// grant is one line of the table in docs/operating.md: alternatives of patterns, by
// permission.
type grant struct {
	options string
	allows  map[string][]string
}

var permissions = []string{"configure", "write", "read"}

// documentedGrants reads the table.
func documentedGrants(t *testing.T) (grants []grant) {
	t.Helper()
	page, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n### Permissions at the broker\n")
	section, _, _ = strings.Cut(section, "\n### ")
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), "|")
		if len(cells) != 6 || !strings.Contains(cells[1], "`--") {
			continue
		}
		g := grant{strings.TrimSpace(cells[1]), map[string][]string{}}
		for i, permission := range permissions {
			pattern := strings.Trim(cells[i+2], " `^$()")
			if pattern != "" {
				g.allows[permission] = strings.Split(pattern, "\x00")
			}
		}
		grants = append(grants, g)
	}
	return grants
}

// pattern is the regular expression of a permission, without one of its alternatives.
func (g grant) pattern(permission, without string) string {
	var left []string
	for _, a := range g.allows[permission] {
		if a != without {
			left = append(left, a)
		}
	}
	return "^(" + strings.Join(left, "|") + ")$"
}

// and joins two lines.
func (g grant) and(other grant) grant {
	joined := grant{g.options + " " + other.options, map[string][]string{}}
	for _, permission := range permissions {
		for _, a := range append(append([]string{}, g.allows[permission]...), other.allows[permission]...) {
			if !strings.Contains("|"+strings.Join(joined.allows[permission], "|")+"|", "|"+a+"|") {
				joined.allows[permission] = append(joined.allows[permission], a)
			}
		}
	}
	return joined
}

// restricted is a bridge whose user has limited permissions, in a separate virtual host.
type restricted struct {
	name       string
	vhost      string
	configure  func(*bridge.Config)
	grant      grant
	permission string // that is taken away
	missing    string // the alternative that is
	topics     bool   // there are topic permissions too
}

// importPermissions makes all virtual hosts at once: rabbitmqctl takes its time.
func importPermissions(t *testing.T, n *testkit.Node, all []*restricted) {
	t.Helper()
	type allowed struct {
		User      string `json:"user"`
		VHost     string `json:"vhost"`
		Configure string `json:"configure"`
		Write     string `json:"write"`
		Read      string `json:"read"`
	}
	var definitions struct {
		VHosts      []map[string]string `json:"vhosts"`
		Permissions []allowed           `json:"permissions"`
		Exchanges   []map[string]any    `json:"exchanges"`
		Topics      []map[string]string `json:"topic_permissions"`
	}
	for i, r := range all {
		r.vhost = fmt.Sprintf("restricted-%d", i)
		definitions.VHosts = append(definitions.VHosts, map[string]string{"name": r.vhost})
		a := allowed{User: "limited", VHost: r.vhost}
		for permission, to := range map[string]*string{"configure": &a.Configure, "write": &a.Write, "read": &a.Read} {
			without := ""
			if permission == r.permission {
				without = r.missing
			}
			*to = r.grant.pattern(permission, without)
		}
		if r.topics {
			definitions.Exchanges = append(definitions.Exchanges, map[string]any{"vhost": r.vhost, "name": actor.Exchange, "type": "topic",
				"durable": false, "auto_delete": true, "internal": false, "arguments": map[string]any{}})
			definitions.Topics = append(definitions.Topics, map[string]string{"user": "limited", "vhost": r.vhost, "exchange": actor.Exchange,
				"write": `^command\.`, "read": `^reply\.`})
		}
		definitions.Permissions = append(definitions.Permissions, a, allowed{"guest", r.vhost, ".*", ".*", ".*"})
	}
	text, err := json.Marshal(definitions)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "definitions.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	n.AddUser(t, "limited", "secret")
	n.Ctl(t, "import_definitions", file)
}

func TestThePermissionsInTheDocumentationAreEnoughAndEachIsNeeded(t *testing.T) {
	n := testkit.StartRabbitMQ(t)
	grants := documentedGrants(t)
	if len(grants) != 5 {
		t.Fatalf("the table has the lines %v", grants)
	}
	base, stream, source, presence := grants[0], grants[2], grants[3], grants[4]
	kinds := []*restricted{
		{name: "no", grant: base, configure: func(*bridge.Config) {}},
		{name: "expires", grant: grants[1], configure: func(c *bridge.Config) { c.Durable.Expires = time.Minute }},
		{name: "stream", grant: stream, configure: func(c *bridge.Config) { c.Durable.Stream = &bridge.Stream{Age: time.Hour, Bytes: 1 << 30} }},
		{name: "source", grant: base.and(source), configure: func(c *bridge.Config) { c.Sources = []rooms.Source{{Exchange: "live"}} }},
		{name: "presence", grant: base.and(presence), configure: func(c *bridge.Config) { c.Presence = "who" }},
	}
	topical := &restricted{name: "topic permissions", grant: base, configure: func(*bridge.Config) {}, topics: true}
	all := append([]*restricted{topical}, kinds...)
	for i, kind := range kinds {
		added := []grant{kind.grant, kind.grant, kind.grant, source, presence}[i]
		for _, permission := range permissions {
			for _, alternative := range added.allows[permission] {
				if i > 2 && alternative == "bridge_.*" {
					continue // as without the option
				}
				less := *kind
				less.permission, less.missing = permission, alternative
				less.name += " without " + permission + " " + alternative
				all = append(all, &less)
			}
		}
	}
	unnamed := &restricted{name: "a random name", grant: base, configure: func(c *bridge.Config) { c.Name = "" }}
	all = append(all, unnamed)
	importPermissions(t, n, all)
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			switch {
			case r == unnamed:
				r.isToldToHaveAName(t, n)
			case r.missing == "":
				r.works(t, n)
			default:
				r.namesWhatIsMissing(t, n)
			}
		})
	}
}

func (r *restricted) start(t *testing.T, n *testkit.Node, log *logged) *running {
	url := strings.Replace(n.URL(), "guest:guest", "limited:secret", 1) + r.vhost
	return startBridge(t, url, withHistory, log.config, func(c *bridge.Config) { c.Name = "bridge" }, r.configure)
}

// works checks that replies, commands and their results, rooms, presence, and a gap get
// through, without a warning.
func (r *restricted) works(t *testing.T, n *testkit.Node) {
	var log logged
	b := r.start(t, n, &log)
	b.awaitUp(t)
	p := newPeer(t, n.URL()+r.vhost)
	p.answering(":")
	c, _ := dialV1(t, b.addr, "/")
	c.say(`{"op": "command", "id": "1", "consumer": "x", "command_string": "go", "timeout_ms": 10000}`)
	got := c.next()
	for ; got["op"] != "result"; got = c.next() {
	}
	if got["status"] != "done" {
		t.Errorf("the command ended as %v", got)
	}
	p.reply(`{"n": 7}`)
	for got = c.next(); got.number() != 7; got = c.next() {
	}
	testkit.WaitUntil(t, "all links stand", func() bool { return !regexp.MustCompile(`(?m)_up(?:\{.*\})? 0$`).MatchString(b.metrics(t)) })
	switch r.name {
	case "source":
		if err := p.ch.Publish("live", "camera", false, false, amqp.Publishing{Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		testkit.WaitUntil(t, "the message for a room comes", func() bool {
			return strings.Contains(b.metrics(t), `cluws_room_messages_total{exchange="live"} 1`)
		})
	case "presence":
		dial(t, b.addr)
		testkit.WaitUntil(t, "it is told who connects", func() bool {
			return !strings.Contains(b.metrics(t), `cluws_presence_total{outcome="confirmed"} 0`)
		})
	}
	text := slowBroker.ReplaceAllString(log.String(), "")
	if regexp.MustCompile("level=(WARN|ERROR)|cannot be watched|does not dead-letter").MatchString(text) {
		t.Errorf("the log warns: %s", text)
	}
	// The gap, and in a stream the markers around it.
	if err := p.ch.ExchangeDelete(actor.Exchange, false, false); err != nil {
		t.Fatal(err)
	}
	testkit.WaitUntil(t, "the gap is told", func() bool { return strings.Contains(b.metrics(t), "cluws_gaps_total 1") })
	for got = c.next(); got["op"] != "gap"; got = c.next() {
	}
	if text := log.String(); regexp.MustCompile("may not|lacks a permission|cannot be watched|does not dead-letter|refuses probes|accepts no").MatchString(text) {
		t.Errorf("the log warns after the gap: %s", text)
	}
}

var refused = regexp.MustCompile(`user \\"limited\\" (?:may not (\w+)[a-z ]*|lacks a permission for) the (?:queue|exchange|default exchange) (?:\\"|\()([\w.]+)(?:\\"|\))(?:: the link needs ([a-z, ]+))?`)

func (r *restricted) namesWhatIsMissing(t *testing.T, n *testkit.Node) {
	var log logged
	b := r.start(t, n, &log)
	resource := regexp.MustCompile("^(?:" + r.missing + ")$")
	deadline := time.Now().Add(testkit.Patience)
	testkit.Eventually(t, time.Until(deadline), "the log names what is missing", func() error {
		if strings.Contains(b.metrics(t), "cluws_presence_up 1") {
			dial(t, b.addr).Close() // of which it tells
		}
		for _, line := range refused.FindAllStringSubmatch(log.String(), -1) {
			if resource.MatchString(line[2]) && (line[1] == r.permission || strings.Contains(line[3], r.permission)) {
				return nil
			}
		}
		return fmt.Errorf("the log is %s", log.String())
	})
}

func (r *restricted) isToldToHaveAName(t *testing.T, n *testkit.Node) {
	var log logged
	r.start(t, n, &log)
	testkit.WaitUntil(t, "a name is asked for", func() bool {
		return strings.Contains(log.String(), "give it a --name that the user's permissions allow")
	})
}
