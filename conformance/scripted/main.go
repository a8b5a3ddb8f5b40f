package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/clu-ws/clu-ws/conformance"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	match := flag.String("run", "", "only cases whose names match")
	wait := flag.Duration("wait", 20*time.Second, "how long a step may take")
	flag.Parse()
	if flag.NArg() == 0 {
		return errors.New("which driver? go run ./conformance/scripted -- PROGRAM ARGUMENTS")
	}
	pattern, err := regexp.Compile(*match)
	if err != nil {
		return err
	}
	d, err := conformance.Process(context.Background(), flag.Args()...)
	if err != nil {
		return err
	}
	played, err := conformance.Run(d, conformance.Options{Match: pattern, Patience: *wait, Out: os.Stdout})
	if ended := d.Close(); ended != nil {
		return ended
	}
	if err != nil {
		return fmt.Errorf("%s strays from the cases that are marked WRONG", d.Client)
	}
	if played == 0 {
		return errors.New("no case was played")
	}
	fmt.Printf("%s: %d cases\n", d.Client, played)
	return nil
}
