package conformance

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

// Options are how the cases are played.
type Options struct {
	Match    *regexp.Regexp // only cases whose names match; nil is all
	Patience time.Duration  // how long a step may take. It is long, since nothing but a fault takes it
	Out      io.Writer      // gets a line for each case
	Most     int            // wrong cases after which no more are played; 0 is no limit
}

// Run plays the cases to a client. The error names those from which the client strayed.
func Run(d *Driver, o Options) (played int, err error) {
	match, out := o.Match, o.Out
	cases, err := Cases()
	if err != nil {
		return 0, err
	}
	var strayed []error
	for _, c := range cases {
		if c.Only == "bridge" || match != nil && !match.MatchString(c.Name) {
			continue
		}
		if lacks := d.lacks(c); lacks != "" {
			fmt.Fprintf(out, "-     %s: %s has no %s\n", c.Name, d.Client, lacks)
			continue
		}
		s, err := newServer()
		if err != nil {
			return played, err
		}
		err = newPlayer(s, d, o.Patience).play(c)
		s.close()
		played++
		if err != nil {
			fmt.Fprintf(out, "WRONG %s\n    %v\n", c.Name, err)
			strayed = append(strayed, fmt.Errorf("%s: %w", c.Name, err))
			if len(strayed) == o.Most {
				return played, errors.Join(append(strayed, errors.New("the other cases were not played"))...)
			}
			continue
		}
		fmt.Fprintf(out, "ok    %s\n", c.Name)
	}
	return played, errors.Join(strayed...)
}
