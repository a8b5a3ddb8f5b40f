package hub

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/quota"
)

func TestAClientsOldestCommandWithoutAWaiterMakesRoom(t *testing.T) {
	f, c, w := newInflightHarness(t), at("a:1"), &recordingWaiter{}
	f.sends(c, "waits", "dome", w, nil)
	for i := range 3 * maxInflightClient {
		f.clock = f.clock.Add(time.Millisecond)
		f.sends(c, fmt.Sprint(i), "dome", nil, nil)
	}
	if f.Len() != maxInflightClient+1 || f.commands[CommandKey{"0", "dome"}] != nil || f.commands[CommandKey{"waits", "dome"}] == nil {
		t.Errorf("%d are known", f.Len())
	}
	for i := range maxInflightClient - 1 {
		f.sends(c, fmt.Sprint("w", i), "dome", &recordingWaiter{}, nil)
	}
	f.sends(c, "too many", "dome", &recordingWaiter{}, errTooManyAwaited)
	f.sends(at("a:2"), "another's", "dome", &recordingWaiter{}, nil)
	f.Leave(c)
	if len(f.callers) != 1 || w.stopped != 1 || f.callers[c] != nil {
		t.Errorf("%d clients are known", len(f.callers))
	}
}

// 395 clients with commands to an actor that hangs.
func TestTheClientWithMostCommandsMakesRoomForOthers(t *testing.T) {
	f, waiting := newInflightHarness(t), []*recordingWaiter{}
	for n := 0; f.Len() < maxInflight; n++ {
		c := at(fmt.Sprintf("10.0.0.%d:%d", n%4, n))
		for i := 0; i < maxInflightClient && f.Len() < maxInflight; i++ {
			waiting = append(waiting, &recordingWaiter{})
			f.sends(c, fmt.Sprint(n, "-", i), "hangs", waiting[len(waiting)-1], nil)
		}
	}
	honest := at("10.9.9.9:1")
	for i := range maxInflightClient {
		f.sends(honest, fmt.Sprint("honest", i), "dome", &recordingWaiter{}, nil)
	}
	if status := f.hears("honest0", ":", "bridge.dome", "dome"); status != "done" {
		t.Errorf("its end is %q", status)
	}
	f.sends(at("10.0.0.1:99999"), "another of them", "dome", &recordingWaiter{}, nil) // the client of its address with the most gives way
	var told []CommandEnd
	for _, w := range waiting {
		told = append(told, w.ends...)
	}
	if len(told) != maxInflightClient || told[0].Status != "timeout" || told[0].Message != evictedMessage {
		t.Errorf("%d commands gave way, the first as %+v", len(told), told[:1])
	}
	if f.Len() > maxInflight {
		t.Errorf("%d are known", f.Len())
	}
}

// Programs that connect, or post, with one command each, to an actor that never ends them.
func TestCommandsOfDisconnectedClientsAreEvictedFirst(t *testing.T) {
	f, w := newInflightHarness(t), &recordingWaiter{}
	here := at("10.0.0.1:1")
	f.sends(here, "awaited", "dome", w, nil)
	f.sends(here, "here", "dome", nil, nil)
	for i := 0; f.Len() < maxInflight; i++ {
		once := at(fmt.Sprintf("10.0.0.1:%d", i))
		f.sends(once, fmt.Sprint(i), "hangs", nil, nil)
		f.Leave(once)
	}
	for i := range 1000 {
		f.sends(at("10.0.0.1:2"), fmt.Sprint("new ", i), "dome", &recordingWaiter{}, nil)
		f.calls(at("10.0.0.2:2"), fmt.Sprint("newer ", i), "dome", &recordingWaiter{}, nil)
		f.hears(fmt.Sprint("newer ", i), ":", "bridge.dome", "dome")
	}
	for i, known := range map[string]bool{"0": false, "1000": false, "1001": true} {
		if got := f.commands[CommandKey{i, "hangs"}] != nil; got != known {
			t.Errorf("command %s of a disconnected client is known: %v", i, got)
		}
	}
	if len(w.ends) != 0 || f.commands[CommandKey{"here", "dome"}] == nil {
		t.Error("a command of a connected client gave way")
	}
	f.agree()
}

