package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/urfave/cli/v2"
)

const exampleFile = "../../docs/clu-ws.yaml"

// sample returns the configuration file of packages.
func sample(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clu-ws.yaml")
	output(t, "configuration", "--yaml", exampleFile, path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out := output(t, "configuration", "--yaml", exampleFile); out != string(text) {
		t.Error("it prints something else than it writes")
	}
	return string(text)
}

// checked returns what clu-ws check says of a configuration file.
func checked(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clu-ws.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return output(t, "check", "--config", path)
}

func TestTheFileOfPackagesKeepsOtherMachinesOut(t *testing.T) {
	said := checked(t, sample(t))
	given := regexp.MustCompile(`(?m)^  (\S+) +(\S+) +by `).FindAllStringSubmatch(said, -1)
	if len(given) != 1 || given[0][1] != "host" || given[0][2] != "127.0.0.1" || strings.Contains(said, "warn") {
		t.Errorf("the sample file means:\n%s", said)
	}
}

func TestTheFileOfPackagesHasEachFlagWithAValueThatItTakes(t *testing.T) {
	text := sample(t)
	for _, f := range websocketFlags() {
		if name := f.Names()[0]; isVisible(f) && name != "config" && len(regexp.MustCompile(`(?m)^#?`+name+`: \S`).FindAllString(text, -1)) != 1 {
			t.Errorf("%s is not in the file, or not once", name)
		}
	}
	// Placeholders, in capitals, are no values.
	defaults := regexp.MustCompile(`(?m)^#([a-z][a-z-]+: (?:[^A-Z\n\[].*|\[[^A-Z\n].*))$`).ReplaceAllString(text, "$1")
	defaults = regexp.MustCompile(`(?m)^durable: .*`).ReplaceAllString(defaults, "durable: stream") // the stream's settings need it
	if strings.Count(defaults, "\n#") > strings.Count(text, "\n#")-30 {
		t.Fatal("too few settings have a default")
	}
	cut := strings.Index(defaults, "# What a page shows")
	if said := checked(t, defaults[:cut]); !strings.Contains(said, "can be used") || strings.Contains(said, "warn") {
		t.Errorf("the defaults mean:\n%s", said)
	}
}

func TestTheFileOfPackagesHasTheSectionsOfTheExample(t *testing.T) {
	text := sample(t)
	at := strings.Index(text, "# What a page shows")
	if at < 0 {
		t.Fatal("there are no sections")
	}
	sections := regexp.MustCompile(`(?m)^#( {2,}|[a-z]+:$)`).ReplaceAllString(text[at:], "$1")
	said := checked(t, "source: redis=redis://localhost:6379/0,format=socketshark,path=/shark\n"+sections)
	if !strings.Contains(said, `"Example Observatory"`) || !strings.Contains(said, "Who may do what:") || !strings.Contains(said, "/shark speaks socketshark") {
		t.Errorf("the sections mean:\n%s", said)
	}
	if _, err := exampleSections("name: console\n"); err == nil {
		t.Error("an example without sections is taken")
	}
}

func TestTheManualPagesHaveEachCommandAndFlag(t *testing.T) {
	folder := t.TempDir()
	output(t, "man", "--date", "2026-11-29", folder)
	page := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			if regexp.MustCompile(`^'|^\.[^A-Zanfr]`).MatchString(line) || strings.Contains(line, "`") {
				t.Errorf("%s has the line %q, which man(7) reads otherwise", name, line)
			}
		}
		return string(text)
	}
	program := page("clu-ws.1")
	for _, c := range newApp(nil, nil).Commands {
		if c.Hidden {
			continue
		}
		text := page("clu-ws-" + c.Name + ".1")
		if !strings.Contains(program, ".TP\n\\fB"+c.Name+"\\fP") || !strings.Contains(program, ".BR clu\\-ws\\-"+c.Name+" (1)") {
			t.Errorf("clu-ws.1 is without %s", c.Name)
		}
		for _, f := range c.Flags {
			if isVisible(f) && !strings.Contains(text, `\fB`+roff("--"+f.Names()[0])+`\fP`) && len(f.Names()[0]) > 1 {
				t.Errorf("the page of %s is without --%s", c.Name, f.Names()[0])
			}
			if v := f.(cli.DocGenerationFlag).GetEnvVars(); isVisible(f) && len(v) > 0 && !strings.Contains(text, v[0]) {
				t.Errorf("the page of %s is without %s", c.Name, v[0])
			}
		}
	}
	keys := page("clu-ws.yaml.5")
	for _, section := range []string{"access", "dialects", "site"} {
		if !strings.Contains(keys, "\n.IP \\(bu 2\n\\fB"+section+"\\fP ") {
			t.Errorf("clu-ws.yaml.5 has no item about %s", section)
		}
	}
	for _, f := range websocketFlags() {
		if name := f.Names()[0]; isVisible(f) && name != "config" && !strings.Contains(keys, ".TP\n\\fB"+roff(name)+"\\fP\n") {
			t.Errorf("clu-ws.yaml.5 is without %s", name)
		}
	}
}

