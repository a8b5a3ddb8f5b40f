package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/configfile"
)

// secretFlags are the flags whose value is secret, or contains a secret. It may be given as
// file:PATH or credential:NAME.
var secretFlags = map[string]bool{"password": true, "url": true}

// secretText returns the value of a secret flag, which may be in a file.
func secretText(flag, value string) (string, error) {
	path, err := configfile.SecretFile(value, ".")
	if path == "" || err != nil {
		return value, flagError(flag, err)
	}
	text, err := configfile.ReadSecret(path)
	return string(text), flagError(flag, err)
}

func flagError(flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("--%s: %w", flag, err)
}

// hideValue returns an error that does not contain the value of a secret flag.
func hideValue(flag string, err error) error {
	if secretFlags[flag] {
		return errors.New("the value cannot be used")
	}
	return err
}

// filePath returns the path of a flag's file, which may be a credential; "" if there is none.
func filePath(c *cli.Context, flag string) (string, error) {
	path, err := configfile.FilePath(c.Path(flag), ".")
	return path, flagError(flag, err)
}

// secretFiles returns the files with secrets that flags name.
func secretFiles(c *cli.Context) (files []string) {
	for flag := range secretFlags {
		for _, value := range flagValues(c, flag) {
			if path, err := configfile.SecretFile(value, "."); err == nil && path != "" {
				files = append(files, path)
			}
		}
	}
	for _, text := range listValues(c, "source") {
		source, err := rooms.ParseSource(text)
		if err != nil || source.Redis == nil {
			continue
		}
		if path, err := configfile.SecretFile(source.Redis.URL, "."); err == nil && path != "" {
			files = append(files, path)
		}
	}
	return files
}

// warnOfExposed warns of files with secrets that everyone on this machine may read.
func warnOfExposed(files []string, log *slog.Logger) {
	for _, path := range files {
		if configfile.Exposed(path) {
			log.Warn("everyone on this machine may read a file with a secret; use chmod o-r", "file", path)
		}
	}
}