func TestTheAddressWithMostCommandsIsToldSo(t *testing.T) {
	f := newInflightHarness(t)
	for i := 0; f.Len() < maxInflight; i++ {
		f.sends(at(fmt.Sprintf("10.0.%d.%d:1", i>>8&255, i&255|i>>16<<7)), fmt.Sprint(i), "hangs", &recordingWaiter{}, nil)
	}
	f.sends(at("10.9.9.9:1"), "few", "dome", &recordingWaiter{}, nil)
	greedy := at("10.9.9.9:2")
	var err error
	for i := 0; err == nil; i++ {
		if i > 8 {
			t.Fatal("it takes the room of all")
		}
		_, err = f.Add(greedy, CommandKey{fmt.Sprint("greedy", i), "dome"}, &recordingWaiter{})
	}
	if err != errTooManyInAll {
		t.Error(err)
	}
}

func TestTheAddressWithMostHTTPWaitersMakesRoom(t *testing.T) {
	f := newInflightHarness(t)
	var calls []*recordingWaiter
	for i := range maxHTTP {
		calls = append(calls, &recordingWaiter{})
		f.calls(at(fmt.Sprintf("10.0.0.1:%d", i)), fmt.Sprint(i), "hangs", calls[i], nil)
		f.clock = f.clock.Add(time.Millisecond)
	}
	f.calls(at("10.0.0.1:999"), "more", "dome", &recordingWaiter{}, errTooManyHTTP)
	f.calls(at("10.0.0.2:1"), "honest", "dome", &recordingWaiter{}, nil)
	if len(calls[0].ends) != 1 {
		t.Fatal("the oldest does not give way")
	}
	if e := calls[0].ends[0]; e.Status != "timeout" || e.CommandID != "0" {
		t.Errorf("it ends as %+v", e)
	}
	if len(f.http) != maxHTTP {
		t.Errorf("%d are waited for", len(f.http))
	}
}

// evicts makes room for another command of a client as at the bound for all, and returns the id of the
// command that is evicted; "" if that is none.
func (f *inflightHarness) evicts(from Client) string {
	f.t.Helper()
	before := maps.Clone(f.commands)
	f.mu.Lock()
	_, err := f.makeTotalRoom(f.callers[from], quota.Address(from.Remote()))
	f.mu.Unlock()
	for key := range before {
		if f.commands[key] == nil {
			return key.ID
		}
	}
	if err != errTooManyInAll {
		f.t.Errorf("nothing is evicted, and the error is %v", err)
	}
	return ""
}

func TestTheAddressOrClientThatWouldHaveMostMakesRoom(t *testing.T) {
	for name, c := range map[string]struct {
		commands []string // of clients by their address, in their order; those with a bracket are awaited
		from     string
		evicted  string
	}{
		"another address has more":                 {[]string{"a:1", "b:1", "b:1", "b:1"}, "a:1", "1"},
		"with this one it would have as many":      {[]string{"a:1", "a:1", "b:1", "b:1", "b:1"}, "a:1", "0"},
		"its address has none":                     {[]string{"b:1"}, "a:1", "0"},
		"another client of its address has more":   {[]string{"a:1", "a:2", "a:2", "a:2"}, "a:1", "1"},
		"with this one the client has as many":     {[]string{"a:1", "a:1", "a:2", "a:2", "a:2"}, "a:1", "0"},
		"the client has none":                      {[]string{"a:2"}, "a:1", ""},
		"its own are all awaited":                  {[]string{"(a:1", "(a:1", "b:1"}, "a:1", ""},
		"those of the client with most, too":       {[]string{"a:1", "(b:1", "(b:1", "(b:1"}, "a:1", "1"},
		"one that is not awaited goes before them": {[]string{"a:1", "(b:1", "b:1", "(b:1"}, "a:1", "2"},
	} {
		f, clients := newInflightHarness(t), map[string]*recordingClient{}
		address := strings.NewReplacer("a", "10.0.0.1", "b", "10.0.0.2")
		clients[c.from] = at(address.Replace(c.from))
		for i, remote := range c.commands {
			var w Waiter
			if strings.HasPrefix(remote, "(") {
				remote, w = remote[1:], &recordingWaiter{}
			}
			if clients[remote] == nil {
				clients[remote] = at(address.Replace(remote))
			}
			f.sends(clients[remote], fmt.Sprint(i), "dome", w, nil)
		}
		if got := f.evicts(clients[c.from]); got != c.evicted {
			t.Errorf("%s: of %q %q is evicted, want %q", name, c.commands, got, c.evicted)
		}
	}
}