// In the packaging module, the files are held to the schema of Kubernetes.
func TestTheFilesForKubernetesConfigureABridge(t *testing.T) {
	text, err := os.ReadFile("../../packaging/kubernetes/clu-ws.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config, deployment struct {
		Data map[string]string
		Spec struct {
			Template struct {
				Spec struct {
					TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
					Containers                    []struct {
						Args      []string
						Lifecycle struct {
							PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
						}
					}
				}
			}
		}
	}
	documents := strings.Split(string(text), "\n---\n")
	if err := errors.Join(yaml.Unmarshal([]byte(documents[0]), &config), yaml.Unmarshal([]byte(documents[1]), &deployment)); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "broker-password")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := strings.Replace(config.Data["clu-ws.yaml"], "/run/secrets/clu-ws/broker-password", secret, 1)
	t.Setenv("CLU_WS_NAME", "clu-ws-7d9c")
	said := checked(t, settings)
	drain := regexp.MustCompile(`(?m)^  drain-timeout +(\S+)`).FindStringSubmatch(said)
	if drain == nil || !strings.Contains(said, "clu-ws-7d9c") || !strings.Contains(said, secret) {
		t.Fatalf("the settings mean:\n%s", said)
	}
	timeout, err := time.ParseDuration(drain[1])
	pod := deployment.Spec.Template.Spec
	if grace := time.Duration(pod.TerminationGracePeriodSeconds-pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds) * time.Second; err != nil || grace <= timeout {
		t.Errorf("a pod is killed %v after SIGTERM, and drains for %v", grace, timeout)
	}
	if args := pod.Containers[0].Args; len(args) != 3 || args[0] != "websocket" {
		t.Errorf("the arguments are %q", args)
	}
}

func TestTextOfManualPagesIsReadAsItIs(t *testing.T) {
	for markdown, want := range map[string]string{
		"`--a-b` and [a link](x.md#y)": `\fB\-\-a\-b\fP and a link`,
		".starts 'a' ~^ \\":            `\&.starts \(aqa\(aq \(ti\(ha \e`,
	} {
		if got := roffMarkdown(markdown); got != want {
			t.Errorf("%q becomes %q, not %q", markdown, got, want)
		}
	}
}

func TestTheVersionSaysCommitAndDate(t *testing.T) {
	defer func(c, d string) { commit, date = c, d }(commit, date)
	commit, date = "0123456789abcdef", "2026-11-29T02:09:22Z"
	if out := output(t, "--version"); out != "clu-ws version "+releaseVersion+" 0123456789ab 2026-11-29T02:09:22Z\n" {
		t.Errorf("it says %q", out)
	}
	commit, date = "", ""
	if out := output(t, "--version"); !strings.HasPrefix(out, "clu-ws version "+releaseVersion) {
		t.Errorf("it says %q", out)
	}
}
