package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// autobahnCases are the cases of Autobahn's TestSuite that are run: framing, pings,
// reserved bits, opcodes, fragments, UTF-8, closing and miscellaneous, and a selection of
// the many about large messages and compression.
var autobahnCases = []string{
	"1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*",
	"9.1.1", "9.1.3", "9.2.3", "9.3.5", "9.4.6", "9.5.5", "9.6.6", "9.7.1", "9.8.1",
	"12.1.1", "12.1.4", "12.2.3", "12.3.4", "12.4.2", "12.5.1",
	"13.1.3", "13.2.2", "13.3.1", "13.4.3", "13.5.1", "13.6.2", "13.7.3",
}

// autobahnCasesElsewhere are the cases that are run over TLS and with the portable poller, which read and write in their own
// ways, but share what looks into frames: UTF-8 and compression.
var autobahnCasesElsewhere = []string{
	"1.*", "2.*", "3.*", "4.*", "5.*", "6.1.*", "6.2.*", "7.*", "10.*", "9.1.3", "9.2.3", "9.5.5", "9.7.1", "12.2.3", "13.1.3",
}

// verdict is the suite's result for one case.
type verdict struct{ Behavior, BehaviorClose string }

// good reports whether the server may behave so. NON-STRICT means that a server could have
// failed a connection earlier. Compression with a window below 15 bits (13.3, 13.5), which
// compress/flate does not support, may be unimplemented.
func (v verdict) good(name string) bool {
	switch v.Behavior {
	case "OK", "NON-STRICT", "INFORMATIONAL":
		return v.BehaviorClose == "OK" || v.BehaviorClose == "INFORMATIONAL"
	case "UNIMPLEMENTED":
		return strings.HasPrefix(name, "13.3.") || strings.HasPrefix(name, "13.5.")
	}
	return false
}

// verdicts are the results by case.
type verdicts map[string]verdict

// bad returns the names of the cases that the server fails.
func (v verdicts) bad() (names []string) {
	for name, one := range v {
		if !one.good(name) {
			names = append(names, name)
		}
	}
	return names
}

// agent is a server as the suite's client sees it.
type agent struct {
	Name string `json:"agent"`
	URL  string `json:"url"`
}

func TestAutobahn(t *testing.T) {
	wstest := testkit.Autobahn(t)
	inEveryWay(t, func(t *testing.T, start starter) {
		name := path.Base(t.Name())
		cases, least := autobahnCases, 250
		if name != ways[0].name {
			cases, least = autobahnCasesElsewhere, 90
		}
		server := []agent{{name, startEcho(t, start)}}
		verdicts := runAutobahn(t, wstest, server, cases)[name]
		// The suite gives many cases a second, which a crowded machine may take: a fault shows each time.
		for range 2 {
			bad := verdicts.bad()
			if len(bad) == 0 {
				break
			}
			t.Logf("run again: %q", bad)
			maps.Copy(verdicts, runAutobahn(t, wstest, server, bad)[name])
		}
		counts := map[string]int{}
		for _, v := range verdicts {
			counts[v.Behavior]++
		}
		for _, name := range verdicts.bad() {
			t.Errorf("case %s is %s, its close %s", name, verdicts[name].Behavior, verdicts[name].BehaviorClose)
		}
		if n := len(verdicts); n < least {
			t.Errorf("only %d cases were run", n)
		}
		var words []string
		for _, behavior := range slices.Sorted(maps.Keys(counts)) {
			words = append(words, fmt.Sprintf("%d %s", counts[behavior], behavior))
		}
		testkit.Note(t, fmt.Sprintf("Autobahn, %s: %s", name, strings.Join(words, ", ")))
	})
}

// runAutobahn returns the suite's verdicts by agent and case.
func runAutobahn(t *testing.T, wstest string, agents []agent, cases []string) (byAgent map[string]verdicts) {
	t.Helper()
	dir := t.TempDir()
	spec, err := json.Marshal(map[string]any{
		"outdir": dir, "servers": agents, "cases": cases, "exclude-cases": []string{}, "exclude-agent-cases": map[string]any{},
		// As long as a crowded machine may need, yet below closeTimeout and lingerTimeout, after
		// which the engine ends a connection that it forgot to close.
		"options": map[string]any{"closeHandshakeTimeout": 4, "serverConnectionDropTimeout": 1.5},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "spec.json")
	if err := os.WriteFile(file, spec, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(wstest, "-m", "fuzzingclient", "-s", file)
	cmd.Dir = dir
	if err := testkit.StartProcess(t, cmd).Err(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &byAgent); err != nil {
		t.Fatal(err)
	}
	return byAgent
}

// startEcho serves what the suite expects: every message is sent back.
func startEcho(t *testing.T, start starter) (url string) {
	t.Helper()
	s := start(Config{Compress: true, Limits: Limits{MaxMessage: 32 << 20, MessageRate: 1 << 20}}, func(s *server) {
		s.message = func(c Conn, m Message) {
			if m.Binary {
				c.Send(Binary(m.Payload))
				return
			}
			c.Send(Text(string(m.Payload)))
		}
	})
	s.mute.Store(true)
	scheme := "ws://"
	if s.tls != nil {
		scheme = "wss://"
	}
	return scheme + s.addr
}
