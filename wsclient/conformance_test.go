package wsclient_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/conformance/chaos"
	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/internal/wsdriver"
)

func driven(t *testing.T) *conformance.Driver {
	t.Helper()
	d, err := conformance.InProcess(wsdriver.Run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestTheClientPassesEveryCase(t *testing.T) {
	played, err := conformance.Run(driven(t), conformance.Options{Patience: testkit.Patience, Most: 3, Out: t.Output()})
	if err != nil {
		t.Error(err)
	}
	if played < 80 {
		t.Errorf("%d cases were played", played)
	}
}

func TestTheClientLosesNothingInChaos(t *testing.T) {
	chaos.Drive(t, func(t *testing.T) *conformance.Driver {
		d, err := conformance.InProcess(wsdriver.Run)
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func TestTheClientCatchesUpThoughNoConnectionLastsForIt(t *testing.T) {
	t.Parallel()
	chaos.CatchUp(t, driven(t))
}
