package bench

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// tiny sizes show that everything works, and nothing about speed.
func tiny() Sizes {
	return Sizes{
		Rounds:  1,
		Clients: 4, Few: 2, Many: 8,
		SteadyReplies: 3, SteadyEvery: time.Millisecond,
		BatchFor:     50 * time.Millisecond,
		BurstReplies: 50,
		IdleFrom:     2, IdleTo: 6, Settle: time.Millisecond,
		LatencyClients: 2, LatencyReplies: 5, LatencyEvery: time.Millisecond,
		OpenConnections: 8,
		SlowClients:     2, SlowReplies: 5, SlowEvery: time.Millisecond,
		GroupClients: 12, Groups: 3, GroupReplies: 30, GroupEvery: time.Millisecond,
		StormClients: 20, StormReplies: 500, StormEvery: time.Millisecond,
		ReloadReplies: 300, ReloadEvery: 2 * time.Millisecond,
		SnapshotClients: 5, SnapshotReplies: 20, SnapshotEvery: time.Millisecond,
		HistoryReplies: 20, HistoryEvery: time.Millisecond,
		Commanders: 2, Commands: 20, CLUCommands: 5, InFlight: 4,
		Answered: 20, CLUAnswered: 5,
		Backlog:    500, // more than the prefetch
		RoundTrips: 3,
		TLSClients: 3, TLSIdle: 6, TLSReplies: 3, TLSEvery: time.Millisecond,
		NeighbourDivisor: 200, BaselineFor: 10 * time.Millisecond, DisturbFor: 50 * time.Millisecond, MaxRound: patience,
	}
}

// program builds clu-ws.
func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clu-ws")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "github.com/clu-ws/clu-ws/cmd/clu-ws").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// hastened are the scenarios in which the bridge gives a command up that RabbitMQ has not confirmed within 0.9 s, which
// on a crowded machine it may not do.
var hastened = []string{"commands", "roundtrip", "answered"}

// measured runs, and returns the report. Of the hastened scenarios, those that fail run again, alone: a fault shows each
// time.
func measured(t *testing.T, cfg Config) *Report {
	t.Helper()
	cfg.JSON = filepath.Join(t.TempDir(), "figures", "latest.json")
	err := Run(t.Context(), cfg)
	report := readReport(t, cfg.JSON, err)
	for range 2 {
		failed := slices.Collect(maps.Keys(report.Failures))
		if len(failed) == 0 || slices.ContainsFunc(failed, func(name string) bool { return !slices.Contains(hastened, name) }) {
			break
		}
		t.Logf("run again: %v", err)
		cfg.Only = failed
		err = Run(t.Context(), cfg)
		again := readReport(t, cfg.JSON, err)
		kept := slices.DeleteFunc(report.Rows, func(r Row) bool { return slices.Contains(failed, r.Scenario) })
		report.Rows, report.Failures = append(kept, again.Rows...), again.Failures
	}
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// readReport reads the figures of a run, which has them even if a scenario failed.
func readReport(t *testing.T, file string, failure error) *Report {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(failure, err)
	}
	report := &Report{}
	if err := json.Unmarshal(text, report); err != nil {
		t.Fatal(failure, err)
	}
	return report
}

func TestARunMeasuresEverything(t *testing.T) {
	var out, lines strings.Builder
	report := measured(t, Config{
		Program: program(t), Sizes: tiny(), Stdout: &out, Progress: &lines,
		RabbitMQURL: testkit.RabbitMQ(t).URL(), CLU: filepath.Join(filepath.Dir(testkit.CLU(t).Path), "clu"),
	})
	rows := map[string]int{}
	for _, r := range report.Rows {
		rows[r.Scenario]++
		if r.What == userPart {
			continue // a tiny run may end before a tick of the clock
		}
		if r.Measured <= 0 && !strings.HasSuffix(r.Scenario, "idle") || len(r.MeasuredRounds) == 0 {
			t.Errorf("nothing was measured: %+v", r)
		}
		if r.Against != "" && (r.Reference <= 0 || len(r.ReferenceRounds) == 0) {
			t.Errorf("no reference: %+v", r)
		}
		if !strings.Contains(out.String(), r.What) {
			t.Errorf("not in the table: %s", r.What)
		}
	}
	for scenario, want := range map[string]int{"steady": 1, "batch": 2, "burst": 6, "idle": 1, "latency": 2, "connect": 1, "slow": 2, "groups": 2, "access-groups": 2, "access-jwt-storm": 2, "access-reload": 2, "snapshots": 1, "history": 2,
		"commands": 2, "relay": 2, "backlog": 1, "tls-steady": 1, "tls-burst": 1, "tls-idle": 1, "roundtrip": 1, "answered": 1,
		"neighbours-resume": 1, "neighbours-keywords": 1, "neighbours-snapshot": 1, "neighbours-patterns": 1,
		"neighbours-inflate": 1, "neighbours-objects": 2, "neighbours-slow-tls": 1, "neighbours-metrics": 1,
		"neighbours-connect": 1, "neighbours-flood": 1,
		"outbound-snapshots": 1, "outbound-pings": 1, "outbound-tls": 1} {
		if rows[scenario] != want {
			t.Errorf("%s has %d rows, not %d", scenario, rows[scenario], want)
		}
		if !strings.Contains(lines.String(), "  "+scenario+"\n") {
			t.Errorf("no line of progress for %s", scenario)
		}
	}
	if len(report.LeftOut) > 0 {
		t.Errorf("left out: %q", report.LeftOut)
	}
}

