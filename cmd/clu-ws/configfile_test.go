package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// writeFile writes a file into a folder of the test, and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	replaceFile(t, path, text)
	return path
}

// replaceFile replaces a file atomically.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".next", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".next", path); err != nil {
		t.Fatal(err)
	}
}

// asYAML returns a flag's value as a file has it.
func asYAML(name, value string) string {
	for _, f := range websocketFlags() {
		if f.Names()[0] != name {
			continue
		}
		switch f.(type) {
		case *cli.BoolFlag, *cli.IntFlag:
			return name + ": " + value + "\n"
		case *cli.StringSliceFlag:
			return name + ": [" + strconv.Quote(value) + "]\n"
		}
	}
	return name + ": " + strconv.Quote(value) + "\n"
}

func TestEachFlagInAFileReachesTheBridge(t *testing.T) {
	for _, f := range slices.Concat(brokerFlagCases(t), cluFlagCases, historyFlagCases, limitFlagCases, operationFlagCases) {
		path := writeFile(t, "clu-ws.yaml", asYAML(f.flag, f.value))
		if got := f.read(configured(t, append(f.with, "--config", path)...)); !reflect.DeepEqual(got, f.want) {
			t.Errorf("%s: %v, want %v", f.flag, got, f.want)
		}
	}
}

func TestTheCommandLineWinsOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", "name: file\nexchange: file\nnan: string\norigin: ['https://file', 'https://b']\nsource: ['exchange=file']\n")
	t.Setenv("CLU_WS_EXCHANGE", "environment")
	t.Setenv("CLU_WS_NAME", "environment")
	t.Setenv("CLU_WS_SOURCE", "exchange=environment")
	cfg := configured(t, "--config", path, "--name", "line", "--origin", "https://line")
	got := fmt.Sprint(cfg.Name, " ", cfg.Exchange, " ", cfg.Envelope.NaN, " ", cfg.Origins, " ", cfg.Sources[0].Exchange, len(cfg.Sources), " ", cfg.LogCommands)
	if want := fmt.Sprint("line environment ", configured(t, "--nan", "string").Envelope.NaN, " [https://line] environment1 true"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	t.Setenv("CLU_WS_CONFIG", path)
	if got := configured(t).Origins; !slices.Equal(got, []string{"https://file", "https://b"}) {
		t.Errorf("the origins of the file are %q", got)
	}
}

func TestNullIsAWordWhereItMeansSomething(t *testing.T) {
	cfg := configured(t, "--config", writeFile(t, "clu-ws.yaml", "nan: null\norigin: [null]\n"))
	if !slices.Equal(cfg.Origins, []string{"null"}) {
		t.Errorf("the origins are %q", cfg.Origins)
	}
}

