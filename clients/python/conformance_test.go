package python_test

import (
	"context"
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/conformance/chaos"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// driven starts the driver. It runs in Python's development mode, and a warning ends it.
func driven(t *testing.T, python string) *conformance.Driver {
	t.Helper()
	d, err := conformance.Process(context.WithoutCancel(t.Context()), python, "-B", "-X", "dev", "-W", "error", "tests/driver.py")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func passesEveryCase(t *testing.T, python string) {
	d := driven(t, python)
	played, err := conformance.Run(d, conformance.Options{Patience: testkit.Patience, Most: 3, Out: t.Output()})
	if err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if played < 100 || len(d.Without) > 0 {
		t.Errorf("%d cases were played, without %q", played, d.Without)
	}
}

func losesNothingInChaos(t *testing.T, python string) {
	chaos.Drive(t, func(t *testing.T) *conformance.Driver { return driven(t, python) })
}

func catchesUpThoughNoConnectionLastsForIt(t *testing.T, python string) {
	t.Parallel()
	d := driven(t, python)
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	chaos.CatchUp(t, d)
}
