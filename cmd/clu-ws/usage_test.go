package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// Of every subcommand, each time without a unit, each number that is none and each switch with another word is refused
// with how to write it, by the flag, its variable and the file alike.
func TestHowAValueIsWrittenIsSaidAlikeEverywhere(t *testing.T) {
	said := map[string]int{}
	for _, command := range newApp(nil, nil).Commands {
		for _, f := range command.Flags {
			name, value, words := f.Names()[0], "600", ""
			switch f.(type) {
			case *cli.DurationFlag:
				words = `"600" is not a time; write a number with a unit, such as 600s for seconds, 10m or 1h30m`
			case *cli.IntFlag:
				value, words = "many", `"many" is not a whole number`
			case *cli.BoolFlag:
				value, words = "maybe", `"maybe" is not true or false`
			}
			if words == "" || !isVisible(f) {
				continue
			}
			said[words]++
			if got := failure(t, command.Name, "--"+name+"="+value); !strings.HasPrefix(got, "--"+name+" "+words+"; see clu-ws "+command.Name+" --help") {
				t.Errorf("clu-ws %s --%s=%s: %s", command.Name, name, value, got)
			}
			for _, variable := range f.(cli.DocGenerationFlag).GetEnvVars() {
				t.Run(command.Name+"/"+variable, func(t *testing.T) {
					t.Setenv(variable, value)
					if got := failure(t, command.Name); !strings.HasPrefix(got, variable+": "+words) {
						t.Errorf("%s=%s: %s", variable, value, got)
					}
				})
			}
		}
	}
	if len(said) != 3 {
		t.Errorf("only %v", said)
	}
	for _, f := range websocketFlags() {
		if _, ok := f.(*cli.DurationFlag); !ok {
			continue
		}
		path := writeFile(t, "clu-ws.yaml", f.Names()[0]+": 600\n")
		if got := failure(t, "check", "--config", path); !strings.Contains(got, f.Names()[0]+`: "600" is not a time; write a number with a unit`) {
			t.Errorf("the file: %s", got)
		}
	}
}

func TestOfAMisspeltNameTheNearestIsAskedFor(t *testing.T) {
	for want, args := range map[string][]string{
		"did you mean --history-age?":     {"websocket", "--histroy-age", "1h"},
		"there is no flag --zzzzzz; see ": {"websocket", "--zzzzzz"},
		"did you mean clu-ws websocket?":  {"webscoket"},
		`there is no command "zzzz"; see`: {"zzzz"},
	} {
		if got := failure(t, args...); !strings.Contains(got, want) {
			t.Errorf("%v: %s", args, got)
		}
	}
}

func TestVariablesWithoutEffectAreWarnedOf(t *testing.T) {
	environment := []string{"CLU_WS_HISTROY_AGE=1h", "CLU_WS_PASWORD=secret", "CLU_WS_NOTHING_LIKE_IT=1", "CLU_WS_ORIGINS=*", "HOME=/",
		// These are known.
		"CLU_WS_HISTORY_AGE=1h", "CLU_WS_TOKEN=x", "CLU_WS_BRIDGE=x", "CLU_WS_AMQP=x", "CLU_WS_DOME_GUARD=false", "CLU_WS_CONFIG=x",
		// Kubernetes sets these for Services called clu-ws and clu-ws-admin.
		"CLU_WS_PORT=tcp://10.0.0.1:9876", "CLU_WS_SERVICE_HOST=10.0.0.1", "CLU_WS_SERVICE_PORT=9876", "CLU_WS_SERVICE_PORT_WEB=9876",
		"CLU_WS_PORT_9876_TCP=tcp://10.0.0.1:9876", "CLU_WS_PORT_9876_TCP_ADDR=10.0.0.1", "CLU_WS_ADMIN_PORT=tcp://10.0.0.1:9877",
		"CLU_WS_ADMIN_SERVICE_HOST=10.0.0.1", "CLU_WS_ADMIN_PORT_9877_TCP_PROTO=tcp"}
	names, meant := unknownVariables(newApp(nil, nil), environment)
	if want := []string{"CLU_WS_HISTROY_AGE", "CLU_WS_NOTHING_LIKE_IT", "CLU_WS_ORIGINS", "CLU_WS_PASWORD"}; !slices.Equal(names, want) {
		t.Errorf("they are %v, want %v", names, want)
	}
	if want := []string{"CLU_WS_HISTORY_AGE", "", "CLU_WS_ORIGIN", "CLU_WS_PASSWORD"}; !slices.Equal(meant, want) {
		t.Errorf("meant are %v, want %v", meant, want)
	}
	t.Setenv("CLU_WS_PASWORD", "sesame")
	p := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "-P", "1")
	p.log.await(t, `variable=CLU_WS_PASWORD advice="did you mean CLU_WS_PASSWORD?"`)
	if got := output(t, "check"); !strings.Contains(got, "did you mean CLU_WS_PASSWORD?") || strings.Contains(got, "sesame") {
		t.Errorf("clu-ws check says %s", got)
	}
}

