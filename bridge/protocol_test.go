package bridge_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
)

// example is a message shown in docs/protocol.md.
type example struct {
	line int // those of one line or one block belong together: a request and its answers
	text string
	envelope
}

// kind returns the op; without one, the message is a command or a reply.
func (e envelope) kind() string {
	switch op, _ := e["op"].(string); {
	case op != "":
		return op
	case e["consumer"] != nil:
		return "a plain command"
	}
	return "a reply"
}

// requests holds, for each kind of request, the kind of the last message that answers it.
var requests = map[string]string{
	"ping": "pong", "subscribe": "ok", "unsubscribe": "ok", "snapshot": "snapshot", "actors": "actors", "commands": "commands", "command": "result", "clients": "clients", "a plain command": "a reply", "publish": "ok", "auth": "ok",
	"model":    "model",
	"history":  "history",
	"log":      "log",
	"problems": "problems", "ack": "ok", "site": "site",
}

func (e envelope) isRequest() bool {
	_, known := requests[e.kind()]
	return known && e["actors"] == nil && e["clients"] == nil && e["state"] == nil && e["entries"] == nil && e["commands"] == nil &&
		e["problems"] == nil && e["boards"] == nil && e["series"] == nil
}

// theExample matches the document's values for which a bridge has its own.
var theExample = regexp.MustCompile(`"5f0c2a9be1d4", "seq": 41`)

var inBackticks = regexp.MustCompile("`(\\{\"(?:op|consumer)\".*?)`")

// readProtocol returns the document and the examples in it. A block holds one message, or several that each
// begin with > (what the client sends) or < (what the bridge sends).
func readProtocol(t *testing.T) (document string, examples []example) {
	t.Helper()
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	document = string(text)
	var block []string
	inBlock := false
	for i, line := range strings.Split(document, "\n") {
		var found []string
		message, begins := cutDirection(line)
		switch {
		case strings.HasPrefix(line, "```"):
			if inBlock = !inBlock; !inBlock {
				found, block = block, nil
			}
		case inBlock && (begins || block == nil):
			block = append(block, message)
		case inBlock:
			block[len(block)-1] += line
		default:
			for _, m := range inBackticks.FindAllStringSubmatch(line, -1) {
				found = append(found, m[1])
			}
		}
		for _, text := range found {
			m, err := parse([]byte(text))
			if err != nil {
				t.Errorf("line %d is not JSON: %v\n%s", i+1, err, text)
				continue
			}
			examples = append(examples, example{i + 1, text, m})
		}
	}
	return document, examples
}

// cutDirection removes the mark of the direction, and reports whether there was one.
func cutDirection(line string) (message string, found bool) {
	if message, found = strings.CutPrefix(line, "> "); found {
		return message, true
	}
	return strings.CutPrefix(line, "< ")
}

// shape returns the keys of a message and the types of its values, except what an actor or a client
// chooses.
func shape(key string, v any) string {
	if slices.Contains([]string{"body", "value", "data", "interval_ms", "consumer"}, key) {
		return "anything"
	}
	switch v := v.(type) {
	case envelope:
		return shape(key, map[string]any(v))
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if part := shape(name, v[name]); key == "actors" || key == "keywords" {
				parts = append(parts, part) // the names are the actors' own
			} else {
				parts = append(parts, name+" "+part)
			}
		}
		return "{" + strings.Join(slices.Compact(parts), ", ") + "}"
	case []any:
		var parts []string
		for _, element := range v {
			parts = append(parts, shape("", element))
		}
		return "[" + strings.Join(slices.Compact(parts), ", ") + "]"
	case nil:
		return "null"
	}
	return fmt.Sprintf("%T", v)
}