func TestScenariosWithoutRabbitMQAreLeftOutAndReported(t *testing.T) {
	chosen, leftOut, err := choose(nil, false)
	if err != nil || len(chosen) != 29 || len(leftOut) != 5 || !strings.Contains(leftOut[0], "--rabbitmq-url") {
		t.Errorf("%d scenarios, %q, %v", len(chosen), leftOut, err)
	}
	if _, _, err := choose([]string{"backlog"}, false); err == nil || !strings.Contains(err.Error(), "--rabbitmq-url") {
		t.Errorf("by name: %v", err)
	}
}

func TestTheFirstWordOfSeveralScenariosSelectsAllOfThem(t *testing.T) {
	chosen, _, err := choose([]string{"outbound", "idle", "neighbours-patterns"}, false)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range chosen {
		names = append(names, s.name)
	}
	if want := []string{"idle", "neighbours-patterns", "outbound-snapshots", "outbound-pings", "outbound-tls"}; !slices.Equal(names, want) {
		t.Errorf("%q, not %q", names, want)
	}
	if _, _, err := choose([]string{"neighbour"}, false); err == nil {
		t.Error("half a word selects a scenario")
	}
}

func TestCLUIsLeftOutWhereItCannotBeMeasured(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no CLU":         {RabbitMQURL: "amqp://guest:guest@127.0.0.1:5672/"},
		"a virtual host": {RabbitMQURL: "amqp://guest:guest@127.0.0.1:5672/other", CLU: "clu"},
		"another user":   {RabbitMQURL: "amqp://ann:guest@127.0.0.1:5672/", CLU: "clu"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{cfg: cfg, rabbitURL: cfg.RabbitMQURL}
			_, _, err := b.cluWebsocket(t.Context())
			var missing errMissing
			if !errors.As(err, &missing) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestARunMayUseAnyRabbitMQ(t *testing.T) {
	var out strings.Builder
	err := Run(t.Context(), Config{
		Program: program(t), Sizes: tiny(), Only: []string{"latency", "idle"}, Stdout: &out,
		BrokerURL: testkit.RabbitMQ(t).NewVHost(t),
	})
	if err != nil || !strings.Contains(out.String(), "RabbitMQ") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// cancelOn is a writer that ends a context when something is written.
type cancelOn struct{ cancel context.CancelFunc }

func (c cancelOn) Write(p []byte) (int, error) {
	c.cancel()
	return len(p), nil
}

func TestAnInterruptedRunEndsItsChildren(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sizes := tiny()
	sizes.SteadyReplies = 1_000_000
	// The test's check for left goroutines covers the children: each has one that reaps it.
	err := Run(ctx, Config{Program: program(t), Sizes: sizes, Stdout: io.Discard, Progress: cancelOn{cancel}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestAServerThatDoesNotStartIsAnError(t *testing.T) {
	var out strings.Builder
	err := Run(t.Context(), Config{
		Program: program(t), Sizes: tiny(), Only: []string{"idle"}, Stdout: &out,
		ServerArgs: []string{"--no-such-flag"},
	})
	if err == nil || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("%v", err)
	}
}

func TestADisturbanceThatFailsIsAnError(t *testing.T) {
	var out strings.Builder
	err := Run(t.Context(), Config{
		Program: program(t), Sizes: tiny(), Only: []string{"neighbours-resume"}, Stdout: &out,
		ServerArgs: []string{"--history", "0"},
	})
	if err == nil || !strings.Contains(err.Error(), "could not resume") {
		t.Errorf("%v", err)
	}
}

func TestTheServerMayBeAnotherProgram(t *testing.T) {
	var out strings.Builder
	err := Run(t.Context(), Config{
		Program: program(t), Server: "no-such-program", Sizes: tiny(), Only: []string{"idle"}, Stdout: &out,
	})
	if err == nil || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("%v", err)
	}
}

func TestAnUnknownScenarioIsAnError(t *testing.T) {
	err := Run(t.Context(), Config{Only: []string{"speed"}})
	if err == nil || !strings.Contains(err.Error(), "choose from steady, batch") {
		t.Errorf("%v", err)
	}
}