// Each repeatable flag is written alike: several times, or with spaces between the values, in its variable and in the
// file; commas separate, too, where a value cannot have one.
func TestListsAreWrittenAlikeEverywhere(t *testing.T) {
	two := map[string][2]string{
		"listen": {"127.0.0.1:1", "unix:/x.sock"}, "origin": {"https://a", "null"}, "trusted-proxy": {"10.0.0.0/8", "unix"},
		"url": {"amqp://a/", "amqp://b/"}, "source": {"exchange=a,type=fanout", "exchange=b"},
	}
	for _, f := range websocketFlags() {
		if _, ok := f.(*cli.StringSliceFlag); !ok || !isVisible(f) {
			continue
		}
		name := f.Names()[0]
		values, ok := two[name]
		if !ok {
			t.Errorf("--%s is not tested", name)
			continue
		}
		want := values[:]
		expect := func(form string, args ...string) {
			t.Helper()
			if got := listOf(t, name, args...); !slices.Equal(got, want) {
				t.Errorf("--%s, %s: %q, want %q", name, form, got, want)
			}
		}
		expect("repeated", "--"+name, want[0], "--"+name, want[1])
		file := func(text string) string { return writeFile(t, "clu-ws.yaml", name+": "+text+"\n") }
		expect("a list in the file", "--config", file(`["`+want[0]+`", "`+want[1]+`"]`))
		separators := []string{" ", " \n\t"}
		if !commaInValue[name] {
			separators = append(separators, ",", ", ")
		}
		for _, between := range separators {
			text := " " + want[0] + between + want[1] + " "
			expect("one text", "--"+name, text)
			expect("one text in the file", "--config", file(strings.ReplaceAll(`"`+text+`"`, "\n", `\n`)))
			t.Run("variable/"+name, func(t *testing.T) {
				t.Setenv(variable(name), text)
				expect("the variable")
			})
		}
	}
	for words, args := range map[string][]string{
		"commas do not separate URLs":                   {"--url", "amqp://a/,amqps://b/"},
		`"/b.sock" is not an address`:                   {"--listen", "unix:/a /b.sock"},
		"and a space between two sources":               {"--source", "exchange=a,exchange=b"},
		`"10.0.0.0/8;10.1.0.0/16" is not a network`:     {"--trusted-proxy", "10.0.0.0/8;10.1.0.0/16"},
		`"https://a;https://b" is not an origin; write`: {"--origin", "https://a;https://b"},
	} {
		if got := failure(t, append([]string{"check"}, args...)...); !strings.Contains(got, words) {
			t.Errorf("%v: %s", args, got)
		}
	}
}

// listOf returns the values of a repeatable flag of clu-ws websocket.
func listOf(t *testing.T, name string, args ...string) (values []string) {
	t.Helper()
	args = append([]string{"clu-ws", "websocket"}, args...)
	app := newApp(nil, nil)
	app.Metadata = map[string]any{argsKey: args}
	app.Command("websocket").Action = func(c *cli.Context) error {
		if _, err := withFile(c); err != nil {
			return err
		}
		values = listValues(c, name)
		return nil
	}
	if err := app.Run(args); err != nil {
		t.Fatal(err)
	}
	return values
}