func TestEveryExampleOfTheProtocolIsTrue(t *testing.T) {
	document, examples := readProtocol(t)
	br, url := serveBroker(t)
	th := newDocHarness(t, url)
	asked := map[string]bool{}
	shown := map[string][]string{} // the shapes of the server's messages, by kind
	for _, e := range examples {
		if !e.isRequest() {
			shown[e.kind()] = append(shown[e.kind()], shape("", e.envelope))
			continue
		}
		asked[e.kind()] = true
		answers := th.run(e)
		for _, answer := range examples {
			if answer.line == e.line && !answer.isRequest() && !slices.ContainsFunc(answers, sameAs(answer)) {
				t.Errorf("line %d: %s is not answered with %s, but with %v", e.line, e.text, answer.text, answers)
			}
		}
	}
	for kind := range requests {
		if !asked[kind] {
			t.Errorf("the document has no example of %s from a client", kind)
		}
	}
	th.runOthers(br)
	th.runAway()
	th.runAccess()
	th.runSlow(url)
	for _, e := range examples {
		if !e.isRequest() && !slices.ContainsFunc(th.heard[e.kind()], sameAs(e)) {
			t.Errorf("line %d: no such message came: %s\nbut %v", e.line, e.text, th.heard[e.kind()])
		}
		if e.kind() == "hello" && e.envelope["auth"] == nil {
			equal(t, "the capabilities", th.heard["hello"][0]["capabilities"], e.envelope["capabilities"])
		}
	}
	for kind, messages := range th.heard {
		if shown[kind] == nil {
			t.Errorf("the document has no example of %s from the server: %v", kind, messages[0])
		}
		for _, m := range messages {
			for key := range m {
				if !strings.Contains(document, `"`+key+`"`) && !strings.Contains(document, "`"+key+"`") {
					t.Errorf("the document does not know the key %q of %v", key, m)
				}
			}
		}
	}
}

// sameAs reports whether a message has the same shape as an example.
func sameAs(e example) func(envelope) bool {
	want := shape("", e.envelope)
	return func(m envelope) bool { return m.kind() == e.kind() && shape("", m) == want }
}

var sentOps = regexp.MustCompile(`(?:Op: |"op": |\.Op, m\.ID = )"([a-z]+)"`)

func TestTheProtocolDescribesEveryMessageThatTheBridgeSendsAndTakes(t *testing.T) {
	_, examples := readProtocol(t)
	told := map[bool]map[string]bool{true: {}, false: {}} // by whether it is a request
	for _, e := range examples {
		told[e.isRequest()][e.kind()] = true
	}
	var files []string
	for _, dir := range []string{".", "hub", "protocol"} {
		in, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(in) == 0 {
			t.Fatalf("no source in %s (%v)", dir, err)
		}
		files = append(files, in...)
	}
	sent := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range sentOps.FindAllStringSubmatch(string(text), -1) {
			sent++
			if !told[false][m[1]] {
				t.Errorf("%s sends %q, of which the document has no example", file, m[1])
			}
		}
	}
	if sent < 17 {
		t.Errorf("only %d places that send a message were found", sent)
	}
	c, _ := dialV1(t, startBridge(t, "amqp://127.0.0.1:1/").addr, "/")
	c.say(`{"op": "dance"}`)
	e := c.next()
	for e["op"] != "error" {
		e = c.next()
	}
	words, _ := e["message"].(string)
	_, list, _ := strings.Cut(words, "there are ")
	for op := range strings.SplitSeq(list, ", ") {
		if !told[true][op] {
			t.Errorf("a client may ask for %q, of which the document has no example", op)
		}
	}
}

func TestTheProtocolListsEveryErrorCode(t *testing.T) {
	document, _ := readProtocol(t)
	_, table, _ := strings.Cut(document, "| code | was the command sent? | means |\n| --- | --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	got := map[string]string{}
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(row, "|")
		got[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2])
	}
	want := map[string]string{"bad_request": "no", "forbidden": "no", "rate": "no", "undecided": "no", "no_record": "no", "gone": "no", "in_use": "no", "invalid": "no", "leaving": "no"}
	for o := amqpx.Confirmed + 1; o <= amqpx.Unknown; o++ {
		want[o.String()] = "no"
		if o.InDoubt() {
			want[o.String()] = "perhaps"
		}
	}
	want["unauthorized"], want["undecided"] = "no", "no"
	want[amqpx.Returned.String()] = "yes, to nobody"
	equal(t, "the codes, and whether the command was sent", got, want)
}
