package eventlog_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/eventlog"
)

// logged are the folders whose code runs in a bridge, or in the demo.
var logged = []string{"actor", "amqpx", "bridge", "cmd/clu-ws", "demo", "redislink"}

// forwards are the functions that log the message that they are called with, and which argument that is. What calls
// them has the message.
var forwards = map[string]int{"limitedlog.New": 1, "f.report": 0}

// Each message that the source logs has an event, and each message in the table is logged.
func TestEachMessageHasAnEvent(t *testing.T) {
	seen := map[string]string{"lines of the log were dropped because it was not read": "internal/asynclog"} // see Options.droppedLine
	for _, folder := range logged {
		for message, at := range messages(t, folder) {
			seen[message] = at
			if eventlog.Of(message) == eventlog.Other {
				t.Errorf("%s: %q has no event; add it to internal/eventlog/events.go and to docs/operating.md", at, message)
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d messages were found: does the test still see the calls of loggers?", len(seen))
	}
	for _, e := range eventlog.Entries() {
		for _, m := range e.Messages {
			if seen[m] == "" {
				t.Errorf("nothing logs %q of the event %s", m, e.Event)
			}
		}
	}
}

func TestAnEventHasOneEntryAndAMessageOneEvent(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)*$`)
	var events, all []string
	for _, e := range eventlog.Entries() {
		if !name.MatchString(e.Event) || e.Event == eventlog.Other {
			t.Errorf("%q is not a name for an event", e.Event)
		}
		events, all = append(events, e.Event), append(all, e.Messages...)
	}
	for what, list := range map[string][]string{"event": events, "message": all} {
		slices.Sort(list)
		for i := 1; i < len(list); i++ {
			if list[i] == list[i-1] {
				t.Errorf("the %s %q is in the table twice", what, list[i])
			}
		}
	}
}

// docs/operating.md has each event with its messages, and no other.
func TestTheOperatingPageListsTheEvents(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n### The log\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("docs/operating.md has no section about the log")
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| (.+) \\|$").FindAllStringSubmatch(section, -1) {
		rows[m[1]] = m[2]
	}
	for _, e := range append(eventlog.Entries(), eventlog.Entry{Event: eventlog.Other, Messages: []string{"what a library says"}}) {
		if want := strings.Join(e.Messages, " · "); rows[e.Event] != want {
			t.Errorf("the page has %q of the event %s, want the row\n| `%s` | %s |", rows[e.Event], e.Event, e.Event, want)
		}
		delete(rows, e.Event)
	}
	for event := range rows {
		t.Errorf("the page has the event %s, which does not exist", event)
	}
}

// messages returns the messages that the Go files of a folder log, and where.
func messages(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	root := filepath.Join("..", "..", folder)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || path == filepath.Join(root, "internal", "conformance")) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		return messagesOfFile(path, found)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func messagesOfFile(path string, found map[string]string) (err error) {
	files := token.NewFileSet()
	file, parseErr := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if parseErr != nil {
		return parseErr
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || err != nil {
			return err == nil
		}
		argument, isLog := messageOf(call)
		if !isLog {
			return true
		}
		at := files.Position(call.Pos()).String()
		message, constant := constantPart(argument)
		if !constant {
			err = fmt.Errorf("%s: the message is not constant; put what varies into attributes, or behind a colon", at)
		}
		found[message] = at
		return true
	})
	return err
}

// messageOf returns the argument of a call that is the message of a logger.
func messageOf(call *ast.CallExpr) (message ast.Expr, isLog bool) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil, false
	}
	receiver := lastName(method.X)
	if at, ok := forwards[receiver+"."+method.Sel.Name]; ok && len(call.Args) > at {
		return call.Args[at], true
	}
	at := slices.Index([]string{"Debug", "Info", "Warn", "Error"}, method.Sel.Name)
	if logger := slices.Contains([]string{"log", "Logger", "logger", "slog"}, receiver); !logger || len(call.Args) == 0 {
		return nil, false
	}
	switch {
	case method.Sel.Name == "Log" && len(call.Args) > 2:
		message = call.Args[2]
	case at >= 0:
		message = call.Args[0]
	case strings.HasSuffix(method.Sel.Name, "Context") && len(call.Args) > 1:
		message = call.Args[1]
	}
	// The functions of forwards log what they are given.
	name := lastName(message)
	return message, message != nil && !(receiver == "log" && (name == "event" || name == "message"))
}

// lastName returns the last name of an expression such as l.cfg.Logger.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// constantPart returns a string constant. Of a sum it returns what is before the colon at the end of the first term.
func constantPart(e ast.Expr) (text string, constant bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		text, ok := constantPart(e.X)
		head, isHead := strings.CutSuffix(text, ": ")
		return head, ok && isHead
	}
	return "", false
}
