package doctor

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestTheMachineIsJudgedByTheNumberOfClients(t *testing.T) {
	good := machine{openFiles: 20_000, allFiles: 1 << 20, backlog: 4096, localPorts: 60_000, clockWanted: true, clockSet: true}
	for name, c := range map[string]struct {
		change func(*machine)
		want   string // the checks that find something, in order
		mend   string
	}{
		"all is well":                {func(*machine) {}, "", ""},
		"few files":                  {func(m *machine) { m.openFiles = 1024 }, "machine.files", "LimitNOFILE=11000"},
		"few files in all":           {func(m *machine) { m.allFiles = 10_000 }, "machine.files", "fs.file-max=22000"},
		"a short backlog":            {func(m *machine) { m.backlog = 128 }, "machine.backlog", "net.core.somaxconn=4096"},
		"few ports":                  {func(m *machine) { m.localPorts = 5000 }, "machine.ports", "ip_local_port_range"},
		"a clock that nobody sets":   {func(m *machine) { m.clockSet = false }, "machine.clock", "chrony"},
		"a system that says nothing": {func(m *machine) { *m = machine{} }, "", ""},
	} {
		m, r := good, &Report{}
		c.change(&m)
		r.judge(m, 10_000)
		var found []string
		mend := ""
		for _, f := range r.Findings {
			if f.Status != OK {
				found, mend = append(found, f.Check), mend+f.Mend
			}
		}
		if strings.Join(found, " ") != c.want || !strings.Contains(mend, c.mend) {
			t.Errorf("%s: %+v", name, r.Findings)
		}
	}
}

func TestACertificateIsRenewedInTime(t *testing.T) {
	const day = 24 * time.Hour
	for left, want := range map[time.Duration]string{
		-time.Minute: "problem", 0: "problem", 47 * time.Hour: "warning", 3 * day: "warning", 13 * day: "warning", 15 * day: "ok",
	} {
		r := &Report{}
		r.Certificate("tls", "it", time.Now().Add(left))
		if len(r.Findings) != 1 || string(r.Findings[0].Status) != want {
			t.Errorf("with %v left: %+v, want %s", left, r.Findings, want)
		}
	}
}

// The port of clients may belong to a bridge other than the one that is meant.
func TestABridgeThatDoesNotAnswerAtItsAdminAddressMayBeAnotherOne(t *testing.T) {
	admin := listen.Address{Network: "tcp", Name: "127.0.0.1:1"}
	r := &Report{}
	r.Running(t.Context(), admin, Config{Name: "night"})
	if len(r.Findings) > 0 {
		t.Errorf("no bridge runs, and it finds %+v", r.Findings)
	}
	r.held = []string{"127.0.0.1:9876"}
	r.Running(t.Context(), admin, Config{Name: "night"})
	if len(r.Findings) != 1 || r.Findings[0].Status != Warning || !strings.Contains(r.Findings[0].Text, "127.0.0.1:9876") {
		t.Errorf("it finds %+v", r.Findings)
	}
}

func TestAReportSaysAtItsEndHowBadItIs(t *testing.T) {
	var out bytes.Buffer
	r := &Report{Heard: func(f Finding) { f.Print(&out) }}
	r.OK("a", "fine")
	r.PrintEnd(&out)
	r.Warn("b", "do this", "so so")
	r.PrintEnd(&out)
	r.Fail("c", "", "bad")
	r.PrintEnd(&out)
	const want = `ok       a               fine

All is well.
warning  b               so so
                         -> do this

The bridge works, with 1 warning.
problem  c               bad

1 problem, 1 warning.
`
	if out.String() != want {
		t.Errorf("it prints\n%s", &out)
	}
}
