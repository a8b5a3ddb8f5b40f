package configfile

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// documented is the file of the design, in full.
const documented = `
name: console
port: 9876
origin: [https://a.example, null]
max-message: 65536
socket-mode: 0660
log-commands: false
access:
  roles:
    viewer:   {hear: [{}]}
    observer: {hear: [{}], own: true, command: [{consumer: [dome, mount], verb: [status, open, close]}], forbid: [{verb: shutdown}], limits: {command-rate: 2.5, connections: 5}}
    engineer: {hear: [{}], rooms: ["/**"], publish: ["/live/**"], command: [{}], clients: true, admin: true}
  anonymous: viewer
  signed:  {secrets: secrets.json, name: secret/websockets/authorization_key, lifetime: connect}
  tokens:  [{name: archiver, hash: "sha256:00", role: viewer, from: [10.0.0.0/8], expires: 2027-01-01}]
  jwt:     [{issuer: "https://idp", audience: clu-ws, algorithms: [RS256], jwks: "https://idp/keys", roles: {"groups:observers": observer}}]
  clients-ca: ca.pem
  certificates: {"CN=archiver": viewer}
  unix:    {"user:obs": observer, "group:staff": engineer}
  proxy:   {from: [127.0.0.1/32], user: X-Remote-User, groups: X-Remote-Groups, address: X-Forwarded-For}
  callback: {url: "http://app/ws-login", style: post, timeout: 5s, in-flight: 16, secret: "file:cb"}
dialects: [{path: /, reddit: {secrets: secrets.json, admin-token: "file:token"}}]
site: {title: APO}
`

