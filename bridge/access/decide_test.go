package access

import (
	"strings"
	"testing"
)

func TestWithoutAccessControlEverythingIsAllowed(t *testing.T) {
	var nobody *Principal
	for door := SendCommand; door <= Administer; door++ {
		if d := nobody.Decide(Request{Door: door}); !d.Allowed || d.Reason != "" {
			t.Errorf("door %d: %+v", door, d)
		}
	}
}

func TestWithoutGrantsNothingIsAllowed(t *testing.T) {
	for _, p := range []*Principal{{}, {Grants: parse(t, `{}`)}, {Grants: parse(t, `{"hear": [{}], "own": true}`)}} {
		for door := SendCommand; door <= Administer+1; door++ {
			if d := p.Decide(Request{Door: door, Room: "/", Consumer: "dome", CommandString: "status"}); d.Allowed || d.Reason == "" {
				t.Errorf("door %d: %+v", door, d)
			}
		}
	}
}

const observer = `{"hear": [{}], "command": [{"consumer": ["dome", "mount", "lvm.*"], "verb": ["status", "open"]}, {"consumer": "weather"}],
	"forbid": [{"verb": "shutdown"}, {"consumer": ["mirror", "lvm.secret"]}]}`

func TestCommandsAreDecidedByConsumerAndVerb(t *testing.T) {
	p := &Principal{Role: "observer", Grants: parse(t, observer)}
	for _, c := range []struct {
		consumer, command string
		rule              string // "" is refused by no command rule
	}{
		{"dome", "status", "command[0]"},
		{"dome", "open --fast", "command[0]"},
		{"dome", "open\tnow", "command[0]"},
		{"mount", "status", "command[0]"},
		{"dome", "close", ""},
		{"dome", "Status", ""}, // CLU compares names with their case
		{"dome", "stat", ""},   // and whole
		{"Dome", "status", ""},
		{"camera", "status", ""},
		{"dome.x", "status", ""}, // the whole consumer must be allowed
		{"domes", "status", ""},
		{"lvm.sci", "status", "command[0]"},
		{"lvm", "status", ""},
		{"", "status", ""},
		{"weather", "status", "command[1]"},
		{"weather", "anything at all", "command[1]"},
		{"weather", "shutdown", "forbid[0]"},
		{"dome", "shutdown", "forbid[0]"},
		{"nobody", "shutdown", "forbid[0]"},
		{"weather", "shutdowns", "command[1]"},
		// What CLU reads as another verb than one sees.
		{"weather", `shut"down"`, "forbid[0]"},
		{"weather", `"shutdown"`, "forbid[0]"},
		{"weather", `sh\utdown`, "forbid[0]"},
		{"weather", ` shutdown`, "forbid[0]"},
		{"weather", `-- shutdown`, "forbid[0]"},
		{"weather", `--x shutdown`, "forbid[0]"},
		{"weather", ``, "forbid[0]"},
		{"weather", "shutdown\nstatus", "forbid[0]"},
		{"weather", "status\x00shutdown", "forbid[0]"},
		// All of these reach the actor mirror.
		{"mirror", "status", "forbid[1]"},
		{"mirror.x", "status", "forbid[1]"},
		{"mirror.", "status", "forbid[1]"},
		{"mirror..", "status", "forbid[1]"},
		{"mirror.#", "status", "forbid[1]"},
		{"mirror.*", "status", "forbid[1]"},
		{"mirror.x.y", "status", "forbid[1]"},
		{"lvm.secret.x", "status", "forbid[1]"},
		{"lvm.secrets", "status", "command[0]"},
		{"mirrors", "status", ""},
	} {
		d := p.Decide(Request{Door: SendCommand, Consumer: c.consumer, CommandString: c.command})
		want := "observer: " + c.rule
		if c.rule == "" {
			want = "observer: no command"
		}
		if d.Rule != want || d.Allowed != strings.HasPrefix(c.rule, "command") || d.Allowed != (d.Reason == "") {
			t.Errorf("%q to %q: %+v, want %s", c.command, c.consumer, d, want)
		}
	}
}

func TestAVerbIsOfLettersDigitsDotsAndDashes(t *testing.T) {
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."
	for c := range 256 {
		char := string([]byte{byte(c)})
		_, first := Verb(char)
		if first != strings.Contains(chars, char) {
			t.Errorf("%q is a verb: %t", char, first)
		}
		verb, later := Verb("a" + char)
		blank := strings.Contains(" \t\r\n", char)
		if later != (first || char == "-" || blank) || later && verb != strings.TrimRight("a"+char, " \t\r\n") {
			t.Errorf("the verb of %q is %q, %t", "a"+char, verb, later)
		}
	}
}