func TestWhatIsWrongInAFileHasItsPlace(t *testing.T) {
	for text, want := range map[string][]string{
		"prot: 1\n":                         {`clu-ws.yaml:1:1: there is no setting "prot"; port may be meant`},
		"colour: 1\n":                       {`clu-ws.yaml:1:1: there is no setting "colour"; the settings are the flags without their dashes, access, dialects and site`},
		"config: x\n":                       {`clu-ws.yaml:1:1: there is no setting "config"`},
		"poller: x\n":                       {`clu-ws.yaml:1:1: there is no setting "poller"`},
		"port: 99999\nhistory: x\n":         {"clu-ws.yaml:1:7: port 99999 is not a port", "clu-ws.yaml:2:10: history must be a whole number, and is a text"},
		"compress: yes\n":                   {"clu-ws.yaml:1:11: compress must be true or false, and is a text"},
		"name:\n":                           {"clu-ws.yaml:1:7: name must be a text, and is no value"},
		"name: null\n":                      {"clu-ws.yaml:1:7: name must be a text, and is null"},
		"name: true\n":                      {"clu-ws.yaml:1:7: name must be a text, and is true or false; write it in quotes"},
		"name: [a]\n":                       {"clu-ws.yaml:1:7: name must be a text, and is a list"},
		"client-lag: 30\n":                  {`clu-ws.yaml:1:13: client-lag: "30" is not a time; write a number with a unit`},
		"client-lag: 1ms\n":                 {"clu-ws.yaml:1:13: client-lag 1ms must be at least 1s"},
		"history: 99999999999999999999\n":   {"clu-ws.yaml:1:10: "},
		"origin:\n- https://a\n- b\n":       {`clu-ws.yaml:1:1: origin: "b" is not an origin`},
		"max-message: 1\nslow: down\n":      {"clu-ws.yaml:1:14: max-message", "clu-ws.yaml:2:7: slow"},
		"max-clients: -1\n":                 {"clu-ws.yaml:1:14: max-clients -1 must be at least 1"},
		"audit-required: true\n":            {"clu-ws.yaml:1:17: audit-required needs --audit FILE"},
		"log-level: loud\nsource: [live]\n": {"clu-ws.yaml:1:12: log-level", "clu-ws.yaml:2:1: source: "},
		"url: [amqp://h/]\nvhost: x\n":      {"clu-ws.yaml:1:1: url and vhost are both given"},
		"password: credential:x\n":          {"clu-ws.yaml:1:11: password: credential:x needs systemd"},
		"access: {jwt: [{audience: x}]}\n":  {"clu-ws.yaml:1:16: access.jwt[0].issuer: must be"},
		"name: " + strings.Repeat("x", 300): {"clu-ws.yaml:1:7: "},
		"site: {conditions: [{name: a, when: w.safe = false}]}\n":             {`clu-ws.yaml:1:37: column 8: "=" is not a comparison; write ==`},
		"site: {keywords: {humidity: {unit: '%'}}}\n":                         {`clu-ws.yaml:1:19: "humidity" names no actor`},
		"site:\n  boards:\n  - {name: a, items: [{plot: [a.b], range: x}]}\n": {`clu-ws.yaml:3:44: "x" is no range`},
		"dialects: [{path: x, socketshark: {}}, {path: /y}]\n":                {`clu-ws.yaml:1:19: "x" must begin with /`, "clu-ws.yaml:1:40: this element has 0 dialects"},
		"dialects: [{path: '/{x}/', socketshark: {}}]\n":                      {"clu-ws.yaml:1:19: \"/{x}/\" is not a path alone"},
		"dialects: [{path: /x, socketshark: {http: {tries: -1}}}]\n":          {"clu-ws.yaml:1:37: has a negative", "clu-ws.yaml:1:19: no source has the rooms of /x in the format socketshark; add one, such as source: redis="},
		"source: 'exchange=x,path=/api'\ndialects: [{path: /api, reddit: {secrets: s}}, {path: /api/, reddit: {}}]\n": {
			"clu-ws.yaml:2:55: the path /api/ is that of the dialect reddit, too"},
		"source: 'exchange=x,path=/a'\ndialects: [{path: /a, reddit: {secrets: s}}]\n": {"clu-ws.yaml:2:41: open "},
		"source: 'exchange=x,type=direct,format=hightemplar,path=/healthz'\ndialects: [{path: /healthz, high-templar: {api-url: http://a/}}]\n": {
			"clu-ws.yaml:2:19: at /healthz the dialect would answer GET /healthz"},
		"name: x\nsource: ['redis=redi://h,path=/x']\n": {"clu-ws.yaml:2:1: source: the Redis URL cannot be read"},
		"access: {anonymous: nobody}\n":                 {"clu-ws.yaml:1:21: there is no role"},
		"access: {roles: {a: {hear: [{x: 1}]}}}":        {"clu-ws.yaml:1:29: the filter"},
	} {
		path := writeFile(t, "clu-ws.yaml", text)
		t.Setenv("CREDENTIALS_DIRECTORY", "")
		for _, subcommand := range []string{"check", "websocket"} {
			where := []string{"--listen", "127.0.0.1:0"} // some of this is found once the bridge listens
			if strings.HasPrefix(text, "port: ") {
				where = nil
			}
			args := append([]string{subcommand, "--config", path, "--fail-fast"}, where...)
			got := strings.ReplaceAll(failure(t, args...), filepath.Dir(path)+string(filepath.Separator), "")
			for _, words := range want {
				if !strings.Contains(got, words) {
					t.Errorf("%s: %q\n%s\nwant\n%s", subcommand, text, got, words)
				}
			}
			if strings.Contains(got, "engine: ") {
				t.Errorf("%s: %q is told twice, in the engine's words, too:\n%s", subcommand, text, got)
			}
		}
	}
}

