package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/redislink"
)

func roomFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "source", EnvVars: env("source"), Category: catRooms, Usage: "`EXCHANGE` whose messages go to rooms, or Redis channels: exchange=NAME[,type=topic|fanout|direct][,binding=PATTERN][,path=/PREFIX][,format=FORMAT], or redis=URL,path=/PREFIX[,channel=PATTERN...][,prefix=TEXT][,broadcast=CHANNEL][,format=FORMAT]" + repeatable},
		&cli.StringFlag{Name: "room-history", Value: "16MiB", EnvVars: env("room-history"), Category: catRooms, Usage: "most `BYTES` of messages for rooms that are kept for clients that resume; 0 keeps none"},
		&cli.StringFlag{Name: "presence", EnvVars: env("presence"), Category: catRooms, DefaultText: "not published", Usage: "topic `EXCHANGE` to which the bridge publishes which clients connect and leave"},
		&cli.BoolFlag{Name: "presence-rooms", EnvVars: env("presence-rooms"), Category: catRooms, Usage: "publish there also which rooms clients subscribe to and leave, and what they publish to rooms"},
		&cli.BoolFlag{Name: "list-clients", EnvVars: env("list-clients"), Category: catRooms, Usage: "let clients ask which clients are connected"},
	}
}

// readRooms reads the flags of rooms and presence into a bridge's configuration.
func readRooms(c *cli.Context, cfg *bridge.Config) (err error) {
	for _, text := range listValues(c, "source") {
		source, err := rooms.ParseSource(text)
		if err != nil {
			return fmt.Errorf("--source: %w", err)
		}
		if source.Redis != nil {
			if source.Redis.URL, err = secretText("source", source.Redis.URL); err != nil {
				return err
			}
			if err := redislink.CheckURL(source.Redis.URL); err != nil {
				return fmt.Errorf("--source: %w", err)
			}
		}
		cfg.Sources = append(cfg.Sources, source)
	}
	if c.String("room-history") != "0" {
		if cfg.RoomHistory, err = byteSize(c, "room-history"); err != nil {
			return err
		}
	}
	cfg.Presence, cfg.PresenceRooms, cfg.ListClients = c.String("presence"), c.Bool("presence-rooms"), c.Bool("list-clients")
	return nil
}