func TestTheDocumentedFileIsRead(t *testing.T) {
	f := Parse("/etc/clu-ws/clu-ws.yaml", []byte(documented))
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	a := f.Access
	observer := `{"hear":[{}],"own":true,"command":[{"consumer":["dome","mount"],"verb":["status","open","close"]}],"forbid":[{"verb":"shutdown"}],"limits":{"command-rate":2.5,"connections":5}}`
	for _, c := range []struct{ what, got, want string }{
		{"observer", string(a.Roles["observer"]), observer},
		{"anonymous", a.Anonymous, "viewer"},
		{"secrets", a.Signed.Secrets, "/etc/clu-ws/secrets.json"},
		{"expires", a.Tokens[0].Expires, "2027-01-01"},
		{"from", a.Tokens[0].From[0], "10.0.0.0/8"},
		{"roles of jwt", a.JWT[0].Roles[0].Match, "groups:observers"},
		{"unix", a.Unix[1].Match + a.Unix[1].Role, "group:staffengineer"},
		{"clients-ca", a.ClientsCA, "/etc/clu-ws/ca.pem"},
		{"certificates", a.Certificates["CN=archiver"], "viewer"},
		{"secret", a.Callback.Secret, "file:/etc/clu-ws/cb"},
		{"timeout", a.Callback.Timeout.String(), (5 * time.Second).String()},
		{"secrets of a dialect", f.Dialects[0].Reddit.Secrets, "/etc/clu-ws/secrets.json"},
		{"token of a dialect", f.Dialects[0].Reddit.AdminToken, "file:/etc/clu-ws/token"},
		{"site", f.Site.Title, "APO"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
	if a.Callback.InFlight != 16 {
		t.Errorf("in-flight is %d", a.Callback.InFlight)
	}
	for i, want := range []string{"console", "9876", "https://a.example null", "65536", "0660", "false"} {
		s := f.Settings[i]
		texts, ok := s.Texts(true)
		if s.Name == "log-commands" {
			texts[0], ok = s.Bool()
		}
		if got := strings.Join(texts, " "); !ok || got != want {
			t.Errorf("%s is %q, want %q", s.Name, got, want)
		}
	}
}

// badFiles are files and what is wrong with them: each line is a place and words.
var badFiles = []struct{ text, want string }{
	{"", "f: the file is empty"},
	{"# nothing\n", "f: the file is empty"},
	{"- a\n", "f:1:1: the file must have keys and values"},
	{"a: 1\n---\nb: 2\n", "f:3:1: a second document"},
	{"a: [1\nb: 2\n", "f:2:1: this is not YAML"},
	{"a:\n\tb: 1\n", "f:2:1: this is not YAML: indent with spaces"},
	{"a: 1\n b: 2\n", "f:1:4: this is not YAML"},
	{"a: \xff\n", "f: the file is not UTF-8"},
	{"a: 1\nb: 2\na: 3\n", `f:3:1: "a" stands here twice; the first is in line 1`},
	{"site: {title: A, title: B}\n", `f:1:18: "title" stands here twice`},
	{"site: {titel: A}\n", `f:1:8: site has no key "titel"; title may be meant`},
	{"site: {logo: A}\n", `f:1:8: site has no key "logo"; its keys are title, keywords, conditions, pins, dangerous, boards`},
	{"site: {keywords: {a.b: {high: x}}}\n", "f:1:31: site.keywords.a.b.high must be a number"},
	{"site: {keywords: {a.b: {low-critical: 1}}}\n", `f:1:25: site.keywords.a.b has no key "low-critical"; low_critical may be meant`},
	{"site: {conditions: [{for: 5}]}\n", "f:1:27: site.conditions.for must be a time with a unit"},
	{"site: {boards: 5}\n", "f:1:16: site.boards must be a list, and is a whole number"},
	{"site: {boards: [{items: [{plt: [a.b]}]}]}\n", `f:1:27: site.boards.items has no key "plt"; plot may be meant`},
	{"site: {boards: nowhere}\n", "f:1:16: site.boards: the folder with the boards cannot be read"},
	{"site:\n", "f:1:7: site must be a section with keys, and is no value"},
	{"site: {title: 5}\n", "f:1:15: site.title must be a text, and is a whole number; write it in quotes"},
	{"site: {title: true}\n", "f:1:15: site.title must be a text, and is true or false; write it in quotes"},
	{"site: {title: !!str 5}\n", "f:1:15: tags such as !!str"},
	{"site: {title: *x}\n", "f:1:15: *x is not defined before"},
	{"access:\n", "f:1:9: access must be a section with keys"},
	{"access: []\n", "f:1:9: access must be a section with keys, and is a list"},
	{"access:\n  anonymus: viewer\n  tokens:\n  - {name: 5, rolle: x}\n  - {name: [], from: x}\n",
		"f:2:3: access has no key \"anonymus\"; anonymous may be meant\n" +
			"f:4:12: access.tokens.name must be a text, and is a whole number; write it in quotes\n" +
			"f:4:15: access.tokens has no key \"rolle\"; role may be meant\n" +
			"f:5:12: access.tokens.name must be a text, and is a list\n" +
			"f:5:22: access.tokens.from must be a list, and is a text"},
	{"access: {callback: {timeout: 5}}\n", "f:1:30: access.callback.timeout must be a time with a unit"},
	{"access: {callback: {timeout: -5s}}\n", "f:1:30: access.callback.timeout must be a time with a unit"},
	{"access: {callback: {in-flight: 1.5}}\n", "f:1:32: access.callback.in-flight must be a whole number"},
	{"access: {token-in-url: yes}\n", "f:1:24: access.token-in-url must be true or false, and is a text"},
	{"access: {unix: {a: 5}}\n", `f:1:16: access.unix: "a": must be the name of a role`},
	{"access: {roles: {a: {limits: {connections: .inf}}}}\n", "f:1:44: infinity is not used here"},
	{"access: {clients-ca: 'credential:x'}\n", "f:1:22: credential:x needs systemd"},
	{"access: {jwt: [{secret: 'file:'}]}\n", "f:1:25: file: names no file"},
	{"access: {callback: {secret: 'credential:../x'}}\n", `f:1:29: "../x" is not the name of a credential`},
}

func TestWhatIsWrongIsToldWithItsPlaceAndAllAtOnce(t *testing.T) {
	t.Setenv(credentialsDirectory, "")
	for _, c := range badFiles {
		err := Parse("f", []byte(c.text)).Err()
		if err == nil {
			t.Errorf("%q is accepted", c.text)
			continue
		}
		var places []string
		for line := range strings.Lines(err.Error()) {
			if strings.HasPrefix(line, "f:") {
				places = append(places, strings.TrimSpace(line))
			}
		}
		want := strings.Split(c.want, "\n")
		if len(places) != len(want) {
			t.Errorf("%q:\n%v\nwant\n%s", c.text, err, c.want)
			continue
		}
		for i := range want {
			if !strings.HasPrefix(places[i], want[i]) {
				t.Errorf("%q:\n%s\nwant\n%s", c.text, places[i], want[i])
			}
		}
	}
}

func TestAnErrorShowsItsLineWithAMark(t *testing.T) {
	err := Parse("clu-ws.yaml", []byte("name: x\nsite: {title: ü, titel: A}\n")).Err()
	want := "clu-ws.yaml:2:18: site has no key \"titel\"; title may be meant\n" +
		"    2 | site: {title: ü, titel: A}\n" +
		"      |                  ^"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

func TestAPlaceIsFoundByThePathOfAnError(t *testing.T) {
	f := Parse("f", []byte("access:\n  roles:\n    a.b:\n      hear:\n      - {}\n      - {sender: 5}\n  tokens:\n  - name: x\n"))
	reason := errors.New("no")
	for path, want := range map[string]string{
		"access.roles.a.b.hear[1]":        "f:6:9: ",
		"access.roles.a.b.hear[1].sender": "f:6:18: ",
		"access.roles.a.b.hear[7]":        "f:4:7: ",
		"access.roles.a.b":                "f:3:5: ",
		"access.roles.other":              "f:2:3: ",
		"access.tokens[0].name":           "f:8:11: ",
		"access.tokens[0].hash":           "f:8:5: ",
		"access.tokens[x]":                "f:7:3: ",
		"access":                          "f:1:1: ",
		"nothing":                         "f: ",
	} {
		if err := f.At(path, reason); !strings.HasPrefix(err.Error(), want) || !errors.Is(err, reason) {
			t.Errorf("%s is at %v, want %s", path, err, want)
		}
	}
}

func TestAnchorsAndMergedKeysAreUnderstood(t *testing.T) {
	f := Parse("f", []byte("access:\n  roles:\n    viewer: &v {hear: [{}], own: false}\n    observer: {<<: *v, own: true}\n    same: *v\n"))
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	for role, want := range map[string]string{"observer": `{"own":true,"hear":[{}]}`, "same": `{"hear":[{}],"own":false}`} {
		if got := string(f.Access.Roles[role]); got != want {
			t.Errorf("%s is %s", role, got)
		}
	}
}

func TestAliasesCannotMakeATreeWithoutEnd(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 12; i++ {
		alias := "*a" + string(rune('0'+i-1))
		if i > 10 {
			alias = "*a:"
		}
		b.WriteString("a" + string(rune('0'+i)) + ": &a" + string(rune('0'+i)) + " [" + strings.Repeat(alias+", ", 9) + alias + "]\n")
	}
	if err := Parse("f", []byte(b.String())).Err(); err == nil || !strings.Contains(err.Error(), "too many values") {
		t.Errorf("%.200v", err)
	}
	if err := Parse("f", []byte("a: "+strings.Repeat("[", 200)+strings.Repeat("]", 200))).Err(); err == nil || !strings.Contains(err.Error(), "nested too deeply") {
		t.Errorf("%.200v", err)
	}
}

func TestAnErrorShowsNoSecret(t *testing.T) {
	for _, text := range []string{
		"password: hunter2\npassword: hunter2\n",
		"password: [hunter2\n",
		"password: \"hunter2\n  hunter2\n",
		"x: '\n hunter2\n  hunter2\n'y\n",
		"url:\n  - amqp://u:hunter2@host/\n- x\n",
		"site: {title: 5} # amqp://u:hunter2@host/\n",
		"access: {callback: {secret: hunter2, url: 5}}\n",
		"access: {jwt: [{'secret': hunter2, issuer: 5}]}\n",
		"access:\n  callback:\n    secret: hunter2\n    secret: hunter2\n",
		"access:\n  callback:\n    headers:\n    - Authorization-Bearer-hunter2-hunter2\n    - 5\n    style: 5\n  revoked: [5]\n",
		"access: {tokens: [{hash: hunter2, name: 5}]}\n",
		"password: &x hunter2\nsite: {title: 7, <<: *x}\n",
		"api-token: hunter2 @\n\t",
		"dialects: [{high-templar: {connection-headers: {Authorization: {fixed: hunter2, format: 5}}}}]\n",
		"dialects:\n- socketshark: {services: {a: {on-message: 'http://h/?k=hunter2', on-subscribe: 5}}}\n",
		"dialects:\n- socketshark: {services: {a: {authorizer: 'http://h/?k=hunter2', extra-fields: 5}}}\n",
	} {
		err := Parse("f", []byte(text)).Err()
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q:\n%v", text, err)
		}
	}
}

func TestReferencesAreRelativeToTheFileOrCredentials(t *testing.T) {
	t.Setenv(credentialsDirectory, "/run/credentials/x")
	for value, want := range map[string]string{"file:a": "/etc/a", "file:/a": "/a", "credential:a": "/run/credentials/x/a", "secret": ""} {
		if got, err := SecretFile(value, "/etc"); err != nil || got != want {
			t.Errorf("%s is %q, %v", value, got, err)
		}
	}
	for value, want := range map[string]string{"": "", "a": "/etc/a", "/a": "/a", "credential:a": "/run/credentials/x/a"} {
		if got, err := FilePath(value, "/etc"); err != nil || got != want {
			t.Errorf("%s is %q, %v", value, got, err)
		}
	}
}

func TestASecretIsTheFileWithoutItsLineBreak(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	for content, want := range map[string]string{"abc\r\n": "abc", " a b ": " a b "} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadSecret(path); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if Exposed(path) {
		t.Error("0600 is exposed")
	}
	if err := os.Chmod(path, 0o644); err != nil || !Exposed(path) {
		t.Errorf("0644 is not exposed, %v", err)
	}
	if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{path, path + ".absent", t.TempDir()} {
		if _, err := ReadSecret(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func FuzzAFileIsReadOrRefused(f *testing.F) {
	f.Add(documented)
	for _, c := range badFiles {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := Parse("f", []byte(text))
		if err := file.Err(); err != nil {
			if err.Error() == "" {
				t.Fatal("an error says nothing")
			}
			return
		}
		if len(file.Settings) == 0 && file.Access == nil && file.Site == nil {
			t.Fatalf("%q has no keys and is accepted", text)
		}
		if file.Access != nil {
			for role, raw := range file.Access.Roles {
				if !json.Valid(raw) {
					t.Fatalf("the role %q is %s", role, raw)
				}
			}
		}
	})
}
