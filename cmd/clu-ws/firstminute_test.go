package main

import (
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheDemoSaysWhereItsPageIs(t *testing.T) {
	p := start(t, "demo", "--night=false", "--host", "0.0.0.0", "--port", "0", "--rabbitmq-port", "0")
	_, rest, _ := strings.Cut(p.out.await(t, "Open "), "Open ")
	page, _, _ := strings.Cut(rest, " in a browser")
	answer, err := http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(body), "<title>") {
		t.Errorf("at %s is %q (%v)", page, body, err)
	}
	p.log.await(t, "name=spectrograph") // the actors run, too
}

func TestADemoWhosePortIsTakenSaysNothingElse(t *testing.T) {
	taken := startDemo(t)
	_, port, _ := strings.Cut(taken, ":")
	p := launch(t, "demo", "--port", port, "--rabbitmq-port", "0")
	select {
	case err := <-p.ended:
		if err == nil || !strings.Contains(err.Error(), "choose another --port") {
			t.Errorf("it ended with: %v", err)
		}
	case <-time.After(testkit.Patience):
		t.Fatal("it still runs")
	}
	if out, log := p.out.String(), p.log.String(); out != "" || strings.Contains(log, "level=ERROR") {
		t.Errorf("it says %q and logs %q", out, log)
	}
}

func TestHelpOfASubcommandNeedsNoBridge(t *testing.T) {
	nowhere := "ws://127.0.0.1:" + freePort(t)
	if got := output(t, "help", "demo", "--url", nowhere); !strings.Contains(got, "clu-ws demo - run an observatory") {
		t.Errorf("it says\n%s", got)
	}
	if got := failure(t, "help", "weather", "--url", nowhere); !strings.Contains(got, "there is no bridge at "+nowhere) {
		t.Errorf("the help of an actor fails with %q", got)
	}
}

func TestTheVersionOfGoInstallIsSaidIfItSaysMore(t *testing.T) {
	for version, want := range map[string]string{
		"v" + releaseVersion: "", "(devel)": "", "": "",
		"v0.1.1-0.20261129022143-0123456789ab": "v0.1.1-0.20261129022143-0123456789ab",
	} {
		if got := moduleVersion(&debug.BuildInfo{Main: debug.Module{Version: version}}, true); got != want {
			t.Errorf("%q is said as %q", version, got)
		}
	}
}
