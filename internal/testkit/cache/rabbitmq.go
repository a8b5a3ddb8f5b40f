package cache

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed rabbitmq.sh
var rabbitmqScript string

// The suites of Debian whose RabbitMQ can be set up in addition to the installed one.
const (
	Trixie  = "trixie"  // has 4.0, on Mnesia
	Testing = "testing" // has the latest, on Khepri; it moves
)

// RabbitMQ is a RabbitMQ that is unpacked, but not installed.
type RabbitMQ struct {
	Bin     string // the folder of rabbitmq-server and rabbitmqctl
	Version string
	Instead string // why it is not the requested one; "" if it is
}

func rabbitmqOf(suite string) component {
	return component{
		name: "rabbitmq-" + suite,
		make: func(dir string) error {
			script := filepath.Join(dir, "setup.sh")
			if err := os.WriteFile(script, []byte(rabbitmqScript), 0o644); err != nil {
				return err
			}
			return run("bash", script, dir, suite)
		},
		stamp: func(dir string) string { return dir + "\n" + rabbitmqScript }, // its scripts contain its path
	}
}

// RabbitMQOf returns the RabbitMQ of a suite of Debian, [Trixie] or [Testing], in the version that the
// suite had when it was set up. The first call on a machine takes about a quarter of a minute.
func RabbitMQOf(suite string) (RabbitMQ, error) {
	dir, err := rabbitmqOf(suite).ready()
	if err != nil {
		return RabbitMQ{}, err
	}
	version, err := os.ReadFile(filepath.Join(dir, "version"))
	if err != nil {
		return RabbitMQ{}, err
	}
	return RabbitMQ{Bin: filepath.Join(dir, "bin"), Version: strings.TrimSpace(string(version))}, nil
}

// NewestRabbitMQ returns the newest RabbitMQ 4: testing's, which differs most from the one that a stable Debian installs.
// If that cannot be set up, or is no longer a RabbitMQ 4, it returns trixie's: testing changes from day to day, and must
// not break the build.
func NewestRabbitMQ() (RabbitMQ, error) {
	newest, err := RabbitMQOf(Testing)
	if err == nil && !strings.HasPrefix(newest.Version, "4.") {
		err = fmt.Errorf("testing has RabbitMQ %s", newest.Version)
	}
	if err == nil {
		return newest, nil
	}
	stable, stableErr := RabbitMQOf(Trixie)
	if stableErr != nil {
		return RabbitMQ{}, errors.Join(err, stableErr)
	}
	stable.Instead = err.Error()
	return stable, nil
}
