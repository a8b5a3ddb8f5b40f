package jararaca

import (
	"errors"

	"github.com/clu-ws/clu-ws/bridge/dialect"
)

// Config is the section jararaca of a dialect in the configuration file. The keys are given by the tags.
type Config struct{}

// New returns the dialect that a configuration describes. Its errors are [*dialect.PathError], joined.
func New(cfg *Config, at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
	return nil, errors.New("Jararaca is not spoken yet")
}