func TestAFileThatIsAbsentOrAFolderIsAnError(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "absent.yaml"), dir} {
		if got := failure(t, "check", "--config", path); !strings.Contains(got, "the configuration file cannot be read") || !strings.Contains(got, path) {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestPathsInAFileAreRelativeToIt(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"password": "from file\n", "clu-ws.yaml": "password: file:password\n", "url.yaml": "url: [file:url]\n", "url": "amqp://me:se@one/ amqp://two/\n",
		"source.yaml": "source: ['redis=file:redis,path=/x']\n", "redis": "redis://:se@one\n"} {
		replaceFile(t, filepath.Join(dir, name), text)
	}
	if got := configured(t, "--config", filepath.Join(dir, "clu-ws.yaml")).Broker; !slices.Equal(got, []string{"amqp://guest:from%20file@localhost:5672/"}) {
		t.Errorf("%q", got)
	}
	if got := configured(t, "--config", filepath.Join(dir, "url.yaml")).Broker; !slices.Equal(got, []string{"amqp://me:se@one/", "amqp://guest:guest@two/"}) {
		t.Errorf("%q", got)
	}
	if got := configured(t, "--config", filepath.Join(dir, "source.yaml")).Sources; len(got) != 1 || got[0].Redis.URL != "redis://:se@one" {
		t.Errorf("%+v", got)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if got := configured(t, "--password", "credential:password").Broker; !slices.Equal(got, []string{"amqp://guest:from%20file@localhost:5672/"}) {
		t.Errorf("%q", got)
	}
	if got := configured(t, "--password", "file:"+filepath.Join(dir, "password")).Broker; !slices.Equal(got, []string{"amqp://guest:from%20file@localhost:5672/"}) {
		t.Errorf("%q", got)
	}
}

func TestCheckSaysWhatTheFileMeans(t *testing.T) {
	t.Setenv("CLU_WS_EXCHANGE", "other")
	path := writeFile(t, "clu-ws.yaml", "name: console\npassword: sesame\nurl: ['amqp://u:sesame@h/']\nsource: ['redis=redis://:sesame@r,path=/x', exchange=amqp]\nsite: {title: APO}\naccess: {roles: {viewer: {hear: [{}]}}, anonymous: viewer}\n")
	got := strings.Join(strings.Fields(output(t, "check", "--config", path, "--history", "7")), " ")
	for _, words := range []string{
		path + " can be used.", "name console by " + path + ":1", "exchange other by CLU_WS_EXCHANGE", "history 7 by the command line",
		"password (hidden) by", "url (hidden) by", "redis=redis://(hidden)@r,path=/x", `called "APO"`, "role viewer: hears every reply", "without a credential: role viewer",
	} {
		if !strings.Contains(got, words) {
			t.Errorf("it does not say %q:\n%s", words, got)
		}
	}
	if strings.Contains(got, "sesame") {
		t.Errorf("it shows a secret:\n%s", got)
	}
	if got := output(t, "check"); !strings.Contains(got, "everyone who can reach the bridge may do everything") {
		t.Errorf("without a file it says\n%s", got)
	}
}

func TestCheckWarnsOfASecretThatEveryoneMayRead(t *testing.T) {
	path := writeFile(t, "password", "sesame")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := output(t, "check", "--password", "file:"+path); !strings.Contains(got, "Everyone on this machine may read "+path) || strings.Contains(got, "sesame") {
		t.Errorf("it says\n%s", got)
	}
}

func TestAFileThatEveryoneMayReadIsWarnedOfIfItHasASecret(t *testing.T) {
	secrets := writeFile(t, "secrets.json", `{"secrets": {"secret/websockets/authorization_key": {"type": "versioned", "current": "abcdefghijklmnopqrstuvwxyz0123456789"}}}`)
	for text, secret := range map[string]bool{
		"password: sesame\n":                                        true,
		"url: ['amqp://u:sesame@h/']\n":                             true,
		"name: x\n":                                                 false,
		"source: ['redis=redis://:sesame@h,path=/x']\n":             true,
		"source: ['redis=redis://h,path=/x']\n":                     false,
		"password: file:/dev/null\n":                                false,
		"access: {callback: {url: 'https://a/', secret: sesame}}\n": true,
		"source: 'exchange=x,path=/'\ndialects: [{path: /, reddit: {secrets: " + secrets + ", admin-token: sesame}}]\n": true,
		"source: 'exchange=x,path=/'\ndialects: [{path: /, reddit: {secrets: " + secrets + "}}]\n":                      false,
	} {
		path := writeFile(t, "clu-ws.yaml", text)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		var got string
		if strings.Contains(text, "/dev/null") {
			got = failure(t, "check", "--config", path) // it is no secret
		} else {
			got = output(t, "check", "--config", path)
		}
		if strings.Contains(got, "may read "+path) != secret {
			t.Errorf("of %q it says\n%s", text, got)
		}
	}
}

func TestTheExampleOfAFileCanBeUsed(t *testing.T) {
	text, err := os.ReadFile("../../docs/clu-ws.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replaceFile(t, filepath.Join(dir, "broker-password"), "sesame\n")
	changed := strings.NewReplacer("/etc/clu-ws/broker-password", "broker-password", "/var/log/clu-ws/audit.log", "audit.log").Replace(string(text))
	if strings.Count(changed, "broker-password") != strings.Count(string(text), "broker-password") || changed == string(text) {
		t.Fatal("the example has other files")
	}
	path := filepath.Join(dir, "clu-ws.yaml")
	replaceFile(t, path, changed)
	if got := output(t, "check", "--config", path); !strings.Contains(got, "token of archiver: role viewer") {
		t.Errorf("it says\n%s", got)
	}
}

func TestADemoReadsItsOwnFlagsFromAFile(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", "history: 5\n")
	if got := failure(t, "demo", "--config", path); !strings.Contains(got, `there is no setting "history"`) {
		t.Error(got)
	}
}

func TestCheckSaysOnceWhatTheFlagsAndTheBridgeFindWrong(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", "origin: [foo]\n")
	if got := failure(t, "check", "--config", path); strings.Count(got, "is not an origin") != 1 {
		t.Errorf("it says\n%s", got)
	}
}

func TestABridgeWhoseEveryPathIsAnotherSystemsIsNotOpenToCommands(t *testing.T) {
	secrets := writeFile(t, "secrets.json", `{"secrets": {"secret/websockets/authorization_key": {"type": "versioned", "current": "abcdefghijklmnopqrstuvwxyz0123456789"}}}`)
	const open = "everyone who can reach the bridge may do everything"
	for path, only := range map[string]bool{"/": true, "/live": false} {
		file := writeFile(t, "clu-ws.yaml", "source: 'exchange=x,path="+path+"'\ndialects: [{path: "+path+", reddit: {secrets: "+secrets+"}}]\n")
		if got := output(t, "check", "--config", file); strings.Contains(got, open) == only {
			t.Errorf("with the path %s it says\n%s", path, got)
		}
		p := start(t, "websocket", "--port", "0", "--admin", "127.0.0.1:0", "-P", "1", "--config", file)
		p.out.await(t, "NOT LINKED")
		if log := p.log.String(); strings.Contains(log, "commands are open") == only {
			t.Errorf("with the path %s it logs\n%s", path, log)
		}
	}
}

func TestCheckShowsWhatTheBridgeWillWarnOf(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", "access:\n  jwt: [{issuer: i, audience: a, algorithms: [RS256], jwks: \"http://idp.example/keys\"}]\n")
	if text := output(t, "check", "--config", path); !strings.Contains(text, "The bridge will warn:\nmsg=\"the keys of an issuer of tokens are fetched without TLS") {
		t.Errorf("it prints\n%s", text)
	}
}