func TestACommandWithoutAPlainVerbPassesOnlyRulesWithoutVerb(t *testing.T) {
	for grants, want := range map[string]bool{
		`{"command": [{}]}`:                                             true,
		`{"command": [{"consumer": "dome"}]}`:                           true,
		`{"command": [{"verb": "*"}]}`:                                  false,
		`{"command": [{"verb": ["open", "?*"]}]}`:                       false,
		`{"command": [{}], "forbid": [{"verb": "x"}]}`:                  false,
		`{"command": [{}], "forbid": [{"consumer": "x", "verb": "x"}]}`: true,
	} {
		p := &Principal{Grants: parse(t, grants)}
		if d := p.Decide(Request{Door: SendCommand, Consumer: "dome", CommandString: `"op"en`}); d.Allowed != want {
			t.Errorf("%s: %+v", grants, d)
		}
	}
}

func TestARefusalNamesWhatIsAllowed(t *testing.T) {
	p := &Principal{Role: "observer", Grants: parse(t, `{"command": [{"consumer": ["dome", "mount"]}], "forbid": [{"verb": "shutdown"}], "rooms": ["/live/*"]}`)}
	for request, want := range map[Request]string{
		{Door: SendCommand, Consumer: "mirror", CommandString: "shutdown now"}: `you may not send "shutdown" to mirror; your role observer may command dome and mount; forbidden: every actor (shutdown)`,
		{Door: SendCommand, Consumer: "mirror", CommandString: `"x"`}:          `you may not send a command that does not begin with a plain word to mirror; your role observer may command dome and mount; forbidden: every actor (shutdown); begin the command with its verb, without quotes or blanks before it`,
		{Door: SendCommand, Consumer: "a\nb", CommandString: "x"}:              `you may not send "x" to "a\nb"; your role observer may command dome and mount; forbidden: every actor (shutdown)`,
		{Door: EnterRoom, Room: "/chat"}:                                       `you may not hear the room "/chat"; your role observer may hear /live/*`,
		{Door: PublishToRoom, Room: "/chat"}:                                   `you may not publish to the room "/chat"; your role observer may publish to no room`,
		{Door: ListClients}:                                                    `you may not list the connected clients; your role observer must have clients: true`,
		{Door: Administer}:                                                     `you may not administer this bridge; your role observer must have admin: true`,
	} {
		if d := p.Decide(request); d.Allowed || d.Reason != want {
			t.Errorf("%+v:\n%s, want\n%s", request, d.Reason, want)
		}
	}
	none := &Principal{Grants: parse(t, `{}`)}
	const want = `you may not send "status" to dome; you may send no commands`
	if d := none.Decide(Request{Consumer: "dome", CommandString: "status"}); d.Reason != want || d.Rule != "grants: no command" {
		t.Errorf("%+v, want %s", d, want)
	}
}

func TestRoomsAreSelectedByPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no string // lists of rooms, by blanks
	}{
		{"/", "/", "/a /*"},
		{"/a", "/a", "/ /a/b /A /ab"},
		{"/a/*", "/a/b /a/* /a/x=* /a/**", "/a /a/b/c /b/a /"},
		{"/a/**", "/a /a/b /a/b/c /a/* /a/x=*/y", "/ /ab /b"},
		{"/**", "/ /a /a/b /*", ""},
		{"/*/x", "/a/x /*/x", "/a /a/y /a/x/y"},
		{"/*/x/**", "/a/x /a/x/y", "/a /a/y"},
		{"/customer=1", "/customer=1", "/customer=* /customer=2 /customer=11 /*"},
		{"/customer=*", "/customer=1 /customer=* /customer= /customer=a=b", "/customer /customers=1 /* /a"},
		{"/customer=*/target=chat", "/customer=*/target=chat /customer=7/target=chat", "/customer=7 /customer=7/target=* /target=chat/customer=7"},
		{"/é", "/é", "/e"},
	} {
		p, err := parseRoomPattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range strings.Fields(c.yes) {
			if !p.match(room) {
				t.Errorf("%s does not select %s", c.pattern, room)
			}
		}
		for _, room := range strings.Fields(c.no) {
			if p.match(room) {
				t.Errorf("%s selects %s", c.pattern, room)
			}
		}
	}
}
