package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

func roomFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "source", EnvVars: env("source"), Category: catRooms, Usage: "`EXCHANGE` whose messages go to rooms: exchange=NAME[,type=topic|fanout|direct][,binding=PATTERN][,path=/PREFIX][,format=FORMAT]" + repeatable},
		&cli.StringFlag{Name: "presence", EnvVars: env("presence"), Category: catRooms, DefaultText: "not published", Usage: "topic `EXCHANGE` to which the bridge publishes which clients connect and leave"},
		&cli.BoolFlag{Name: "presence-rooms", EnvVars: env("presence-rooms"), Category: catRooms, Usage: "publish there also which rooms clients subscribe to and leave, and what they publish to rooms"},
		&cli.BoolFlag{Name: "list-clients", EnvVars: env("list-clients"), Category: catRooms, Usage: "let clients ask which clients are connected"},
	}
}

// readRooms reads the flags of rooms and presence into a bridge's configuration.
func readRooms(c *cli.Context, cfg *bridge.Config) error {
	for _, text := range listValues(c, "source") {
		source, err := rooms.ParseSource(text)
		if err != nil {
			return fmt.Errorf("--source: %w", err)
		}
		cfg.Sources = append(cfg.Sources, source)
	}
	cfg.Presence, cfg.PresenceRooms, cfg.ListClients = c.String("presence"), c.Bool("presence-rooms"), c.Bool("list-clients")
	return nil
}
