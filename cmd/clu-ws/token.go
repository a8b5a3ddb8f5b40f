package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge/access"
)

// tokenCommand makes a token. The token is printed once and kept nowhere: the configuration has only
// its hash.
func tokenCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "token",
		Usage:     "make a token for a program, and the line of the configuration that lets it in",
		ArgsUsage: "NAME",
		Description: "NAME is who the program is in logs. It gets the token; the line goes to access.tokens of the file of --config,\n" +
			"which has only the token's hash. A token that is lost cannot be found again: make another one.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "role", Usage: "the role of access.roles that it gets"},
			&cli.StringSliceFlag{Name: "from", Usage: "a network or address that it may be used from; repeat for more (default: any)"},
			&cli.StringFlag{Name: "expires", Usage: "a date such as 2027-01-01, or an RFC 3339 time, at which it ends (default: never)"},
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return errors.New("a token needs a NAME; see clu-ws token --help")
			}
			if err := setFlags(c, c.Args().Tail()); err != nil {
				return err
			}
			if c.String("role") == "" {
				return errors.New("a token needs a role; name one of access.roles with --role")
			}
			return printToken(stdout, access.TokenConfig{
				Name: c.Args().First(), Role: c.String("role"), From: listValues(c, "from"), Expires: c.String("expires"),
			})
		},
	}
}

// setFlags sets the flags that follow the arguments, where the library does not look for them. Each
// has a value.
func setFlags(c *cli.Context, args []string) error {
	for len(args) > 0 {
		name, value, given := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		if !strings.HasPrefix(args[0], "-") || !given && len(args) == 1 {
			return fmt.Errorf(notUnderstood, args[0], c.Command.HelpName)
		}
		if args = args[1:]; !given {
			value, args = args[0], args[1:]
		}
		if err := c.Set(name, value); err != nil {
			return fmt.Errorf(notUnderstood, "--"+name, c.Command.HelpName)
		}
	}
	return nil
}

// printToken prints a new token, and its line for access.tokens.
func printToken(stdout io.Writer, t access.TokenConfig) error {
	token, hash := access.NewToken()
	t.Hash = hash
	if err := t.Check(); err != nil {
		return err
	}
	entry := []string{"name: " + inYAML(t.Name), "hash: " + inYAML(t.Hash), "role: " + inYAML(t.Role)}
	if len(t.From) > 0 {
		var networks []string
		for _, network := range t.From {
			networks = append(networks, inYAML(network))
		}
		entry = append(entry, "from: ["+strings.Join(networks, ", ")+"]")
	}
	if t.Expires != "" {
		entry = append(entry, "expires: "+inYAML(t.Expires))
	}
	_, err := fmt.Fprintf(stdout, "token: %s\n\naccess:\n  tokens:\n    - {%s}\n", token, strings.Join(entry, ", "))
	return err
}

// inYAML returns a text as a value in YAML, which is in quotes as in JSON.
func inYAML(text string) string {
	raw, _ := json.Marshal(text) // a string has always a form in JSON
	return string(raw)
}
